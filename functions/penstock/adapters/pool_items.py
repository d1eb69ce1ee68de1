"""The pools and their queues as items of the run table.

    POOL#<name>   POOL                                                limit, holders, counters
    POOL#<name>   QUEUE#<falling priority>#<job id>#<name>#<attempt>  a job in the pool's queue

A pool without an item has the default limit. Only `Limit` is for people to set, at any time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.adapters.attribute_values import from_item, to_item
from penstock.adapters.batches import put_all
from penstock.adapters.conditional_update import Updated, update_item
from penstock.adapters.expression import Expression
from penstock.domain.control_row import HIGHEST_PRIORITY
from penstock.domain.job_record import JobKey
from penstock.domain.pool import PoolView, QueueEntry, default_limit
from penstock.domain.turn_store import Joined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient


class PoolItems:
    """The pools of the run table (`penstock.domain.turn_store.PoolStore`)."""

    def __init__(
        self, client: DynamoDBClient, table: str, default_limit: int, expires_at: Callable[[], int]
    ) -> None:
        self._client = client
        self._table = table
        self._default_limit = default_limit
        self._expires_at = expires_at

    def pool(self, name: str) -> PoolView:
        """Return the pool as it is now."""
        answer = self._client.get_item(
            TableName=self._table, Key=_pool_key(name), ConsistentRead=True
        )
        return self._view(name, answer.get("Item", {}))

    def join(self, name: str, holder: str) -> Joined:
        """Take a free slot unless somebody is queued; true also for who holds one already."""
        expression = Expression()
        enqueued, drained = expression.name("Enqueued"), expression.name("Drained")
        nobody_queued = f"(attribute_not_exists({enqueued}) OR {enqueued} <= {drained})"
        holds, has_room = _holds(holder, expression), self._has_room(name, expression)
        updated = self._join(
            name, holder, expression, f"{holds} OR ({nobody_queued} AND {has_room})"
        )
        return Joined(self._view(name, updated.item), updated.done)

    def join_from_queue(self, name: str, holder: str) -> Joined:
        """Take a free slot; not done if all are taken or the holder holds one already.

        After a retry by the SDK the holder may hold it by the first, lost request. Waking the job
        twice does no harm, not waking it would, so that counts as done.
        """
        expression = Expression()
        holds, has_room = _holds(holder, expression), self._has_room(name, expression)
        updated = self._join(name, holder, expression, f"(NOT {holds}) AND {has_room}")
        view = self._view(name, updated.item)
        return Joined(view, updated.done or (updated.was_retried and holder in view.holders))

    def leave(self, name: str, holder: str) -> PoolView:
        """Give the slot back, if held."""
        expression = Expression()
        update = f"DELETE {expression.name('Holders')} {expression.value({holder})}"
        return self._update(name, expression, update)

    def announce(self, name: str) -> PoolView:
        """Count that the queue has grown. To be called after enqueue, never before."""
        expression = Expression()
        update = f"ADD {expression.name('Enqueued')} {expression.value(1)}"
        return self._update(name, expression, update)

    def mark_drained(self, name: str, enqueued: int) -> None:
        """Note that the queue was seen empty after so many announcements."""
        expression = Expression()
        drained, count = expression.name("Drained"), expression.value(enqueued)
        condition = f"attribute_not_exists({drained}) OR {drained} < {count}"
        update_item(
            self._client, self._table, _pool_key(name), expression,
            f"SET {drained} = {count}", condition,
        )  # fmt: skip

    def enqueue(self, entries: Sequence[QueueEntry]) -> None:
        """Put jobs into the queue (one request per 25 jobs)."""
        expires_at = self._expires_at()
        items = [
            _entry_key(entry)
            | to_item(
                {
                    "JobId": entry.key.job_id,
                    "JobName": entry.key.job_name,
                    "Attempt": entry.key.attempt,
                    "Priority": entry.priority,
                    "ExpiresAt": expires_at,
                }
            )
            for entry in entries
        ]
        put_all(self._client, self._table, items)

    def queue(self, name: str, page: int) -> Iterator[QueueEntry]:
        """Yield the queue in order, in requests of this many entries, each a consistent read."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="PK = :pool AND begins_with(SK, :queue)",
            ExpressionAttributeValues={":pool": {"S": f"POOL#{name}"}, ":queue": {"S": "QUEUE#"}},
            ConsistentRead=True,
            PaginationConfig={"PageSize": page},
        )
        for answer in pages:
            for item in answer["Items"]:
                entry = from_item(dict(item))
                key = JobKey(entry["JobId"], entry["JobName"], entry["Attempt"])
                yield QueueEntry(name, entry["Priority"], key)

    def dequeue(self, entry: QueueEntry) -> None:
        """Take a job out of the queue, if it is there."""
        self._client.delete_item(TableName=self._table, Key=_entry_key(entry))

    def _join(self, name: str, holder: str, expression: Expression, condition: str) -> Updated:
        update = f"ADD {expression.name('Holders')} {expression.value({holder})}"
        return update_item(
            self._client, self._table, _pool_key(name), expression, update, condition
        )

    def _update(self, name: str, expression: Expression, update: str) -> PoolView:
        updated = update_item(self._client, self._table, _pool_key(name), expression, update)
        return self._view(name, updated.item)

    def _has_room(self, name: str, expression: Expression) -> str:
        """Return the condition that a slot is free. No attribute is measured that is absent."""
        limit, holders = expression.name("Limit"), expression.name("Holders")
        none = expression.value(0)
        default = expression.value(default_limit(name, self._default_limit))
        nobody, somebody = f"attribute_not_exists({holders})", f"attribute_exists({holders})"
        own, no_own = f"attribute_exists({limit})", f"attribute_not_exists({limit})"
        return (
            f"(({own} AND {nobody} AND {limit} > {none})"
            f" OR ({own} AND {somebody} AND size({holders}) < {limit})"
            f" OR ({no_own} AND {nobody})"
            f" OR ({no_own} AND {somebody} AND size({holders}) < {default}))"
        )

    def _view(self, name: str, item: dict[str, Any]) -> PoolView:
        values = from_item(item)
        return PoolView(
            name=name,
            limit=values.get("Limit", default_limit(name, self._default_limit)),
            holders=frozenset(values.get("Holders", ())),
            enqueued=values.get("Enqueued", 0),
            drained=values.get("Drained", 0),
        )


def _holds(holder: str, expression: Expression) -> str:
    return f"contains({expression.name('Holders')}, {expression.value(holder)})"


def _pool_key(name: str) -> dict[str, Any]:
    return {"PK": {"S": f"POOL#{name}"}, "SK": {"S": "POOL"}}


def _entry_key(entry: QueueEntry) -> dict[str, Any]:
    job_id, job_name, attempt = entry.key
    rank = HIGHEST_PRIORITY - entry.priority
    sort_key = f"QUEUE#{rank:09d}#{job_id}#{job_name}#{attempt}"
    return {"PK": {"S": f"POOL#{entry.pool}"}, "SK": {"S": sort_key}}
