"""What Plan Run decides beside the plan: the request, the day, what becomes of old failures."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from penstock.domain import failed_job, reject_batch
from penstock.domain.control_row import RowReading, read_row
from penstock.domain.decision import GIVEN_UP, Day, decide_alone
from penstock.domain.errors import UnknownCategoryError
from penstock.domain.failed_job import FailedJob, latest_by_job
from penstock.domain.instant import parse_day, parse_instant, written
from penstock.domain.lane import Lane
from penstock.domain.logical_date import LogicalDate, logical_date_of, zone_of_category
from penstock.domain.outcome import FAILURES, Outcome, Progress
from penstock.domain.plan import RunFacts, counts_of, make_plan, plan_key
from penstock.domain.retrying import by_job, retried_paths
from penstock.domain.run_record import RunRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import date

    from penstock.domain.messages import PlanCounts, PlanRunResponse
    from penstock.domain.plan_line import PlanDocument, PlanEntry
    from penstock.domain.reject_batch import RejectBatch
    from penstock.domain.requested_run import RequestedRun
    from penstock.domain.rerun import Rerun
    from penstock.domain.site import Site
    from penstock.domain.upstream import OutsideJob

RUN_LOG: Final = "run_log"
"""The kind of the messages that say which run is not in the log."""
LONGEST_MEMORY: Final = timedelta(days=13)
"""SQS keeps a message for 14 days at most; a failure is to be found in one place or the other."""
_UNSUCCESSFUL: Final = frozenset(map(str, (*FAILURES, Outcome.BLOCKED)))


def read_rows(rows: Iterable[Mapping[str, Any]], category: str) -> list[RowReading]:
    """Read the rows of a category one by one; raise UnknownCategoryError if there are none."""
    readings = [read_row(row) for row in rows]
    if not readings:
        raise UnknownCategoryError(f"no row of the control table has the JobCategory {category!r}")
    return readings


def calendars_of(readings: Iterable[RowReading]) -> set[str]:
    """Return the calendars that the run conditions except."""
    named = {reading.row.run_condition.calendar for reading in readings}
    return {name for name in named if name}


def day_of(run: RequestedRun, readings: Sequence[RowReading], default_zone: str) -> LogicalDate:
    """Return the logical date of a run; raise InvalidRequestError for one that cannot be read."""
    zone = zone_of_category((reading.row.time_zone for reading in readings), default_zone)
    return logical_date_of(run.request, run.started_at, zone)


def plan_of(
    run: RequestedRun,
    readings: Sequence[RowReading],
    calendars: Mapping[str, AbstractSet[date]],
    messages: Iterable[Mapping[str, Any]],
    site: Site,
    outside: Iterable[OutsideJob] = (),
    rerun: Rerun | None = None,
    rejects: Iterable[RejectBatch] = (),
) -> PlanDocument:
    """Make the plan of a run; raise InvalidRequestError for a day that cannot be read."""
    if rerun is None:
        logical_date = day_of(run, readings, site.time_zone)
    else:
        logical_date = LogicalDate(parse_day(rerun.run.logical_date), None)
    day_text = logical_date.run.isoformat()
    facts = RunFacts(run.job_id, run.category, day_text, site, run.lane, run.rerun_of)
    failed = [FailedJob.from_message(body) for body in messages if body["kind"] == failed_job.KIND]
    failures = latest_by_job(failed)
    if run.lane != Lane.BACKFILL:
        failures = forgotten_failures(readings, run.started_at) | failures
    day = Day(
        logical_date,
        site.environment,
        calendars,
        failures,
        {job.name: job for job in outside},
        rerun,
        run.lane,
        by_job(rejects),
    )
    return make_plan(readings, facts, day)


def left_out(
    readings: Iterable[RowReading],
    logical_date: str,
    environment: str,
    calendars: Mapping[str, AbstractSet[date]],
) -> dict[str, str]:
    """Return which good rows will not run on a day, and why: the rows of other categories."""
    day = Day(LogicalDate(parse_day(logical_date), None), environment, calendars, {})
    reasons: dict[str, str] = {}
    for reading in readings:
        decision = decide_alone(reading, day)
        if decision.state is Outcome.SKIPPED:
            reasons[reading.row.job_name] = decision.reason
    return reasons


def forgotten_failures(readings: Iterable[RowReading], now: str) -> dict[str, FailedJob]:
    """Return the jobs that failed so long ago that SQS has forgotten them; their rows have not."""
    earliest = written(parse_instant(now) - LONGEST_MEMORY)
    old = [reading for reading in readings if reading.row.recorded.at < earliest]
    return failures_of_rows(old)


def failures_of_rows(readings: Iterable[RowReading]) -> dict[str, FailedJob]:
    """Return the jobs whose last run did not succeed, as far as their rows say."""
    return {
        row.job_name: FailedJob(
            row.job_category, row.job_name, row.recorded.job_id, "its last day", 1,
            row.recorded.status, "", "", row.recorded.failures_in_a_row,
        )
        for row in (reading.row for reading in readings)
        if row.recorded.status in _UNSUCCESSFUL and row.recorded.at
    }  # fmt: skip


def run_record(plan: PlanDocument, run: RequestedRun, unlogged: Iterable[str]) -> RunRecord:
    """Return the item of the run table for a run that is about to begin."""
    return RunRecord(
        job_id=run.job_id,
        category=run.category,
        logical_date=plan["logical_date"],
        trigger=run.trigger,
        lane=run.lane,
        rerun_of=run.rerun_of,
        execution_arn=run.execution_arn,
        started_at=run.started_at,
        plan_key=plan_key(run.job_id),
        unlogged_runs=tuple(unlogged),
        **counts_of(plan),
    )


def duplicate_record(run: RequestedRun, logical_date: str, other: str) -> RunRecord:
    """Return the item of a run that does nothing because another is at the same work."""
    return RunRecord(
        job_id=run.job_id,
        category=run.category,
        logical_date=logical_date,
        trigger=run.trigger,
        lane=run.lane,
        rerun_of=run.rerun_of,
        duplicate_of=other,
        execution_arn=run.execution_arn,
        started_at=run.started_at,
    )


def response(plan: PlanDocument, bucket: str) -> PlanRunResponse:
    """Return what the state machine goes on with."""
    return {
        "job_id": plan["job_id"],
        "category": plan["category"],
        "logical_date": plan["logical_date"],
        "plan_bucket": bucket,
        "plan_key": plan_key(plan["job_id"]),
        "counts": counts_of(plan),
        "lane": plan["lane"],
        "duplicate_of": None,
    }


def duplicate_response(run: RunRecord, bucket: str) -> PlanRunResponse:
    """Return what the state machine goes on with when there is nothing for it to do."""
    return {
        "job_id": run.job_id,
        "category": run.category,
        "logical_date": run.logical_date,
        "plan_bucket": bucket,
        "plan_key": "",
        "counts": {"planned": 0, "left_out": 0, "invalid": 0},
        "lane": run.lane,
        "duplicate_of": run.duplicate_of,
    }


def metrics_of(counts: PlanCounts) -> dict[str, int]:
    """Return the counts under the names of their metrics."""
    return {
        "JobsPlanned": counts["planned"],
        "JobsLeftOut": counts["left_out"],
        "JobsInvalid": counts["invalid"],
    }


def concerns(category: str, body: Mapping[str, Any]) -> bool:
    """Tell whether a message of the error queue is for a run of this category."""
    kind = body.get("kind")
    if kind in (failed_job.KIND, reject_batch.KIND):
        return body.get("category") == category and bool(body.get("job_name"))
    return kind == RUN_LOG and isinstance(body.get("job_id"), str)


def unlogged_runs(messages: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the runs that messages say are not in the log."""
    return [body["job_id"] for body in messages if body["kind"] == RUN_LOG]


