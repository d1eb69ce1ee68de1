"""Rejects from the run that has them to the run that tries them again, whatever dies on the way."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from botocore.client import BaseClient
from tests.unit.conftest import BUCKET, RUN_TABLE
from tests.unit.handlers.conftest import House, event

from penstock.adapters.reject_items import RejectItems
from penstock.domain.errors import JobNotSucceededError
from penstock.domain.outcome import Outcome
from penstock.domain.reject_batch import RejectBatch

GLUE = event("settle_job")["result"]
WRITES = (
    "PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem", "PutObject",
    "SendMessage", "SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch",
)  # fmt: skip


class DiedError(Exception):
    """A Lambda function is dead."""


@contextmanager
def death_after(number: int) -> Iterator[None]:
    """Let the function die after its write of this number."""
    real, done = BaseClient._make_api_call, count(1)

    def call(client: Any, operation: str, arguments: Any) -> Any:
        answer = real(client, operation, arguments)
        if operation in WRITES and next(done) == number:
            raise DiedError
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", call)
        yield


@dataclass
class Job:
    """A category with one job, its runs, and the records under each path of rejects."""

    house: House
    category: str = "Daily_Covid"
    kept: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    loaded: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.name = f"clean_{self.category}"
        self.house.apply({"JobName": self.name, "JobCategory": self.category, "MaxAttempts": 9})
        self.items = RejectItems(self.house.dynamodb, RUN_TABLE, lambda: 0)

    def job_id(self, day: int) -> str:
        return f"202611{day:02d}T050000Z-{self.category}"

    def plan(self, day: int, **stated: Any) -> list[str]:
        """Plan a day; return the paths of the rejects that its job is to try again."""
        job_id = self.job_id(day)
        stated = {"category": self.category, "logical_date": f"2026-11-{day:02d}", **stated}
        self.house.call("plan_run", event("plan_run") | {"job_id": job_id, "input": stated})
        return [batch["path"] for batch in self.batches(day)]

    def batches(self, day: int) -> list[dict[str, Any]]:
        document = json.loads(self.house.read(f"runs/{self.job_id(day)}/plan.json"))
        (line,) = [each["arguments"] for each in document["lines"]]
        if "--rejects_path" not in line:
            return []
        key = line["--rejects_path"].removeprefix(f"s3://{BUCKET}/")
        found: list[dict[str, Any]] = json.loads(self.house.read(key))["batches"]
        return found

    def run(
        self, day: int, rejects: Iterable[str], rest: Iterable[str] = (), *, knows: bool = True
    ) -> Any:
        """Do the job: load what it is to try again, but for what it rejects, and report of it."""
        job_id = self.job_id(day)
        tried = self.batches(day) if knows else []
        records = {each for batch in tried for each in self.kept[batch["path"]][batch["take"]]}
        path, bad, resting = f"s3://{BUCKET}/rejects/{job_id}", set(rejects), set(rest)
        self.kept[path] = {"open": bad, "resting": resting, "all": bad | resting}
        bad = bad | resting
        self.loaded += sorted(records - bad)
        report = {"rows": len(bad), "path": path, "by_rule": {"range(n)": len(bad)}}
        report |= {"resting": len(resting), "rows_retried": len(records)}
        report |= {"retried": [batch["path"] for batch in tried]}
        result = {"rows_read": 9, "rows_written": 9 - len(bad), "rows_rejected": len(bad)}
        body = json.dumps(result | {"rows_filtered": 0, "rejects": report})
        key = f"runs/{job_id}/jobs/{self.name}/1/result.json"
        self.house.s3.put_object(Bucket=BUCKET, Key=key, Body=body.encode())
        request = {"job_id": job_id, "job_name": self.name, "attempt": 1}
        arrived = {"task_token": f"{job_id}", "execution_arn": "arn"}
        self.house.call("await_turn", event("await_turn") | request | arrived)
        return {**request, "result": GLUE}

    def settle(self, request: Any) -> Any:
        return self.house.call("settle_job", request)

    def fail(self, day: int) -> None:
        failure = {"state": "Run Spark Job", "error": "States.TaskFailed", "cause": "boom"}
        request = {"job_id": self.job_id(day), "job_name": self.name, "attempt": 1}
        self.house.call("settle_job", request | {"failure": failure})

    def close(self, day: int) -> Any:
        request = event("close_run") | {"job_id": self.job_id(day), "category": self.category}
        return self.house.call("close_run", request | {"logical_date": f"2026-11-{day:02d}"})

    def left(self) -> list[RejectBatch]:
        return self.items.of_category(self.category)

    def pointers(self) -> list[str]:
        found = [m for m in self.house.messages() if m["kind"] == "rejects"]
        return [message["path"] for message in found if message["category"] == self.category]


@pytest.fixture
def job(house: House) -> Job:
    return Job(house)


def day_one(job: Job, *rejects: str) -> str:
    job.plan(1)
    job.settle(job.run(1, rejects))
    job.close(1)
    return f"s3://{BUCKET}/rejects/{job.job_id(1)}"


def test_rejects_go_to_the_next_run_which_tries_them_again_and_closes_them(job: Job) -> None:
    path = day_one(job, "a", "b")
    assert job.pointers() == [path]
    (batch,) = job.left()
    assert (batch.path, batch.open, batch.by_rule) == (path, 2, {"range(n)": 2})

    assert job.plan(2) == [path]
    assert job.batches(2) == [{"path": path, "take": "open", "rows": 2}]
    assert job.pointers() == []
    job.settle(job.run(2, ["b"]))
    (left,) = job.left()
    assert (left.job_id, left.open) == (job.job_id(2), 1)
    assert job.pointers() == [left.path]
    assert job.loaded == ["a"]
    ((_, fate),) = job.items.of_run(job.job_id(1))
    assert (fate["What"], fate["By"]) == ("RETRIED", job.job_id(2))


def test_the_digest_says_how_many_were_rejected_by_which_rule(job: Job) -> None:
    day_one(job, "a", "b")
    job.plan(2)
    job.settle(job.run(2, [], ["b"]))
    digest = job.close(2)["digest"]
    assert f"{job.name}: 1 of 9 rejected: 1 range(n)" in digest
    assert "2 of earlier runs were tried again" in digest
    assert "1 rests now, after 3 attempts: penstock rejects list Daily_Covid" in digest


def test_a_lost_message_loses_no_reject(job: Job) -> None:
    path = day_one(job, "a")
    job.house.sqs.purge_queue(QueueUrl=job.house.queue_url)
    assert job.plan(2) == [path]


def test_a_message_that_comes_twice_doubles_no_reject(job: Job) -> None:
    path = day_one(job, "a")
    message = job.left()[0].to_message()
    job.house.send(message)
    assert job.plan(2) == [path]
    job.settle(job.run(2, []))
    job.close(2)
    job.house.send(message)
    assert job.plan(3) == []
    assert job.pointers() == []


def test_a_job_that_fails_leaves_the_rejects_to_the_next_run(job: Job) -> None:
    path = day_one(job, "a")
    job.plan(2)
    job.run(2, [])
    job.fail(2)
    assert job.pointers() == [path]
    job.close(2)
    assert job.plan(3) == [path]


def test_a_run_that_is_stopped_leaves_the_rejects_to_the_next_run(job: Job) -> None:
    path = day_one(job, "a")
    job.plan(2)
    failure = {"state": "Run Jobs", "error": "States.Timeout", "cause": ""}
    request = event("close_run") | {"job_id": job.job_id(2), "failure": failure}
    job.house.call("close_run", request | {"logical_date": "2026-11-02"})
    assert job.plan(3) == [path]


def test_a_job_that_does_not_say_that_it_tried_them_leaves_them_open(job: Job) -> None:
    path = day_one(job, "a")
    job.plan(2)
    job.settle(job.run(2, [], knows=False))
    job.close(2)
    assert job.plan(3) == [path]


def test_of_two_runs_at_once_one_tries_the_rejects(job: Job) -> None:
    path = day_one(job, "a")
    assert job.plan(2) == [path]
    assert job.plan(3) == []
    job.settle(job.run(3, []))
    assert [batch.taken_by for batch in job.left()] == [job.job_id(2)]
    job.settle(job.run(2, []))
    assert job.left() == []
    assert job.loaded == ["a"]


def test_a_backfill_tries_none_and_its_own_rejects_rest(job: Job) -> None:
    path = day_one(job, "a")
    assert job.plan(2, lane="backfill") == []
    job.settle(job.run(2, ["z"]))
    assert [(batch.open, batch.resting) for batch in job.left()] == [(1, 0), (0, 1)]
    job.close(2)
    assert job.plan(3) == [path]


def test_a_rerun_of_the_job_tries_them_too(job: Job) -> None:
    path = day_one(job, "a")
    job.plan(2)
    job.run(2, [])
    job.fail(2)
    job.close(2)
    assert job.plan(3, rerun_of=job.job_id(2)) == [path]


def test_a_job_that_is_left_out_leaves_its_rejects_and_their_message(job: Job) -> None:
    path = day_one(job, "a")
    job.house.apply({"JobName": job.name, "SkipFlag": True})
    job.house.apply({"JobName": "other"})
    request = {"category": job.category, "logical_date": "2026-11-02"}
    job.house.call("plan_run", event("plan_run") | {"job_id": job.job_id(2), "input": request})
    assert job.pointers() == [path]
    assert [batch.taken_by for batch in job.left()] == [""]


def test_what_rests_is_for_nobody_until_it_is_put_up(job: Job) -> None:
    job.plan(1)
    job.settle(job.run(1, [], ["a", "b"]))
    job.close(1)
    assert job.pointers() == []
    assert job.plan(2) == []
    job.settle(job.run(2, []))
    job.close(2)
    (batch,) = job.left()
    assert job.items.put_up(batch)
    assert not job.items.put_up(batch)
    job.plan(3)
    assert job.batches(3) == [{"path": batch.path, "take": "all", "rows": 2}]


def test_what_was_open_moves_on_and_what_rests_in_the_same_batch_stays(job: Job) -> None:
    job.plan(1)
    job.settle(job.run(1, ["a", "b"], ["c"]))
    job.close(1)
    job.plan(2)
    job.settle(job.run(2, []))
    job.close(2)
    (batch,) = job.left()
    assert (batch.open, batch.resting, batch.all_or_resting) == (0, 1, "resting")
    assert job.plan(3) == []


def test_what_is_dropped_is_noted_in_its_run_and_never_comes_back(job: Job) -> None:
    job.plan(1)
    request = job.run(1, ["a"])
    job.settle(request)
    (batch,) = job.left()
    assert job.items.drop(batch, {"By": "ann", "At": "now", "Reason": "test data"})
    job.settle(request)  # a repeat that comes late
    assert job.left() == []
    ((before, fate),) = job.items.of_run(job.job_id(1))
    assert (before.open, fate["What"], fate["By"]) == (1, "DROPPED", "ann")
    job.close(1)
    assert job.plan(2) == []


def test_a_late_repeat_of_settle_job_does_not_bring_closed_rejects_back(job: Job) -> None:
    job.plan(1)
    request = job.run(1, ["a"])
    job.settle(request)
    job.close(1)
    job.plan(2)
    job.settle(job.run(2, []))
    assert job.settle(request) == {"outcome": "SUCCEEDED"}
    assert job.left() == []


def test_a_job_whose_rows_do_not_add_up_fails_and_its_rejects_are_none(job: Job) -> None:
    job.plan(1)
    request = job.run(1, ["a"])
    key = f"runs/{job.job_id(1)}/jobs/{job.name}/1/result.json"
    result = json.loads(job.house.read(key)) | {"rows_written": 7}
    job.house.s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(result).encode())
    with pytest.raises(JobNotSucceededError, match="rows do not add up: 9 were read, but 7 wri"):
        job.settle(request)
    record = job.house.job(job.job_id(1), job.name)
    assert (record.outcome, record.error) == (Outcome.FAILED, "RowsDoNotAddUpError")
    assert job.left() == []


@pytest.mark.parametrize("step", ["settle 1", "plan 2", "settle 2"])
def test_no_reject_is_lost_or_doubled_after_whichever_write_a_function_dies(
    house: House, step: str
) -> None:
    for number in count(1):
        job = Job(house, f"Category_{number}")
        if not _two_days_with_a_death(job, step, number):
            break
    assert number > 5, f"{step} writes less than thought"


def _two_days_with_a_death(job: Job, deadly: str, number: int) -> bool:
    """Run two days; in one step the function dies and is called again. False if it lived."""
    died = False

    def step(name: str, call: Any, *arguments: Any) -> None:
        nonlocal died
        if name == deadly:
            try:
                with death_after(number):
                    call(*arguments)
                return
            except DiedError:
                died = True
        call(*arguments)

    job.plan(1)
    step("settle 1", job.settle, job.run(1, ["a", "b", "c"]))
    job.close(1)
    step("plan 2", job.plan, 2)
    step("settle 2", job.settle, job.run(2, ["b"], ["c"]))
    assert job.loaded == ["a"], (deadly, number)
    assert [(batch.job_id, batch.open, batch.resting) for batch in job.left()] == [
        (job.job_id(2), 1, 1)
    ]
    job.close(2)
    assert job.plan(3) == [job.left()[0].path]
    return died
