"""The control table: one row per job, and the calendars that run conditions except."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from penstock.adapters.attribute_values import from_item, to_item
from penstock.adapters.batches import get_all
from penstock.adapters.conditional_update import update_item
from penstock.adapters.expression import Expression
from penstock.domain.control_fields import DECLARED
from penstock.domain.control_row import item_of
from penstock.domain.instant import parse_day
from penstock.domain.lane import Lane

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from mypy_boto3_dynamodb import DynamoDBClient

    from penstock.domain.job_record import JobRecord
    from penstock.domain.waiter import Waiter

CATEGORY_INDEX: Final = "JobCategory-index"
CALENDAR: Final = "CALENDAR#"
"""Rows named so hold a calendar: its days in `Dates`, a list of texts like 2026-12-25."""


class ControlTable:
    """The rows that people write, and the few fields that Penstock records in them."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def rows_of_category(self, category: str) -> Iterator[dict[str, Any]]:
        """Yield the rows of a category as the index holds them, one page in memory at a time."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=CATEGORY_INDEX,
            KeyConditionExpression="JobCategory = :category",
            ExpressionAttributeValues={":category": {"S": category}},
        )
        for page in pages:
            yield from (from_item(dict(item)) for item in page["Items"])

    def rows(self) -> list[dict[str, Any]]:
        """Return all rows that hold a job, in no order."""
        pages = self._client.get_paginator("scan").paginate(TableName=self._table)
        rows = [from_item(dict(item)) for page in pages for item in page["Items"]]
        return [row for row in rows if not row["JobName"].startswith(CALENDAR)]

    def rows_named(self, names: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return those of the rows that exist, by job name, consistently read."""
        keys = [_key(name) for name in sorted(set(names))]
        found = map(from_item, get_all(self._client, self._table, keys))
        return {row["JobName"]: row for row in found}

    def calendars(self, names: Iterable[str]) -> dict[str, frozenset[date]]:
        """Return those of the calendars that exist; raise ValueError for a date that is none."""
        keys = [{"JobName": {"S": f"{CALENDAR}{name}"}} for name in sorted(set(names))]
        found = map(from_item, get_all(self._client, self._table, keys))
        return {
            row["JobName"].removeprefix(CALENDAR): frozenset(map(parse_day, row.get("Dates", ())))
            for row in found
        }

    def apply(self, attributes: Mapping[str, Any]) -> None:
        """Make the declared fields of a row as given; what Penstock recorded in it stays."""
        item = item_of(attributes)
        name = item.pop("JobName")
        expression = Expression()
        update = f"SET {expression.assignments(item)}"
        gone = [field for field in DECLARED if field not in item and field != "JobName"]
        if gone:
            update += f" REMOVE {', '.join(expression.name(field) for field in gone)}"
        update_item(self._client, self._table, _key(name), expression, update)

    def delete(self, job_name: str) -> None:
        """Remove the row of a job."""
        self._client.delete_item(TableName=self._table, Key=_key(job_name))

    def record(self, job: JobRecord) -> frozenset[str]:
        """Record the last outcome in the row, unless a later run has or the row is gone.

        A backfill leaves the row as it is. Returns who waits on the job: see `add_waiter`.
        """
        if job.lane == Lane.BACKFILL:
            return self._waiters(job.job_name)
        expression = Expression()
        last_job_id = expression.name("LastJobId")
        changes = {
            "StatusFlag": str(job.state),
            "LastRunTimestamp": job.ended_at,
            "LastJobId": job.job_id,
            "LastSeconds": job.seconds if job.started_at else None,
            "FailuresInARow": job.failures_in_a_row,
            "Recent": job.grown_history.to_text() or None,
        }
        condition = (
            f"attribute_exists({expression.name('JobName')}) AND "
            f"(attribute_not_exists({last_job_id}) OR {last_job_id} <= "
            f"{expression.value(job.job_id)})"
        )
        update = f"SET {expression.assignments(changes)}"
        key = _key(job.job_name)
        updated = update_item(self._client, self._table, key, expression, update, condition)
        return frozenset(from_item(updated.item).get("Waiters", ()))

    def add_waiter(self, job_name: str, waiter: Waiter) -> None:
        """Note in the row of a job who waits for it; whoever records its end is told."""
        self._change_waiters("ADD", job_name, {waiter.to_text()})

    def remove_waiters(self, job_name: str, waiters: Iterable[Waiter]) -> None:
        """Forget who has been told."""
        told = {waiter.to_text() for waiter in waiters}
        if told:
            self._change_waiters("DELETE", job_name, told)

    def _change_waiters(self, action: str, job_name: str, waiters: set[str]) -> None:
        expression = Expression()
        update = f"{action} {expression.name('Waiters')} {expression.value(waiters)}"
        condition = f"attribute_exists({expression.name('JobName')})"
        update_item(self._client, self._table, _key(job_name), expression, update, condition)

    def _waiters(self, job_name: str) -> frozenset[str]:
        answer = self._client.get_item(
            TableName=self._table, Key=_key(job_name), ConsistentRead=True
        )
        return frozenset(from_item(dict(answer.get("Item", {}))).get("Waiters", ()))


def _key(job_name: str) -> dict[str, Any]:
    return to_item({"JobName": job_name})
