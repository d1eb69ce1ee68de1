"""What Plan Run decides beside the plan: the request, the day, what becomes of old failures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from penstock.domain import failed_job
from penstock.domain.control_row import NAME, RowReading, read_row
from penstock.domain.decision import Day
from penstock.domain.errors import InvalidRequestError, UnknownCategoryError
from penstock.domain.failed_job import FailedJob, latest_by_job
from penstock.domain.instant import written_of
from penstock.domain.lane import Lane
from penstock.domain.logical_date import logical_date_of, zone_of_category
from penstock.domain.outcome import Outcome, Progress
from penstock.domain.plan import RunFacts, counts_of, make_plan, plan_key
from penstock.domain.run_record import RunRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import date

    from penstock.domain.messages import PlanCounts, PlanRunRequest, PlanRunResponse, RunRequest
    from penstock.domain.plan_line import PlanDocument, PlanEntry
    from penstock.domain.site import Site

RUN_LOG: Final = "run_log"
"""The kind of the messages that say which run is not in the log."""


@dataclass(frozen=True, slots=True)
class RequestedRun:
    """The run to be planned, as the state machine asked for it."""

    job_id: str
    category: str
    trigger: str
    execution_arn: str
    started_at: str
    request: RunRequest


def requested_run(event: PlanRunRequest) -> RequestedRun:
    """Return what is asked for; raise InvalidRequestError if it names no category."""
    stated = event.get("input")
    category = stated.get("category") if isinstance(stated, dict) else None
    if not isinstance(category, str) or not NAME.fullmatch(category):
        example = '{"category": "Daily_Sales"}'
        raise InvalidRequestError(f"the execution's input needs a category, like {example}")
    return RequestedRun(
        job_id=event["job_id"],
        category=category,
        trigger=str(stated.get("trigger") or "manual"),
        execution_arn=event["execution_arn"],
        started_at=written_of(event["started_at"]),
        request=stated,
    )


def read_rows(rows: Sequence[Mapping[str, Any]], category: str) -> list[RowReading]:
    """Read the rows of a category; raise UnknownCategoryError if there are none."""
    if not rows:
        raise UnknownCategoryError(f"no row of the control table has the JobCategory {category!r}")
    return [read_row(row) for row in rows]


def calendars_of(readings: Iterable[RowReading]) -> set[str]:
    """Return the calendars that the run conditions except."""
    named = {reading.row.run_condition.calendar for reading in readings}
    return {name for name in named if name}


def plan_of(
    run: RequestedRun,
    readings: Sequence[RowReading],
    calendars: Mapping[str, AbstractSet[date]],
    messages: Iterable[Mapping[str, Any]],
    site: Site,
) -> PlanDocument:
    """Make the plan of a run; raise InvalidRequestError for a day that cannot be read."""
    zone = zone_of_category((reading.row.time_zone for reading in readings), site.time_zone)
    logical_date = logical_date_of(run.request, run.started_at, zone)
    facts = RunFacts(run.job_id, run.category, logical_date.run.isoformat(), site)
    failed = [FailedJob.from_message(body) for body in messages if body["kind"] == failed_job.KIND]
    day = Day(logical_date, site.environment, calendars, latest_by_job(failed))
    return make_plan(readings, facts, day)


def run_record(plan: PlanDocument, run: RequestedRun, unlogged: Iterable[str]) -> RunRecord:
    """Return the item of the run table for a run that is about to begin."""
    return RunRecord(
        job_id=run.job_id,
        category=run.category,
        logical_date=plan["logical_date"],
        trigger=run.trigger,
        execution_arn=run.execution_arn,
        started_at=run.started_at,
        plan_key=plan_key(run.job_id),
        unlogged_runs=tuple(unlogged),
        **counts_of(plan),
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
        "lane": Lane.LIVE,
        "duplicate_of": None,
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
    if kind == failed_job.KIND:
        return body.get("category") == category and bool(body.get("job_name"))
    return kind == RUN_LOG and isinstance(body.get("job_id"), str)


def unlogged_runs(messages: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the runs that messages say are not in the log."""
    return [body["job_id"] for body in messages if body["kind"] == RUN_LOG]


def is_done(body: Mapping[str, Any], plan: PlanDocument) -> bool:
    """Tell whether a message may be deleted now that the plan is stored.

    That is so if the plan runs the job again, or if its row is gone (then it has no RunCondition).
    A job that is skipped or cannot run yet keeps its message, and so does one that has failed
    since: a repeat of Plan Run may come so late that the run has begun.
    """
    if body["kind"] == RUN_LOG:
        return True
    entries = {entry["JobName"]: entry for entry in plan["jobs"]}
    entry = entries.get(body["job_name"])
    if entry is None or str(body.get("job_id", "")) >= plan["job_id"]:
        return False
    return entry["Decision"] == Progress.PLANNED or not entry["RunCondition"]


def newly_failed(plan: PlanDocument) -> list[FailedJob]:
    """Return the due jobs that the plan cannot run, so that a later run makes up for them."""
    stuck = (Outcome.INVALID, Outcome.BLOCKED)
    return [
        _failed(entry, plan)
        for entry in plan["jobs"]
        if entry["Decision"] in stuck and entry["ShouldRunToday"] and not entry["FailedBefore"]
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
        times=1,
    )
