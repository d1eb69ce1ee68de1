"""The error queue in SQS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from penstock.adapters.error_queue import ErrorQueue
from penstock.domain.errors import AwsBusyError
from penstock.domain.failed_job import FailedJob


@pytest.fixture
def errors(queue: tuple[Any, str], monkeypatch: pytest.MonkeyPatch) -> ErrorQueue:
    monkeypatch.setattr("penstock.adapters.error_queue._WAIT_SECONDS", 0)
    return ErrorQueue(*queue)


def failed(name: str, category: str = "Daily") -> FailedJob:
    return FailedJob(category, name, "run", "2026-11-21", 1, "FAILED", "E", "x" * 9_000, 2)


def visible(queue: tuple[Any, str]) -> int:
    client, url = queue
    names = ["ApproximateNumberOfMessages"]
    answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return int(answer["Attributes"]["ApproximateNumberOfMessages"])


def is_daily(body: dict[str, Any]) -> bool:
    return body.get("category") == "Daily"


def test_a_failed_job_comes_back_as_it_was_sent(errors: ErrorQueue) -> None:
    errors.send(failed("a"))
    (message,) = errors.receive(is_daily)
    sent = failed("a")
    assert FailedJob.from_message(message.body) == FailedJob(
        **{**{f: getattr(sent, f) for f in sent.__slots__}, "cause": "x" * 2_000}
    )


def test_all_messages_are_seen_and_only_the_wanted_ones_kept(
    errors: ErrorQueue, queue: tuple[Any, str]
) -> None:
    errors.send_all([failed(f"j{n}", "Daily" if n % 2 else "Weekly") for n in range(45)])
    wanted = errors.receive(is_daily)
    assert sorted(m.body["job_name"] for m in wanted) == sorted(f"j{n}" for n in range(1, 45, 2))
    assert visible(queue) == 23


def test_deleted_messages_are_gone_and_released_ones_are_back(
    errors: ErrorQueue, queue: tuple[Any, str]
) -> None:
    errors.send_all([failed(f"j{n}") for n in range(25)])
    messages = errors.receive(is_daily)
    errors.delete(messages[:12])
    errors.release(messages[12:])
    assert visible(queue) == 13
    assert len(errors.receive(is_daily)) == 13


def test_a_text_that_is_no_message_of_ours_stays_on_the_queue(
    errors: ErrorQueue, queue: tuple[Any, str]
) -> None:
    for text in ("hello", "[1]", json.dumps({"kind": "other"})):
        queue[0].send_message(QueueUrl=queue[1], MessageBody=text)
    assert errors.receive(is_daily) == []
    assert visible(queue) == 3


def test_receiving_stops_in_time_and_leaves_the_rest(queue: tuple[Any, str]) -> None:
    ticks: Iterator[float] = iter([0.0, 1.0, 2.0, 61.0])
    patient = ErrorQueue(*queue, seconds_to_receive=60.0, clock=lambda: next(ticks))
    patient.send_all([failed(f"j{n}") for n in range(45)])
    assert len(patient.receive(is_daily)) == 20


class Refusing:
    """A client that carries out a part of each batch."""

    def send_message_batch(self, **_: Any) -> Any:
        return {"Successful": [], "Failed": [{"Id": "0", "Code": "Busy", "SenderFault": False}]}


def test_a_message_that_was_not_sent_is_an_error_and_never_lost_silently() -> None:
    refusing: Any = Refusing()
    with pytest.raises(AwsBusyError, match="did not send 1 messages"):
        ErrorQueue(refusing, "url").send(failed("a"))
