"""What follows from the end of a job for its rejects, and for those it was to try again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from penstock.domain.lane import Lane
from penstock.domain.outcome import Outcome
from penstock.domain.reject_batch import batch_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock.domain.job_record import JobRecord
    from penstock.domain.reject_batch import RejectBatch


class RejectStore(Protocol):
    """The batches of rejects that are not done with."""

    def record(self, batch: RejectBatch) -> None:
        """Keep a batch, unless it was ever kept before."""

    def of_job(self, category: str, job_name: str) -> Sequence[RejectBatch]:
        """Return the batches of a job."""

    def close(self, batch: RejectBatch, job_id: str, now: str) -> None:
        """Note that this run has tried a batch that it had taken; what rests in it stays."""

    def give_back(self, batch: RejectBatch, job_id: str) -> None:
        """Leave a batch that this run had taken to another run."""


class Pointers(Protocol):
    """The error queue."""

    def send_rejects(self, batch: RejectBatch) -> None:
        """Tell the next run of a batch."""


def settle_rejects(store: RejectStore, queue: Pointers, job: JobRecord, now: str) -> None:
    """Keep the rejects of a success, and close or give back what the job was to try again.

    To be called after the outcome is written, and as often as one likes. The new batch comes
    first: what was rejected again is in it, so in between it is kept twice rather than not at all.
    The rejects of a failed attempt are no batch, because its whole input is tried again.
    """
    report = job.rejects if job.outcome is Outcome.SUCCEEDED else None
    batch = batch_of(job, now) if report else None
    if batch is not None:
        store.record(batch)
        if batch.open:
            queue.send_rejects(batch)
    if not job.retries or job.lane == Lane.BACKFILL:
        return
    for taken in store.of_job(job.category, job.job_name):
        if taken.taken_by != job.job_id:
            continue
        if report and taken.path in report.retried:
            store.close(taken, job.job_id, now)
        else:
            queue.send_rejects(taken)
            store.give_back(taken, job.job_id)
