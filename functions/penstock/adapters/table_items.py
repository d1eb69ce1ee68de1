"""The tables of extract runs, and how far each table has been extracted.

RUN#<job id>         TABLE#<source>/<table>   how the extract of the table went in this run
WATERMARK#<source>   <table>                  the last committed watermark and its run
FAILED#<source>      <table>                  the run in which it failed, until one succeeds
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from penstock.adapters.attribute_values import from_item, to_item
from penstock.adapters.batches import get_all, put_all
from penstock.adapters.conditional_update import CONDITION_FAILED, update_item
from penstock.adapters.expression import Expression
from penstock.adapters.job_item import run_key
from penstock.domain.extract_rerun import PlannedTable
from penstock.domain.table_report import FAILED, TableRejects, TableReport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

    from penstock.domain.job_record import JobKey


PLANNED = "PLANNED"


class TableItems:
    """Extracts by table: what people look up, and what the next extract begins with."""

    def __init__(self, client: DynamoDBClient, table: str, expires_at: Callable[[], int]) -> None:
        self._client = client
        self._table = table
        self._expires_at = expires_at

    def plan(self, job_id: str, tables: Iterable[tuple[str, str]]) -> None:
        """Note which job of the run extracts which table (pairs of table key and job name)."""
        expires_at = self._expires_at()
        items = [
            to_item(
                {
                    "PK": run_key(job_id),
                    "SK": f"TABLE#{key}",
                    "JobName": job_name,
                    "Status": PLANNED,
                    "ExpiresAt": expires_at,
                }
            )
            for key, job_name in tables
        ]
        put_all(self._client, self._table, items)

    def record(self, job: JobKey, report: TableReport, now: str) -> None:
        """Write how the extract of a table went; writing it again changes nothing."""
        key = to_item({"PK": run_key(job.job_id), "SK": f"TABLE#{report.source}/{report.table}"})
        expression = Expression()
        changes = {
            "JobName": job.job_name,
            "Attempt": job.attempt,
            "Status": report.outcome,
            "Rows": report.rows,
            "Bytes": report.bytes,
            "Seconds": report.seconds,
            "WatermarkBefore": report.watermark_before,
            "Watermark": report.watermark,
            "Error": report.error,
            "Notes": list(report.notes),
            "Rejected": report.rejected,
            "Rejects": report.rejects,
            "EndedAt": now,
            "ExpiresAt": self._expires_at(),
        }
        update = f"SET {expression.assignments(changes)}"
        update_item(self._client, self._table, key, expression, update)

    def unreported(self, job: JobKey) -> list[TableReport]:
        """Return the tables that the job was to extract and that still are planned, as failed."""
        found = [
            item["SK"].removeprefix("TABLE#").partition("/")
            for item in self._of_run(job.job_id)
            if item["JobName"] == job.job_name and item["Status"] == PLANNED
        ]
        return [TableReport(source, table, FAILED) for source, _, table in found]

    def remember_failure(self, job_id: str, report: TableReport, now: str) -> None:
        """Have a table extracted by the next run, too."""
        expression = Expression()
        changes = {"JobId": job_id, "Error": report.error, "FailedAt": now}
        update = f"SET {expression.assignments(changes)}"
        key = _failure_key(report.source, report.table)
        update_item(self._client, self._table, key, expression, update)

    def forget_failure(self, job_id: str, report: TableReport) -> None:
        """Forget the failure of a table unless it has failed in a later run."""
        try:
            self._client.delete_item(
                TableName=self._table,
                Key=_failure_key(report.source, report.table),
                ConditionExpression="attribute_not_exists(JobId) OR JobId <= :run",
                ExpressionAttributeValues={":run": {"S": job_id}},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != CONDITION_FAILED:
                raise

    def failed(self, tables: Sequence[tuple[str, str]]) -> set[str]:
        """Return which of some tables (pairs of source and name) failed last time, by key."""
        keys = [_failure_key(source, table) for source, table in tables]
        found = [from_item(item) for item in get_all(self._client, self._table, keys)]
        return {f"{item['PK'].removeprefix('FAILED#')}/{item['SK']}" for item in found}

    def statuses(self, job_id: str) -> dict[str, str]:
        """Return how the extracts of a run stand, by table key."""
        return {item["SK"].removeprefix("TABLE#"): item["Status"] for item in self._of_run(job_id)}

    def of_run(self, job_id: str) -> dict[str, PlannedTable]:
        """Return the tables of a run, by table key."""
        return {
            item["SK"].removeprefix("TABLE#"): PlannedTable(item["JobName"], item["Status"])
            for item in self._of_run(job_id)
        }

    def rejects(self, job_id: str) -> list[TableRejects]:
        """Return what a run has rejected of its tables."""
        return [
            TableRejects(
                item["SK"].removeprefix("TABLE#"),
                item["JobName"],
                int(item["Rejected"]),
                item.get("Rejects") or "",
            )
            for item in self._of_run(job_id)
            if item.get("Rejected")
        ]

    def _of_run(self, job_id: str) -> list[dict[str, Any]]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="PK = :run AND begins_with(SK, :table)",
            ExpressionAttributeValues={":run": {"S": run_key(job_id)}, ":table": {"S": "TABLE#"}},
            ConsistentRead=True,
        )
        return [from_item(dict(item)) for page in pages for item in page["Items"]]

    def watermarks(self, tables: Sequence[tuple[str, str]]) -> dict[str, Any]:
        """Return the committed watermarks of some tables (pairs of source and name), by key."""
        keys = [_watermark_key(source, table) for source, table in tables]
        found = [from_item(item) for item in get_all(self._client, self._table, keys)]
        return {
            f"{item['PK'].removeprefix('WATERMARK#')}/{item['SK']}": json.loads(item["Value"])
            for item in found
        }

    def commit_watermark(self, job_id: str, report: TableReport, now: str) -> bool:
        """Move a table's watermark on from where this extract began; tell whether it stands there.

        It moves only if it still is what the extract has read from, so of two extracts side by
        side the second to end leaves it alone, and it never goes back. Committing again is done.
        """
        expression = Expression()
        stands = expression.name("Value")
        after = expression.value(report.watermark)
        condition = f"{stands} = {after} OR "
        if report.watermark_before is None:
            condition += f"attribute_not_exists({stands})"
        else:
            condition += f"{stands} = {expression.value(report.watermark_before)}"
        changes = {"Value": report.watermark, "JobId": job_id, "CommittedAt": now}
        update = f"SET {expression.assignments(changes)}"
        key = _watermark_key(report.source, report.table)
        return update_item(self._client, self._table, key, expression, update, condition).done


def _failure_key(source: str, table: str) -> dict[str, Any]:
    return to_item({"PK": f"FAILED#{source}", "SK": table})


def _watermark_key(source: str, table: str) -> dict[str, Any]:
    return to_item({"PK": f"WATERMARK#{source}", "SK": table})
