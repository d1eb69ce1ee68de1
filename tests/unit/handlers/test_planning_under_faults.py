"""Plan Run may die after any of its writes: the repeat leaves what an undisturbed call leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.client import BaseClient
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sqs import sqs_backends
from tests.unit.conftest import BUCKET, RUN_TABLE
from tests.unit.handlers.conftest import House

WRITES = frozenset(
    {
        "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems", "PutObject",
        "SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch",
    }
)  # fmt: skip
FIRST, SECOND = "20261121T050000Z-1", "20261121T060000Z-2"


class DiedError(BaseException):
    """The end of an invocation after one of its writes."""


class Reaper:
    """Lets a call end after its nth write."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at, self.writes = -1, 0
        call = BaseClient._make_api_call  # type: ignore[attr-defined]

        def counted(client: Any, operation: str, request: Any) -> Any:
            answer = call(client, operation, request)
            if operation in WRITES:
                self.writes += 1
                if self.writes == self.at:
                    raise DiedError
            return answer

        monkeypatch.setattr(BaseClient, "_make_api_call", counted)


@pytest.fixture
def reaper(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reaper]:
    monkeypatch.setattr("penstock.handlers.parts.FEW", 1_000)  # no threads: one order of writes
    return Reaper(monkeypatch)


def request(**stated: Any) -> dict[str, Any]:
    return {
        "job_id": FIRST,
        "execution_arn": "arn:execution",
        "started_at": "2026-11-21T05:00:00.000Z",
        "input": {"category": "Daily_Covid", "logical_date": "2026-11-21", **stated},
    }


def furnish(house: House) -> None:
    """Rows of every kind, and a message of a job that has failed before."""
    for table, keys in ((RUN_TABLE, ("PK", "SK")), ("control", ("JobName",))):
        for item in house.dynamodb.scan(TableName=table)["Items"]:
            house.dynamodb.delete_item(TableName=table, Key={key: item[key] for key in keys})
    for found in house.s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        house.s3.delete_object(Bucket=BUCKET, Key=found["Key"])
    kept_messages().clear()  # the API purges once a minute only
    house.apply(
        {"JobName": "base", "JobCategory": "Base"},
        {"JobName": "a"},
        {"JobName": "b", "DependsOn": ["a", "base"]},
        {"JobName": "weekly", "RunCondition": "MONDAY"},
    )
    house.dynamodb.put_item(  # as by hand: `apply` would refuse it
        TableName="control",
        Item={
            name: {"S": value}
            for name, value in {
                "JobName": "bad", "JobCategory": "Daily_Covid", "JobType": "python_shell",
                "Target": "x", "RunCondition": "SOMEDAY",
            }.items()
        },
    )  # fmt: skip
    house.send(
        {"kind": "job", "category": "Daily_Covid", "job_name": "weekly", "job_id": "2026-0",
         "logical_date": "2026-11-20", "times": 1}
    )  # fmt: skip


def state(house: House) -> Any:
    """All that is kept, without what is a matter of chance."""
    chance = ("ExpiresAt",)
    tables = [
        sorted(
            json.dumps({k: v for k, v in item.items() if k not in chance}, sort_keys=True)
            for item in house.dynamodb.scan(TableName=table)["Items"]
        )
        for table in (RUN_TABLE, "control")
    ]
    files = house.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    messages = {(m["job_name"], m["job_id"]) for m in house.messages()}
    return tables, sorted((f["Key"], house.read(f["Key"])) for f in files), messages


def test_a_lambda_killed_after_any_write_is_made_good_by_its_repeat(
    house: House, reaper: Reaper
) -> None:
    furnish(house)
    house.call("plan_run", request())
    expected = state(house)
    assert expected[2] == {("bad", FIRST)}
    deaths = 0
    while True:
        furnish(house)
        reaper.at, reaper.writes = deaths + 1, 0
        try:
            house.call("plan_run", request())
            break
        except DiedError:
            deaths += 1
        reaper.at = -1
        for message in hidden():
            house.sqs.change_message_visibility(
                QueueUrl=house.queue_url, ReceiptHandle=message, VisibilityTimeout=0
            )
        house.call("plan_run", request())
        assert state(house) == expected, f"killed after write {deaths}"
    assert deaths >= 8


def kept_messages() -> Any:
    """Return the messages of the error queue, as moto keeps them."""
    backend = sqs_backends[DEFAULT_ACCOUNT_ID]["eu-central-1"]
    return next(queue for queue in backend.queues.values() if queue.name == "errors")._messages


def hidden() -> list[str]:
    """Return the receipts of hidden messages, whose time is taken to be up."""
    return [message.receipt_handle for message in kept_messages() if message.receipt_handle]


def test_a_second_run_for_the_day_does_nothing_while_the_first_is_open(house: House) -> None:
    furnish(house)
    house.call("plan_run", request())
    before = {job.job_name: job.state for job in house.runs.jobs_of(FIRST)}
    answer = house.call("plan_run", request() | {"job_id": SECOND})
    assert (answer["duplicate_of"], answer["counts"]["planned"]) == (FIRST, 0)
    assert house.runs.jobs_of(SECOND) == []
    record = house.runs.run(SECOND)
    assert record is not None
    assert record.duplicate_of == FIRST
    assert {job.job_name: job.state for job in house.runs.jobs_of(FIRST)} == before
