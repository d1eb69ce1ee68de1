"""A Map Run: the child executions of one Distributed Map and what is counted about them."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Literal

from penstock_local.asl.execution import Execution, Machine, Status

if TYPE_CHECKING:
    from penstock_local.asl.values import Json

MOST_CHILDREN = 10_000
"""Children that run at the same time when MaxConcurrency says nothing, or more."""

Count = Literal[
    "pending", "running", "succeeded", "failed", "timedOut", "aborted", "pendingRedrive"
]
_COUNTS: tuple[Count, ...] = (
    "pending",
    "running",
    "succeeded",
    "failed",
    "timedOut",
    "aborted",
    "pendingRedrive",
)
_COUNT_OF: dict[Status, Count] = {
    Status.RUNNING: "running",
    Status.SUCCEEDED: "succeeded",
    Status.FAILED: "failed",
    Status.TIMED_OUT: "timedOut",
    Status.ABORTED: "aborted",
    Status.PENDING_REDRIVE: "pendingRedrive",
}


class Tally:
    """How many children, or items, are in which state."""

    __slots__ = ("_of", "total")

    def __init__(self) -> None:
        self._of: dict[Count, int] = dict.fromkeys(_COUNTS, 0)
        self.total = 0

    def add(self, number: int) -> None:
        """So many more that wait for their start."""
        self.total += number
        self._of["pending"] += number

    def move(self, source: Count, target: Count, number: int) -> None:
        """So many have gone from one state to another."""
        self._of[source] -= number
        self._of[target] += number

    def __getitem__(self, count: Count) -> int:
        return self._of[count]

    def as_answer(self) -> dict[str, int]:
        """The counts as DescribeMapRun writes them; without a ResultWriter, too, all results
        count as written."""
        return {
            **{count: self._of[count] for count in _COUNTS},
            "total": self.total,
            "resultsWritten": self._of["succeeded"],
            "failuresNotRedrivable": 0,
        }


class MapRun:
    """One run of a Distributed Map.

    `work` holds what the children get, in the order of the items (or of the batches); `sizes` how
    many items each of them stands for; `children` the executions, None before their start. While
    it `selects`, what a child gets is still to go through the ItemSelector.
    `changed` is set whenever a child has ended or the limits were updated.
    """

    __slots__ = (
        "arn",
        "changed",
        "children",
        "executions",
        "items",
        "machine",
        "max_concurrency",
        "parent",
        "redrive_count",
        "redriven",
        "selects",
        "sizes",
        "source",
        "started",
        "status",
        "stopped",
        "tolerated_count",
        "tolerated_percentage",
        "work",
    )

    def __init__(
        self,
        arn: str,
        parent: Execution,
        machine: Machine,
        max_concurrency: int,
        tolerated_count: int | None,
        tolerated_percentage: float | None,
    ) -> None:
        self.arn = arn
        self.parent = parent
        self.machine = machine
        self.max_concurrency = max_concurrency
        self.tolerated_count = tolerated_count
        self.tolerated_percentage = tolerated_percentage
        self.started = time.time()
        self.stopped: float | None = None
        self.status = Status.RUNNING
        self.redrive_count = 0
        self.redriven: float | None = None
        self.source: str | None = None
        self.selects = True
        self.work: list[Json] = []
        self.sizes: list[int] = []
        self.children: list[Execution | None] = []
        self.executions = Tally()
        self.items = Tally()
        self.changed = asyncio.Event()

    def plan(self, work: list[Json], sizes: list[int], *, selects: bool) -> None:
        """Take on the work: one child for each entry."""
        self.work = work
        self.selects = selects
        self.sizes = sizes
        self.children = [None] * len(work)
        self.executions.add(len(work))
        self.items.add(sum(sizes))

    @property
    def has_room(self) -> bool:
        """Whether one more child may run now."""
        most = min(self.max_concurrency or MOST_CHILDREN, MOST_CHILDREN)
        return self.executions["running"] < most

    @property
    def exceeded(self) -> bool:
        """Whether more items have failed than the state tolerates.

        A state that says neither how many nor what share tolerates none.
        """
        failed = self.items["failed"] + self.items["timedOut"]
        count, percentage = self.tolerated_count, self.tolerated_percentage
        if count is None and percentage is None:
            return failed > 0
        too_many = count is not None and failed > count
        return too_many or (percentage is not None and failed * 100 > percentage * self.items.total)

    def child_started(self, index: int, child: Execution, source: Count = "pending") -> None:
        """The child of this entry runs now."""
        self.children[index] = child
        self._move(index, source, "running")

    def child_ended(self, index: int) -> None:
        """The child of this entry has come to its end."""
        child = self.children[index]
        assert child is not None
        self._move(index, "running", _COUNT_OF[child.status])
        self.changed.set()

    def reopen(self) -> list[int]:
        """Redrive: go on with the run; return the entries that have not succeeded yet."""
        self.status = Status.RUNNING
        self.stopped = None
        self.redrive_count += 1
        self.redriven = time.time()
        unfinished = []
        for index, child in enumerate(self.children):
            if child is None:
                unfinished.append(index)
            elif child.status.unsuccessful:
                self._move(index, _COUNT_OF[child.status], "pendingRedrive")
                child.status = Status.PENDING_REDRIVE
                unfinished.append(index)
        return unfinished

    def end(self, status: Status) -> None:
        """Give the run its final status. What it read stays only as long as it can be redriven."""
        self.status = status
        self.stopped = time.time()
        if status is Status.SUCCEEDED:
            self.work = []

    def update(
        self, max_concurrency: int | None, count: int | None, percentage: float | None
    ) -> None:
        """UpdateMapRun: new limits for a run under way; None leaves one as it is."""
        if max_concurrency is not None:
            self.max_concurrency = max_concurrency
        if count is not None:
            self.tolerated_count = count
        if percentage is not None:
            self.tolerated_percentage = percentage
        self.changed.set()

    def describe(self) -> dict[str, Any]:
        """The answer of DescribeMapRun."""
        answer: dict[str, Any] = {
            "mapRunArn": self.arn,
            "executionArn": self.parent.arn,
            "status": self.status.value,
            "startDate": round(self.started, 3),
            "maxConcurrency": self.max_concurrency,
            "toleratedFailurePercentage": float(self.tolerated_percentage or 0),
            "toleratedFailureCount": self.tolerated_count or 0,
            "itemCounts": self.items.as_answer(),
            "executionCounts": self.executions.as_answer(),
            "redriveCount": self.redrive_count,
        }
        if self.stopped is not None:
            answer["stopDate"] = round(self.stopped, 3)
        if self.redriven is not None:
            answer["redriveDate"] = round(self.redriven, 3)
        return answer

    def _move(self, index: int, source: Count, target: Count) -> None:
        self.executions.move(source, target, 1)
        self.items.move(source, target, self.sizes[index])
