"""The rejects of one attempt at a job, as long as any of them is to be tried again or rests.

What stands of a batch in the run table is the truth; its message on the error queue says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from penstock.domain.lane import Lane

if TYPE_CHECKING:
    from penstock.domain.job_record import JobRecord

KIND: Final = "rejects"
OPEN: Final = "open"
RESTING: Final = "resting"
ALL: Final = "all"
"""Which of its records the next run takes, in the words of the shipped jobs."""


@dataclass(frozen=True, slots=True)
class RejectBatch:
    """Rejects under one path: `open` of them are for the next run, `resting` wait for a person.

    `is_tried`: those that were open once are not among them any more. `taken_by` is the job ID of
    the run that is trying them, and `version` counts the changes.
    """

    category: str
    job_name: str
    job_id: str
    attempt: int
    logical_date: str
    path: str
    open: int
    resting: int
    by_rule: Mapping[str, int] = field(default_factory=dict)
    recorded_at: str = ""
    take: str = OPEN
    is_tried: bool = False
    taken_by: str = ""
    version: int = 0

    @property
    def pointer(self) -> dict[str, Any]:
        """Return what a plan says of the batch."""
        return {"path": self.path, "take": self.take, "rows": self.open}

    @property
    def all_or_resting(self) -> str:
        """Return what a person means who wants the batch tried again: all that is still in it."""
        return RESTING if self.is_tried else ALL

    def to_message(self) -> dict[str, Any]:
        """Return the message of the error queue."""
        return {
            "kind": KIND,
            "category": self.category,
            "job_name": self.job_name,
            "job_id": self.job_id,
            "logical_date": self.logical_date,
            "attempt": self.attempt,
            "path": self.path,
            "rows": self.open,
        }


def batch_of(job: JobRecord, now: str) -> RejectBatch | None:
    """Return the batch that a job has left, or None.

    No live run takes up the rejects of a backfill by itself, so these rest from the beginning.
    """
    report = job.rejects
    if report is None or not report.rows:
        return None
    resting = report.rows if job.lane == Lane.BACKFILL else report.resting
    return RejectBatch(
        category=job.category,
        job_name=job.job_name,
        job_id=job.job_id,
        attempt=job.attempt,
        logical_date=job.logical_date,
        path=report.path,
        open=report.rows - resting,
        resting=resting,
        by_rule=report.by_rule,
        recorded_at=now,
    )
