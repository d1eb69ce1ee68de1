"""The rejects that are not done with, and what became of those that are.

REJECTS#<category>   <job>#<job id>#<attempt>     a batch that is open or rests; never expires
RUN#<job id>         REJECTS#<job>#<attempt>      that the batch was there, and its fate
REJECTS              <category>                   the categories that have ever had rejects

A batch is put together with its note in the run, and only if that is not there. So whoever says
again that a job has ended, however late, never brings back what is done with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from penstock.adapters.attribute_values import from_item, to_item
from penstock.adapters.conditional_update import Updated, update_item
from penstock.adapters.expression import Expression
from penstock.adapters.job_item import run_key
from penstock.adapters.transaction import write_all
from penstock.domain.reject_batch import RESTING, RejectBatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient

_BATCH: Final = {
    "category": "Category",
    "job_name": "JobName",
    "job_id": "JobId",
    "attempt": "Attempt",
    "logical_date": "LogicalDate",
    "path": "Path",
    "open": "Open",
    "resting": "Resting",
    "by_rule": "ByRule",
    "recorded_at": "RecordedAt",
    "take": "Take",
    "is_tried": "IsTried",
    "taken_by": "TakenBy",
    "version": "Version",
}
_CATEGORIES: Final = "REJECTS"


class RejectItems:
    """Batches of rejects (`RejectStore`, `RejectBook`, and for people)."""

    def __init__(self, client: DynamoDBClient, table: str, expires_at: Callable[[], int]) -> None:
        self._client = client
        self._table = table
        self._expires_at = expires_at

    def record(self, batch: RejectBatch) -> None:
        """Keep a batch, unless it was ever kept before."""
        marker = to_item({"PK": _CATEGORIES, "SK": batch.category})
        self._client.put_item(TableName=self._table, Item=marker)
        values = {attribute: getattr(batch, name) for name, attribute in _BATCH.items()}
        values["TakenBy"] = batch.taken_by or None
        note = values | {"ExpiresAt": self._expires_at()}
        write_all(
            self._client,
            [self._put(_batch_key(batch) | to_item(values)),
             self._put(_note_key(batch) | to_item(note))],
        )  # fmt: skip

    def categories(self) -> list[str]:
        """Return the categories that have ever had rejects."""
        return [item["SK"] for item in self._query(_CATEGORIES)]

    def of_category(self, category: str) -> list[RejectBatch]:
        """Return the batches of a category that are open or rest, by job, the oldest first."""
        return [_batch_of(item) for item in self._query(f"REJECTS#{category}")]

    def of_job(self, category: str, job_name: str) -> list[RejectBatch]:
        """Return the batches of a job that are open or rest, the oldest first."""
        return [_batch_of(item) for item in self._query(f"REJECTS#{category}", f"{job_name}#")]

    def of_run(self, job_id: str) -> list[tuple[RejectBatch, dict[str, Any]]]:
        """Return every batch that a run has left, as it was then, with its fate, if it has one."""
        items = self._query(run_key(job_id), "REJECTS#")
        return [(_batch_of(item), item.get("Fate", {})) for item in items]

    def take(self, batch: RejectBatch, job_id: str) -> bool:
        """Take a batch for a run; false if it has changed since it was read."""
        if batch.taken_by == job_id:
            return True
        expression = Expression()
        changes = {"TakenBy": job_id, "Version": batch.version + 1}
        update = f"SET {expression.assignments(changes)}"
        taken = self._update(batch, expression, update, _is_version(batch, expression))
        return taken.done or from_item(taken.item).get("TakenBy") == job_id

    def give_back(self, batch: RejectBatch, job_id: str) -> None:
        """Leave a batch that this run had taken to another run."""
        expression = Expression()
        update = f"SET {expression.assignments({'Version': batch.version + 1})}"
        update += f" REMOVE {expression.name('TakenBy')}"
        self._update(batch, expression, update, _is_taken_by(job_id, expression))

    def close(self, batch: RejectBatch, job_id: str, now: str) -> None:
        """Note that this run has tried a batch that it had taken; what rests in it stays."""
        if not batch.resting:
            self._end(batch, {"What": "RETRIED", "By": job_id, "At": now}, job_id)
            return
        expression = Expression()
        changes = {"Open": 0, "IsTried": True, "Take": RESTING, "Version": batch.version + 1}
        update = f"SET {expression.assignments(changes)} REMOVE {expression.name('TakenBy')}"
        self._update(batch, expression, update, _is_taken_by(job_id, expression))

    def put_up(self, batch: RejectBatch) -> bool:
        """Have the next run try all that is left of a batch; false if it has changed meanwhile."""
        expression = Expression()
        changes = {
            "Take": batch.all_or_resting,
            "Open": batch.open + batch.resting,
            "Resting": 0,
            "Version": batch.version + 1,
        }
        update = f"SET {expression.assignments(changes)} REMOVE {expression.name('TakenBy')}"
        return self._update(batch, expression, update, _is_version(batch, expression)).done

    def drop(self, batch: RejectBatch, fate: dict[str, Any]) -> bool:
        """Give up a batch, and say so in its run; false if it has changed meanwhile."""
        return self._end(batch, {"What": "DROPPED", **fate})

    def _end(self, batch: RejectBatch, fate: dict[str, Any], job_id: str = "") -> bool:
        gone, told = Expression(), Expression()
        key = _batch_key(batch)
        condition = _is_taken_by(job_id, gone) if job_id else _is_version(batch, gone)
        delete = {"TableName": self._table, "Key": key, "ConditionExpression": condition}
        # The note may have expired; then it is written anew, whole.
        values = {attribute: getattr(batch, name) for name, attribute in _BATCH.items()}
        values |= {"TakenBy": None, "Fate": fate, "ExpiresAt": self._expires_at()}
        note = {"TableName": self._table, "Key": _note_key(batch)}
        note |= {"UpdateExpression": f"SET {told.assignments(values)}"}
        return write_all(
            self._client,
            [{"Delete": delete | gone.arguments()}, {"Update": note | told.arguments()}],
        )

    def _put(self, item: dict[str, Any]) -> dict[str, Any]:
        condition = "attribute_not_exists(PK)"
        return {"Put": {"TableName": self._table, "Item": item, "ConditionExpression": condition}}

    def _update(
        self, batch: RejectBatch, expression: Expression, update: str, condition: str
    ) -> Updated:
        key = _batch_key(batch)
        return update_item(self._client, self._table, key, expression, update, condition)

    def _query(self, partition: str, prefix: str = "") -> list[dict[str, Any]]:
        values: dict[str, Any] = {":key": {"S": partition}}
        condition = "PK = :key"
        if prefix:
            condition += " AND begins_with(SK, :prefix)"
            values[":prefix"] = {"S": prefix}
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            ConsistentRead=True,
        )
        return [from_item(dict(item)) for page in pages for item in page["Items"]]


def _batch_key(batch: RejectBatch) -> dict[str, Any]:
    order = f"{batch.job_name}#{batch.job_id}#{batch.attempt:04d}"
    return to_item({"PK": f"REJECTS#{batch.category}", "SK": order})


def _note_key(batch: RejectBatch) -> dict[str, Any]:
    sort = f"REJECTS#{batch.job_name}#{batch.attempt:04d}"
    return to_item({"PK": run_key(batch.job_id), "SK": sort})


def _is_version(batch: RejectBatch, expression: Expression) -> str:
    return f"{expression.name('Version')} = {expression.value(batch.version)}"


def _is_taken_by(job_id: str, expression: Expression) -> str:
    return f"{expression.name('TakenBy')} = {expression.value(job_id)}"


def _batch_of(item: dict[str, Any]) -> RejectBatch:
    known = {name: item[attribute] for name, attribute in _BATCH.items() if attribute in item}
    return RejectBatch(**known)
