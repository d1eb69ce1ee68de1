"""Puts many items to a DynamoDB table: in batches, in parallel, again where it was too much.

A put replaces the whole item under its key, so loading the same data twice leaves the same table.
"""

from __future__ import annotations

import json
import logging
import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import boto3

from penstock_job.errors import LoadError
from penstock_job.signed_endpoint import SignedEndpoint, UnansweredError

logger = logging.getLogger(__name__)
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
BATCH_ITEMS = 25
BATCH_BYTES = 16 * 1024 * 1024 - 4096  # of the request, what is around the items among them
THREADS = 16
BATCHES_PER_TASK = 8
WAITING_BYTES = 16 * 1024 * 1024
FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 5.0
PATIENCE_SECONDS = 300.0
PROGRESS_SECONDS = 5.0
FUTILE_REFUSALS = 1000
SERVER_FAULT = 500
OK = 200
REFUSALS = {"ValidationException", "ItemCollectionSizeLimitExceededException"}
THROTTLED = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
}

Item = tuple[int, bytes]  # the number of its record, its put request
Batch = list[Item]


@dataclass(frozen=True)
class Refused:
    """An item that DynamoDB does not take: its number and DynamoDB's reason."""

    number: int
    reason: str


@dataclass
class Puts:
    """What was put. `requests` are all that were sent, `retries` those sent again.

    Without retries and refusals there is one request for 25 items.
    """

    items: int = 0
    requests: int = 0
    retries: int = 0
    bytes: int = 0
    refused: list[Refused] = field(default_factory=list)

    def add(self, other: Puts) -> None:
        """Count the puts of another, too."""
        self.items += other.items
        self.requests += other.requests
        self.retries += other.retries
        self.bytes += other.bytes
        self.refused += other.refused


class DynamoDbWriter:
    """Writes to one table. `allowed` is asked before each request, and raises to end the load."""

    def __init__(
        self,
        table: str,
        endpoint: SignedEndpoint | None = None,
        *,
        allowed: Callable[[], None] = lambda: None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.table = table
        self._endpoint = endpoint or SignedEndpoint(
            "dynamodb", "DynamoDB_20120810", boto3.Session()
        )
        self._opening = f'{{"RequestItems":{{{json.dumps(table)}:['.encode()
        self._allowed = allowed
        self._sleep = sleep
        self._clock = clock

    def put(self, items: Iterable[Item], expected: int, most_refused: int | None = None) -> Puts:
        """Put all items, which must differ in their keys; `expected` is their number.

        Ends early once more than `most_refused` are refused. Raises LoadError when the table takes
        nothing for minutes, or refuses everything.
        """
        total, progress = Puts(), _Progress(self.table, expected, self._clock)
        waiting: deque[tuple[int, Future[Puts]]] = deque()
        waiting_bytes = 0
        with closing(self._endpoint), ThreadPoolExecutor(THREADS) as pool:
            try:
                for task in _tasks(_batches(items)):
                    size = sum(len(body) for batch in task for _, body in batch)
                    waiting.append((size, pool.submit(self._put_task, task)))
                    waiting_bytes += size
                    # No more at a time than the threads need: else all items would be in memory.
                    while len(waiting) > 2 * THREADS or waiting_bytes > WAITING_BYTES:
                        waiting_bytes -= self._harvest(waiting, total, progress)
                    if most_refused is not None and len(total.refused) > most_refused:
                        break
                while waiting:
                    self._harvest(waiting, total, progress)
            finally:
                for _, future in waiting:
                    future.cancel()
        progress.end(total)
        return total

    def _harvest(
        self, waiting: deque[tuple[int, Future[Puts]]], total: Puts, progress: _Progress
    ) -> int:
        size, future = waiting.popleft()
        while not wait([future], PROGRESS_SECONDS).done:
            progress.say(total)  # a table that takes nothing is told of, too
        total.add(future.result())
        progress.say(total)
        if total.items == 0 and len(total.refused) >= FUTILE_REFUSALS:
            raise LoadError(
                f"DynamoDB table {self.table} refuses every item: {total.refused[0].reason}"
            )
        return size

    def _put_task(self, task: Sequence[Batch]) -> Puts:
        done = Puts()
        for batch in task:
            self._put_batch(batch, done)
        return done

    def _put_batch(self, batch: Batch, done: Puts) -> None:
        requests = [body for _, body in batch]
        attempt, progressed_at = 0, self._clock()
        while requests:
            answer = self._post(requests, done)
            if answer.error in REFUSALS:
                self._bisect(batch, answer.reason, done)
                return
            left = requests if answer.error else answer.unprocessed(self.table)
            if len(left) < len(requests):
                attempt, progressed_at = 0, self._clock()
            elif self._clock() - progressed_at > PATIENCE_SECONDS:
                raise LoadError(
                    f"DynamoDB table {self.table} has taken none of {len(left)} items for "
                    f"{PATIENCE_SECONDS:.0f} s: {answer.reason or 'unprocessed every time'}"
                )
            requests = left
            if requests:
                attempt += 1
                done.retries += 1
                pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(attempt, 10))
                self._sleep(random.uniform(0, pause))  # noqa: S311 - jitter, not a secret
        done.items += len(batch)

    def _bisect(self, batch: Batch, reason: str, done: Puts) -> None:
        # One bad item makes DynamoDB refuse its whole batch.
        if len(batch) == 1:
            done.refused.append(Refused(batch[0][0], reason))
            return
        middle = len(batch) // 2
        self._put_batch(batch[:middle], done)
        self._put_batch(batch[middle:], done)

    def _post(self, requests: Sequence[bytes], done: Puts) -> Answer:
        self._allowed()
        body = b"%b%b]}}" % (self._opening, b",".join(requests))
        done.requests += 1
        done.bytes += len(body)
        try:
            status, content = self._endpoint.post("BatchWriteItem", body)
        except UnansweredError as error:
            return Answer("UnansweredError", str(error), {})
        return _read_answer(self.table, status, content)


