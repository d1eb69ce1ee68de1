"""The leases: of two runs for one category and logical date, only one does the work.

    LEASE               <category>#<logical date>   the run that is at it, until it is closed
    START#<category>    <scheduled time>            the run that a scheduled start has become

The second is never given back, for EventBridge may deliver a start twice, the second time long
after the first run has ended. All leases lie in one partition: they are the list of open runs.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from penstock.adapters.attribute_values import from_item, to_item
from penstock.adapters.conditional_update import update_item
from penstock.adapters.expression import Expression
from penstock.domain.instant import parse_instant, written
from penstock.domain.open_run import OpenRun

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient

LONGEST_RUN: Final = timedelta(days=14)
"""The TimeoutSeconds of the state machine: no run is at work for longer."""
A_DAY: Final = 86_400
_LEASES: Final = "LEASE"
_CONDITION_FAILED: Final = "ConditionalCheckFailedException"


class Leases:
    """Who works on what."""

    def __init__(self, client: DynamoDBClient, table: str, expires_at: Callable[[], int]) -> None:
        self._client = client
        self._table = table
        self._expires_at = expires_at

    def take(self, run: OpenRun, scheduled_time: str | None) -> str | None:
        """Take the lease; return None if it is the run's own, else the job ID of the other run."""
        if scheduled_time:
            start = to_item({"PK": f"START#{run.category}", "SK": scheduled_time})
            other = self._claim(start, run, "")
            if other:
                return other
        return self._claim(_key(run.category, run.logical_date), run, run.started_at)

    def release(self, category: str, logical_date: str, job_id: str) -> None:
        """Give the lease back, unless another run has it by now."""
        expression = Expression()
        condition = f"{expression.name('JobId')} = {expression.value(job_id)}"
        try:
            self._client.delete_item(
                TableName=self._table,
                Key=_key(category, logical_date),
                ConditionExpression=condition,
                **expression.arguments(),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != _CONDITION_FAILED:
                raise

    def open_runs(self) -> list[OpenRun]:
        """Return the runs that hold a lease, consistently read."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="PK = :leases",
            ExpressionAttributeValues={":leases": {"S": _LEASES}},
            ConsistentRead=True,
        )
        return [_open_run(from_item(dict(item))) for page in pages for item in page["Items"]]

    def _claim(self, key: dict[str, Any], run: OpenRun, started_at: str) -> str | None:
        """Write the run's name; `started_at` is given for a lease that may have lapsed."""
        expression = Expression()
        holder = expression.name("JobId")
        condition = f"attribute_not_exists({holder}) OR {holder} = {expression.value(run.job_id)}"
        changes: dict[str, Any] = {
            "JobId": run.job_id,
            "Category": run.category,
            "LogicalDate": run.logical_date,
            "ExecutionArn": run.execution_arn,
            "StartedAt": run.started_at,
            "Lane": run.lane,
            "ExpiresAt": self._expires_at(),
        }
        if started_at:
            lapsed = f"{expression.name('LeaseUntil')} < {expression.value(started_at)}"
            condition += f" OR {lapsed}"
            until_when = parse_instant(started_at) + LONGEST_RUN
            changes["LeaseUntil"] = written(until_when)
            changes["ExpiresAt"] = max(self._expires_at(), int(until_when.timestamp()) + A_DAY)
        update = f"SET {expression.assignments(changes)}"
        updated = update_item(self._client, self._table, key, expression, update, condition)
        return None if updated.done else str(from_item(updated.item)["JobId"])


def _key(category: str, logical_date: str) -> dict[str, Any]:
    return to_item({"PK": _LEASES, "SK": f"{category}#{logical_date}"})


def _open_run(item: dict[str, Any]) -> OpenRun:
    return OpenRun(
        job_id=item["JobId"],
        category=item["Category"],
        logical_date=item["LogicalDate"],
        execution_arn=item["ExecutionArn"],
        started_at=item["StartedAt"],
        lane=item.get("Lane", ""),
    )
