"""What turn-taking needs of the run table. Unless it says otherwise, a method is one request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from penstock.domain.ending import Ending
    from penstock.domain.job_record import JobKey, JobRecord
    from penstock.domain.pool import PoolView, QueueEntry


@dataclass(frozen=True, slots=True)
class Written:
    """The answer to a conditional write: was it done, and how the job stands.

    `record` is the job after the write if it was done, else as it stood in its way.
    """

    record: JobRecord
    done: bool


@dataclass(frozen=True, slots=True)
class Joined:
    """The answer to a request for a slot: was it given, and how the pool stands."""

    pool: PoolView
    done: bool


class JobStore(Protocol):
    """The jobs of runs. Methods that write raise UnknownJobError if there is no such job."""

    def arrive(self, key: JobKey, token: str, execution_arn: str, now: str) -> Written:
        """Store the token of a PLANNED or WAITING job, now WAITING; `record` is as *before*."""

    def replace_token(self, key: JobKey, token: str, execution_arn: str) -> Written:
        """Store another token for a RUNNING job."""

    def start(self, key: JobKey, now: str) -> Written:
        """Make a WAITING job that waits on nobody RUNNING."""

    def end(self, key: JobKey, ending: Ending, now: str) -> Written:
        """Write the outcome of an attempt that has none."""

    def block(self, key: JobKey, culprit: str, cause: str, now: str) -> Written:
        """Make a job BLOCKED that has not started, whatever its attempt."""

    def stop_waiting(self, key: JobKey, upstream: str) -> JobRecord:
        """Take an upstream job out of what the job waits on; return the job after that."""

    def jobs(self, keys: Sequence[JobKey]) -> list[JobRecord]:
        """Return those of the jobs that exist (one request per 100 jobs)."""


class PoolStore(Protocol):
    """The pools and their queues."""

    def pool(self, name: str) -> PoolView:
        """Return the pool as it is now."""

    def join(self, name: str, holder: str) -> Joined:
        """Take a free slot unless somebody is queued; done also for who holds one already."""

    def join_from_queue(self, name: str, holder: str) -> Joined:
        """Take a free slot; not done if all are taken or the holder holds one already."""

    def leave(self, name: str, holder: str) -> PoolView:
        """Give the slot back, if held."""

    def announce(self, name: str) -> PoolView:
        """Count that the queue has grown. To be called after enqueue, never before."""

    def mark_drained(self, name: str, enqueued: int) -> None:
        """Note that the queue was seen empty after so many announcements."""

    def enqueue(self, entries: Sequence[QueueEntry]) -> None:
        """Put jobs into the queue, where each may be already (one request per 25 jobs)."""

    def queue(self, name: str, page: int) -> Iterator[QueueEntry]:
        """Yield the queue in order, in requests of this many entries, each a consistent read."""

    def dequeue(self, entry: QueueEntry) -> None:
        """Take a job out of the queue, if it is there."""


class Turns(Protocol):
    """Who tells the waiting child executions."""

    def grant(self, token: str) -> None:
        """Tell a child that it is its job's turn; nobody listening any more is no error."""

    def refuse(self, token: str, error: str, cause: str) -> None:
        """Tell a child that its job will not run; nobody listening any more is no error."""
