"""The entries of plan.json: every job of the category, whether it runs or not, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.domain.control_row import DEFAULT_POOL
from penstock.domain.decision import failures_before
from penstock.domain.lane import Lane
from penstock.domain.outcome import Outcome
from penstock.domain.plan_line import PlanEntry
from penstock.domain.pool import BACKFILL_POOL

if TYPE_CHECKING:
    from penstock.domain.control_row import ControlRow
    from penstock.domain.decision import Day, Decision
    from penstock.domain.failed_job import FailedJob


def plan_entry(decision: Decision, day: Day, priority: int, attempt: int) -> PlanEntry:
    """Return the entry of a job that has a row."""
    row = decision.row
    failed = day.failed.get(row.job_name)
    pool = pool_of(row, day.lane)
    is_background = day.lane == Lane.BACKFILL and pool != BACKFILL_POOL
    return PlanEntry(
        JobName=row.job_name,
        JobType=row.job_type,
        Chosen=row.chosen,
        Decision=str(decision.state),
        Reason=decision.reason,
        RunCondition=row.run_condition.text,
        SkipFlag=bool(row.skip_flag),
        ShouldRunToday=decision.is_due,
        DependsOn=list(row.depends_on),
        WaitsOn=list(decision.waits_on),
        Outside=[name for name in decision.waits_on if name in day.outside],
        Pool=pool,
        Priority=0 if is_background else priority,
        Attempt=attempt,
        Problems=[str(problem) for problem in decision.problems],
        FailedBefore=failures_before(row, day),
        LastFailure=failed.job_id if failed else "",
        ExpectedRows=row.expected_rows,
        Recent=row.recorded.history.to_text(),
        Rejects=[batch.pointer for batch in day.rejects_for(row.job_name, decision.state)],
    )


def pool_of(row: ControlRow, lane: str) -> str:
    """Return the pool of a job: a backfill has one of its own, beside those that are named.

    A named pool protects something, a source for example, so it counts in every lane.
    """
    return BACKFILL_POOL if lane == Lane.BACKFILL and row.pool == DEFAULT_POOL else row.pool


def entry_without_row(job: FailedJob) -> PlanEntry:
    """Return the entry of a failed job whose row is gone: nobody can run it, but people hear."""
    return PlanEntry(
        JobName=job.job_name,
        JobType="",
        Chosen="",
        Decision=str(Outcome.SKIPPED),
        Reason=f"failed in run {job.job_id}, but has no row in the control table any more",
        RunCondition="",
        SkipFlag=False,
        ShouldRunToday=False,
        DependsOn=[],
        WaitsOn=[],
        Outside=[],
        Pool="",
        Priority=0,
        Attempt=1,
        Problems=[],
        FailedBefore=job.times,
        LastFailure=job.job_id,
        ExpectedRows=None,
        Recent="",
    )
