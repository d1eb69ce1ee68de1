"""What Reconcile Runs finds wrong in an open run, from what is stored and what is alive."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from penstock.domain.instant import seconds_between
from penstock.domain.lane import Lane
from penstock.domain.outcome import Outcome, Progress

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from penstock.domain.child_execution import ExecutionState
    from penstock.domain.job_record import JobKey, JobRecord
    from penstock.domain.messages import CloseRunRequest
    from penstock.domain.open_run import OpenRun

MOST_SUSPECTS: Final = 500
"""Executions looked at in one pass; Step Functions answers 15 such requests a second."""
TIME_TO_ARRIVE: Final = timedelta(minutes=15)
"""A child needs a moment from its start until its job has arrived."""


def close_request(run: OpenRun, parent: ExecutionState) -> CloseRunRequest:
    """Return what Close Run would have been sent, had the execution lived so long."""
    event: CloseRunRequest = {
        "job_id": run.job_id,
        "category": run.category,
        "logical_date": run.logical_date,
        "lane": run.lane,
        "execution_arn": run.execution_arn,
        "started_at": run.started_at,
    }
    if parent.status != "SUCCEEDED":
        cause = parent.cause or "the execution ended before the run was closed"
        event["failure"] = {"state": "Run", "error": parent.words, "cause": cause}
    return event


def suspects(jobs: Iterable[JobRecord], live: Collection[str]) -> list[JobRecord]:
    """Return the arrived jobs without an outcome whose execution is not in the list of the living.

    The list may be behind, so this is no proof. Those at work come first, for they hold slots.
    """
    found = [
        job
        for job in jobs
        if job.outcome is None and job.execution_arn and job.execution_arn not in live
    ]
    return sorted(found, key=lambda job: job.state is not Progress.RUNNING)[:MOST_SUSPECTS]


def never_arrived(jobs: Iterable[JobRecord]) -> list[JobRecord]:
    """Return the jobs of which no execution has ever told."""
    return [job for job in jobs if job.outcome is None and not job.execution_arn]


def is_young(run: OpenRun, now: str) -> bool:
    """Tell whether executions may just have begun."""
    return (seconds_between(run.started_at, now) or 0) < TIME_TO_ARRIVE.total_seconds()


def known_executions(jobs: Iterable[JobRecord]) -> frozenset[str]:
    """Return the executions of the jobs that have arrived."""
    return frozenset(job.execution_arn for job in jobs if job.execution_arn)


def planned(jobs: Iterable[JobRecord]) -> int:
    """Return how many jobs were to run: all that have not ended, and those that ended since."""
    return sum(1 for job in jobs if job.outcome is None or job.ended_at)


def unfinished(jobs: Sequence[JobRecord], live: Collection[str]) -> list[JobRecord]:
    """Return the ended jobs whose end has not reached all that depend on them.

    A job whose execution lives is in the middle of just that.
    """
    by_name = {job.job_name: job for job in jobs}
    return [
        job
        for job in jobs
        if job.outcome is not None and job.ended_at and job.execution_arn not in live
        if any(_waits_in_vain(by_name.get(name), job) for name in job.dependents)
    ]


def untold(
    jobs: Iterable[JobRecord], live: Collection[str], rows: Mapping[str, Mapping[str, Any]]
) -> list[JobRecord]:
    """Return the ended jobs whose row does not know; the row is written after the error queue.

    Backfills leave the rows alone, and so does a run that is older than the row's last.
    """
    return [
        job
        for job in jobs
        if job.outcome is not None and job.ended_at and job.execution_arn not in live
        if job.lane != Lane.BACKFILL and job.job_name in rows and _is_news(job, rows[job.job_name])
    ]


def outside_waits(jobs: Sequence[JobRecord]) -> dict[str, list[JobKey]]:
    """Return who waits on jobs that are not of the run, by the name of the upstream job."""
    own = {job.job_name for job in jobs}
    waits: dict[str, list[JobKey]] = {}
    for job in jobs:
        if job.outcome is None:
            for upstream in sorted(job.waiting_on - own):
                waits.setdefault(upstream, []).append(job.key)
    return waits


def by_category(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the names of rows by the category that they state."""
    names: dict[str, list[str]] = {}
    for name, row in rows.items():
        names.setdefault(str(row.get("JobCategory") or ""), []).append(name)
    return names


def _waits_in_vain(dependent: JobRecord | None, ended: JobRecord) -> bool:
    """Tell whether a job has not heard of the end of its upstream."""
    if dependent is None or dependent.outcome is not None:
        return False
    return ended.outcome is not Outcome.SUCCEEDED or ended.job_name in dependent.waiting_on


def _is_news(job: JobRecord, row: Mapping[str, Any]) -> bool:
    last = str(row.get("LastJobId") or "")
    return last < job.job_id or (last == job.job_id and row.get("StatusFlag") != str(job.state))