def is_done(
    body: Mapping[str, Any],
    plan: PlanDocument,
    chain: AbstractSet[str] | None = None,
    makes_up_for: tuple[str, ...] = (),
    open_rejects: AbstractSet[str] = frozenset(),
) -> bool:
    """Tell whether a message may be deleted now that the plan is stored.

    That is so if the plan runs the job again or has given it up (its row knows), or if its row is
    gone (then it has no RunCondition). A job that is skipped or cannot run yet keeps its message,
    and so does one that has failed since: a repeat of Plan Run may come so late that the run has
    begun. A rerun makes up only for the runs of its chain, not for other days. What a plan makes
    up for without running it is done as well. The pointer to rejects may go if the plan tries
    them, or if they are not among `open_rejects` any more.
    """
    if body["kind"] == RUN_LOG:
        return True
    if body["kind"] == reject_batch.KIND:
        return body["path"] in retried_paths(plan) or body["path"] not in open_rejects
    entries = {entry["JobName"]: entry for entry in plan["jobs"]}
    entry = entries.get(body["job_name"])
    if str(body.get("job_id", "")) >= plan["job_id"]:
        return False
    if entry is None:
        return str(body["job_name"]).startswith(makes_up_for)
    if chain is not None and body.get("job_id") not in chain:
        return False
    is_given_up = entry["Reason"].startswith(GIVEN_UP)
    return entry["Decision"] == Progress.PLANNED or not entry["RunCondition"] or is_given_up


def newly_failed(plan: PlanDocument) -> list[FailedJob]:
    """Return the due jobs that the plan cannot run, so that a later run makes up for them."""
    stuck = (Outcome.INVALID, Outcome.BLOCKED)
    return [
        _failed(entry, plan)
        for entry in plan["jobs"]
        if entry["Decision"] in stuck
        and entry["ShouldRunToday"]
        and not entry["LastFailure"]
        and not entry["Reason"].startswith(GIVEN_UP)
    ]


def _failed(entry: PlanEntry, plan: PlanDocument) -> FailedJob:
    return FailedJob(
        category=plan["category"],
        job_name=entry["JobName"],
        job_id=plan["job_id"],
        logical_date=plan["logical_date"],
        attempt=1,
        outcome=entry["Decision"],
        error="",
        cause=entry["Reason"],
        times=entry["FailedBefore"],
    )
