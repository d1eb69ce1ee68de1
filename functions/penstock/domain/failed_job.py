"""A failed job as a message of the error queue: what the next run has to try again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

KIND: Final = "job"
LONGEST_CAUSE: Final = 2_000


@dataclass(frozen=True, slots=True)
class FailedJob:
    """One job of one run that did not succeed; `times` counts how often in a row, this included."""

    category: str
    job_name: str
    job_id: str
    logical_date: str
    attempt: int
    outcome: str
    error: str
    cause: str
    times: int

    def to_message(self) -> dict[str, Any]:
        """Return the message of the error queue."""
        return {
            "kind": KIND,
            "category": self.category,
            "job_name": self.job_name,
            "job_id": self.job_id,
            "logical_date": self.logical_date,
            "attempt": self.attempt,
            "outcome": self.outcome,
            "error": self.error,
            "cause": self.cause[:LONGEST_CAUSE],
            "times": self.times,
        }

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> FailedJob:
        """Read a message of the kind `job`; raise ValueError when it names no job."""
        if not (message.get("category") and message.get("job_name")):
            raise ValueError("a message of the kind job needs a category and a job_name")
        return cls(
            category=str(message["category"]),
            job_name=str(message["job_name"]),
            job_id=str(message.get("job_id", "")),
            logical_date=str(message.get("logical_date", "")),
            attempt=int(message.get("attempt") or 1),
            outcome=str(message.get("outcome", "")),
            error=str(message.get("error", "")),
            cause=str(message.get("cause", "")),
            times=int(message.get("times", 1)),
        )


def latest_by_job(failed: list[FailedJob]) -> dict[str, FailedJob]:
    """Return one failure per job: SQS may deliver twice, and a job may have failed repeatedly."""
    latest: dict[str, FailedJob] = {}
    for job in sorted(failed, key=lambda job: (job.job_id, job.times)):
        latest[job.job_name] = job
    return latest
