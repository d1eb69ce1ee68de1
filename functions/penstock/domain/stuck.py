"""Jobs that run far longer than they usually do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from penstock.domain.instant import seconds_between
from penstock.domain.outcome import Progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from penstock.domain.job_record import JobRecord

FACTOR: Final = 3
MARGIN_SECONDS: Final = 15 * 60
"""A job of a few seconds may well take a minute once."""
MOST_NAMED: Final = 100


def stuck_jobs(jobs: Iterable[JobRecord], now: str) -> list[JobRecord]:
    """Return the running jobs that take unusually long and of which nobody has been told.

    That is more than three times the median of the last successes, and at least a quarter of an
    hour more. A job that has never succeeded has no usual time; its timeout bounds it.
    """
    return [job for job in jobs if not job.stuck_at and _is_stuck(job, now)]


def stuck_subject(jobs: Sequence[JobRecord]) -> str:
    """Return the subject of the message."""
    return f"Penstock: {len(jobs)} {'job takes' if len(jobs) == 1 else 'jobs take'} unusually long"


def stuck_message(jobs: Sequence[JobRecord], now: str) -> str:
    """Return the message for people; the longest list that anyone reads is a hundred."""
    lines = [_line(job, now) for job in jobs[:MOST_NAMED]]
    if jobs[MOST_NAMED:]:
        lines.append(f"… and {len(jobs) - MOST_NAMED} more")
    advice = (
        "Penstock lets them run until the TimeoutMinutes of their rows. To end one at once, stop "
        "its execution; the run then goes on without it, and the next run tries it again."
    )
    return "\n".join(["These jobs run far longer than usual:", "", *lines, "", advice, ""])


def _is_stuck(job: JobRecord, now: str) -> bool:
    usual, taken = job.history.seconds, seconds_between(job.started_at, now)
    if job.state is not Progress.RUNNING or usual is None or taken is None:
        return False
    return taken > FACTOR * usual and taken >= usual + MARGIN_SECONDS


def _line(job: JobRecord, now: str) -> str:
    taken = seconds_between(job.started_at, now) or 0
    return (
        f"{job.job_name} of {job.category} for {job.logical_date}: {_minutes(taken)}, "
        f"usually {_minutes(job.history.seconds or 0)} (run {job.job_id}, "
        f"execution {job.execution_arn})"
    )


def _minutes(seconds: float) -> str:
    return f"{seconds:,.0f} s" if seconds < 120 else f"{seconds / 60:,.0f} min"
