"""The error queue in SQS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

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


def hidden(queue: tuple[Any, str]) -> int:
    client, url = queue
    names = ["ApproximateNumberOfMessagesNotVisible"]
    answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return int(answer["Attributes"]["ApproximateNumberOfMessagesNotVisible"])


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


RUBBISH = {
    "hello": "the message is no JSON",
    "": "the message is no JSON",
    "[" * 100_000: "the message is no JSON",
    "[1]": "the message is no JSON object but a list",
    "7": "the message is no JSON object but a int",
    "null": "the message is no JSON object but a NoneType",
    "{}": "its kind is missing, but job or run_log or rejects is expected",
    '{"kind": "other"}': "its kind is 'other', but job or run_log or rejects is expected",
    '{"kind": ["job"]}': "its kind is ['job'], but job or run_log or rejects is expected",
    '{"kind": "job", "category": "Daily"}': "its job_name is missing, but a text is expected",
    '{"kind": "job", "category": "", "job_name": "a"}': "its category is '', but a text",
    '{"kind": "job", "category": 7, "job_name": "a"}': "its category is 7, but a text",
    '{"kind": "job", "category": "Daily", "job_name": "a", "job_id": {}}': "its job_id is {}",
    '{"kind": "job", "category": "Daily", "job_name": "a", "times": "2"}': "its times is '2'",
    '{"kind": "job", "category": "Daily", "job_name": "a", "times": true}': "its times is True",
    '{"kind": "job", "category": "Daily", "job_name": "a", "times": -1}': "its times is -1",
    '{"kind": "job", "category": "Daily", "job_name": "a", "times": 1e999}': "its times is inf",
    '{"kind": "job", "category": "Daily", "job_name": "a", "attempt": null}': "its attempt is",
    '{"kind": "run_log"}': "its job_id is missing, but a text is expected",
    '{"kind": "run_log", "job_id": 5}': "its job_id is 5, but a text is expected",
    '{"Type": "Notification", "TopicArn": "t", "Message": "{}"}': "the message is wrapped by SNS",
}


@pytest.fixture
def dead_letters(queue: tuple[Any, str]) -> str:
    return str(queue[0].create_queue(QueueName="dead")["QueueUrl"])


@pytest.mark.parametrize(("text", "reason"), RUBBISH.items(), ids=lambda text: text[:60])
def test_rubbish_goes_to_the_dead_letters_at_once_with_the_reason(
    queue: tuple[Any, str], dead_letters: str, text: str, reason: str, monkeypatch: Any
) -> None:
    monkeypatch.setattr("penstock.adapters.error_queue._WAIT_SECONDS", 0)
    errors = ErrorQueue(*queue, dead_letters)
    errors.send(failed("a"))
    queue[0].send_message(QueueUrl=queue[1], MessageBody=text or " ")
    assert [message.body["job_name"] for message in errors.receive(lambda _: True)] == ["a"]
    (dead,) = dead_messages(queue[0], dead_letters)
    assert dead["Body"] == (text or " ")
    assert dead["MessageAttributes"]["Reason"]["StringValue"].startswith(reason)
    assert (errors.count_poison(), errors.count_poison()) == (1, None)
    assert (visible(queue), hidden(queue)) == (0, 1)


def test_the_largest_rubbish_is_a_dead_letter_too(
    errors: ErrorQueue, queue: tuple[Any, str], dead_letters: str
) -> None:
    errors = ErrorQueue(*queue, dead_letters)
    queue[0].send_message(QueueUrl=queue[1], MessageBody="ü" * 131_072)
    assert errors.receive(lambda _: True) == []
    (dead,) = dead_messages(queue[0], dead_letters)
    assert len(dead["Body"]) > 130_000
    assert (visible(queue), hidden(queue)) == (0, 0)


def test_a_dead_letter_that_cannot_be_sent_stays_where_it_is(
    errors: ErrorQueue, queue: tuple[Any, str]
) -> None:
    queue[0].send_message(QueueUrl=queue[1], MessageBody="hello")
    with pytest.raises(ClientError):
        ErrorQueue(*queue, queue[1] + "gone").receive(lambda _: True)
    assert hidden(queue) == 1


def test_without_a_queue_of_dead_letters_rubbish_stays_on_the_queue(
    errors: ErrorQueue, queue: tuple[Any, str]
) -> None:
    for text in ("hello", "[1]", json.dumps({"kind": "other"})):
        queue[0].send_message(QueueUrl=queue[1], MessageBody=text)
    assert errors.receive(is_daily) == []
    assert visible(queue) == 3


def dead_messages(client: Any, url: str) -> list[Any]:
    answer = client.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    )
    return list(answer.get("Messages", []))


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
