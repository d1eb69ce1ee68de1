"""What Close Run makes of its request, and of a run whose jobs have all ended."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from penstock.domain.digest import digest_of, subject_of
from penstock.domain.instant import parse_day, written_of
from penstock.domain.lane import Lane
from penstock.domain.outcome import Verdict
from penstock.domain.run_log import run_log
from penstock.domain.run_record import RunRecord
from penstock.domain.verdict import verdict_of
from penstock.domain.waiter import Waiter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from penstock.domain.job_record import JobRecord
    from penstock.domain.messages import CloseRunRequest, CloseRunResponse
    from penstock.domain.run_log import RunLog
    from penstock.domain.site import Site

    RunWithJobs = tuple[RunRecord, Sequence[JobRecord]]


def unplanned_run(event: CloseRunRequest) -> RunRecord:
    """Return what is known of a run that has no item because it could not be planned."""
    stated: Mapping[str, Any] = event.get("input") or {}
    return RunRecord(
        job_id=event["job_id"],
        category=str(event.get("category") or stated.get("category") or ""),
        logical_date=_day(event.get("logical_date") or stated.get("logical_date")),
        trigger=str(stated.get("trigger") or ""),
        lane=event.get("lane") or Lane.LIVE,
        execution_arn=event["execution_arn"],
        started_at=written_of(event["started_at"]),
    )


def ended_run(
    run: RunRecord, jobs: Sequence[JobRecord], event: CloseRunRequest, now: str
) -> RunRecord:
    """Return the run with its verdict, the counts of its outcomes, and what its jobs took in all.

    A verdict that was given stands: an execution that is stopped afterwards changes nothing.
    """
    known = run.verdict or (Verdict.DUPLICATE if run.duplicate_of else None)
    return replace(
        run,
        verdict=known or verdict_of(jobs, event.get("failure")),
        outcomes=dict(Counter(str(job.outcome) for job in jobs if job.outcome)),
        seconds=_sum(job.seconds for job in jobs),
        dpu_seconds=_sum(job.figures.dpu_seconds for job in jobs),
        dollars=_sum(job.figures.dollars for job in jobs),
        ended_at=now,
    )


def run_of(record: RunRecord | None, event: CloseRunRequest) -> RunRecord:
    """Return the run as it was planned, or what the request knows of it."""
    run = record or unplanned_run(event)
    return replace(run, duplicate_of=run.duplicate_of or event.get("duplicate_of") or "")


def waiters_of(jobs: Sequence[JobRecord]) -> list[tuple[str, Waiter]]:
    """Return which jobs of other runs still hold a note that a job of this one waits on them."""
    own = {job.job_name for job in jobs}
    return [
        (upstream, Waiter(job.logical_date, job.key))
        for job in jobs
        for upstream in sorted(job.waiting_on - own)
    ]


def pools_of(jobs: Sequence[JobRecord]) -> list[str]:
    """Return the pools of the jobs that have arrived, where a slot of theirs may be left."""
    return sorted({job.pool for job in jobs if job.arrived_at})


def log_of(runs: Sequence[RunWithJobs], site: Site) -> RunLog | None:
    """Return the log of the runs, the newest first, if there is a Redshift to write it to."""
    if site.redshift is None:
        return None
    return run_log(site.redshift, site.environment, site.data_bucket, runs)


def response(
    ended: RunWithJobs, log: RunLog | None, event: CloseRunRequest, site: Site
) -> CloseRunResponse:
    """Return the verdict, the message for people, and the run log if there is one to write."""
    run, jobs = ended
    digest = digest_of(run, jobs, event.get("failure"), site.environment)
    if run.duplicate_of and run.duplicate_of not in digest:
        digest += _duplicate(run)
    if log and log.missing:
        digest += (
            f"\nThe run log had no room for {log.missing} jobs that succeeded; "
            "with a RedshiftCopyRoleArn it has.\n"
        )
    return {
        "verdict": str(run.verdict),
        "subject": subject_of(run, jobs),
        "digest": digest,
        "log_statement": log.statement if log else None,
    }


def _duplicate(run: RunRecord) -> str:
    return (
        f"\nRun {run.duplicate_of} is at this work, or has done it, so this run did nothing. "
        "Look at that one; if it has failed, run it again when it has ended.\n"
    )


def _sum(figures: Iterable[float | None]) -> float | None:
    """Return the sum of what is known, or None if nothing is."""
    known = [figure for figure in figures if figure is not None]
    return round(sum(known), 6) if known else None


def _day(stated: Any) -> str:
    """Return the date, or nothing for what may be the very reason why the run has failed."""
    try:
        return parse_day(stated).isoformat()
    except ValueError:
        return ""
