"""What follows from the end of a job beyond its run: the same for Settle Job and Reconcile Runs.

Every step may be repeated, and Step Functions repeats the whole until it has come to its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from penstock.domain.extracting import judged, settle_tables
from penstock.domain.lane import Lane
from penstock.domain.outcome import Outcome
from penstock.domain.rejecting import settle_rejects
from penstock.domain.settling import failed_job_of
from penstock.domain.waiter import waiting_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from penstock.domain.ending import Ending
    from penstock.domain.extracting import TableStore
    from penstock.domain.failed_job import FailedJob
    from penstock.domain.job_record import JobKey, JobRecord
    from penstock.domain.reject_batch import RejectBatch
    from penstock.domain.rejecting import RejectStore
    from penstock.domain.turn import TurnTaking
    from penstock.domain.waiter import Waiter


class FailureQueue(Protocol):
    """Where failed jobs are kept for the next run."""

    def send(self, job: FailedJob) -> None:
        """Keep a failed job."""

    def send_rejects(self, batch: RejectBatch) -> None:
        """Tell the next run of a batch of rejects."""


class StatusRows(Protocol):
    """The control rows, in which the last outcome stands and who waits for the next."""

    def record(self, job: JobRecord) -> frozenset[str]:
        """Record the outcome; return who waits on the job."""

    def remove_waiters(self, job_name: str, waiters: Iterable[Waiter]) -> None:
        """Forget who has been told."""


class Aftermath:
    """Ends a job: its turn, failure message, tables, rejects, row, and those who wait on it."""

    def __init__(
        self,
        turns: TurnTaking,
        queue: FailureQueue,
        rows: StatusRows,
        tables: TableStore,
        rejects: RejectStore,
        clock: Callable[[], str],
    ) -> None:
        self._turns = turns
        self._queue = queue
        self._rows = rows
        self._tables = tables
        self._rejects = rejects
        self._clock = clock

    def settle(self, key: JobKey, ending: Ending, result_file: bytes | None = None) -> JobRecord:
        """Record how an attempt ended, once, and do all that follows; return what is recorded."""
        job = self._turns.settle(key, judged(self._tables, key, ending, result_file))
        if job.key == key:
            self.follow(job, result_file)
        return job

    def follow(self, job: JobRecord, result_file: bytes | None = None) -> None:
        """Do what follows from a recorded outcome outside the run; again is harmless.

        A failed backfill is no business of the next live run, so it sends no message.
        """
        if job.outcome is not Outcome.SUCCEEDED and job.lane != Lane.BACKFILL:
            self._queue.send(failed_job_of(job))
        settle_tables(self._tables, job, result_file, self._clock())
        settle_rejects(self._rejects, self._queue, job, self._clock())
        self.tell(job)

    def tell(self, job: JobRecord) -> None:
        """Record the outcome in the job's row, and tell the jobs of other runs that wait on it."""
        waiters = waiting_for(self._rows.record(job), job.logical_date)
        if waiters:
            self._turns.release_outside([waiter.key for waiter in waiters], job)
            self._rows.remove_waiters(job.job_name, waiters)
