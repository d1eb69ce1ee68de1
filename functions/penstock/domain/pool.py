"""A pool: a concurrency limit that all runs share, and the queue in front of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from penstock.domain.job_record import JobKey

BACKFILL_POOL: Final = "backfill"
"""The pool of the jobs of backfill runs that have no pool of their own."""
MOST_BACKFILL_JOBS: Final = 5


def default_limit(name: str, default: int) -> int:
    """Return the limit of a pool that has none of its own; a backfill leaves room for live runs."""
    return min(default, MOST_BACKFILL_JOBS) if name == BACKFILL_POOL else default


@dataclass(frozen=True, slots=True)
class PoolView:
    """A pool as it was at one moment.

    `enqueued` counts the announcements ever made, `drained` is the last count at which the queue
    was seen empty. So a pool with nobody in its queue costs nobody a look into the queue.
    """

    name: str
    limit: int
    holders: frozenset[str] = frozenset()
    enqueued: int = 0
    drained: int = 0

    @property
    def free(self) -> int:
        """Return the number of free slots; less than none after the limit was lowered."""
        return self.limit - len(self.holders)

    @property
    def is_crowded(self) -> bool:
        """Tell whether there may be someone in the queue."""
        return self.enqueued > self.drained


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """A job in the queue of a pool; the queue is sorted by falling priority, then by job ID."""

    pool: str
    priority: int
    key: JobKey