@dataclass(frozen=True)
class Answer:
    """What DynamoDB says to a batch: an error that is worth another attempt, or its content."""

    error: str | None
    reason: str
    content: dict[str, Any]

    def unprocessed(self, table: str) -> list[bytes]:
        """The requests that were too much for the table."""
        left = self.content.get("UnprocessedItems", {}).get(table, [])
        return [json.dumps(request, ensure_ascii=False).encode() for request in left]


class _Progress:
    """Says how far the load is, at most every few seconds."""

    def __init__(self, table: str, expected: int, clock: Callable[[], float]) -> None:
        self._table = table
        self._expected = expected
        self._clock = clock
        self._started = self._said = clock()

    def say(self, total: Puts) -> None:
        if self._clock() - self._said >= PROGRESS_SECONDS:
            self._said = self._clock()
            logger.info(
                "%s: %d of %d items, %d items/s, %d retries",
                self._table, total.items, self._expected, self._rate(total), total.retries,
            )  # fmt: skip

    def end(self, total: Puts) -> None:
        logger.info(
            "%s: %d items put, %d items/s, %d requests, %d of them retries, %d refused",
            self._table, total.items, self._rate(total), total.requests, total.retries,
            len(total.refused),
        )  # fmt: skip

    def _rate(self, total: Puts) -> float:
        return total.items / max(self._clock() - self._started, 0.001)


def _read_answer(table: str, status: int, content: bytes) -> Answer:
    """The answer, or a failure worth another attempt; raises LoadError for any other."""
    if status == OK and content == b'{"UnprocessedItems":{}}':  # nearly always
        return Answer(None, "", {})
    try:
        body: dict[str, Any] = json.loads(content)
    except ValueError:
        body = {}
    if status == OK:
        return Answer(None, "", body)
    name = str(body.get("__type", "")).rpartition("#")[2]
    reason = str(body.get("message") or body.get("Message") or f"HTTP {status}")
    if name in REFUSALS or name in THROTTLED or status >= SERVER_FAULT:
        return Answer(name or "ServerFault", reason, {})
    raise LoadError(f"DynamoDB table {table}: {name or status}: {reason}")


def _batches(items: Iterable[Item]) -> Iterator[Batch]:
    """Lists of items that one request may have."""
    batch: Batch = []
    size = 0
    for item in items:
        length = len(item[1]) + 1
        if len(batch) == BATCH_ITEMS or (batch and size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += length
    if batch:
        yield batch


def _tasks(batches: Iterator[Batch]) -> Iterator[list[Batch]]:
    """Some batches at a time: handing each to a thread would cost as much as sending it."""
    while task := list(islice(batches, BATCHES_PER_TASK)):
        yield task
