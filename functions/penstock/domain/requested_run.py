"""The run that the input of an execution asks for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast

from penstock.domain.control_row import NAME
from penstock.domain.errors import InvalidRequestError
from penstock.domain.instant import UNSUBSTITUTED, written_of
from penstock.domain.lane import Lane
from penstock.domain.open_run import OpenRun

if TYPE_CHECKING:
    from penstock.domain.messages import PlanRunRequest, RunRequest
    from penstock.domain.run_record import RunRecord

SCHEDULE: Final = "schedule"
_EXAMPLE: Final = (
    "the execution's input needs a category, like "
    '{"category": "Daily_Sales"}, or a run to run again, like {"rerun_of": "<job ID>"}'
)


@dataclass(frozen=True, slots=True)
class RequestedRun:
    """The run to be planned, as the state machine asked for it.

    A rerun has no category yet; it is that of the run `rerun_of`. `only` limits it to some jobs.
    """

    job_id: str
    category: str
    trigger: str
    execution_arn: str
    started_at: str
    request: RunRequest
    lane: str = Lane.LIVE
    rerun_of: str = ""
    only: tuple[str, ...] = ()

    @property
    def is_extract(self) -> bool:
        """Tell whether the run is of tables to extract, not of rows of the control table."""
        return "tables_to_extract" in self.request

    @property
    def scheduled_time(self) -> str | None:
        """Return the time of the schedule that has started the run, if one has."""
        stated = str(self.request.get("scheduled_time") or "")
        is_scheduled = self.trigger == SCHEDULE and stated not in ("", UNSUBSTITUTED)
        return stated if is_scheduled else None

    def open_run(self, logical_date: str) -> OpenRun:
        """Return the run as the lease knows it."""
        return OpenRun(
            self.job_id,
            self.category,
            logical_date,
            self.execution_arn,
            self.started_at,
            self.lane,
        )

    def as_rerun(self, run: RunRecord) -> RequestedRun:
        """Return the rerun with all that it has in common with the run that it repeats."""
        return replace(self, category=run.category, lane=run.lane)


def requested_run(event: PlanRunRequest) -> RequestedRun:
    """Return what is asked for; raise InvalidRequestError if it is nothing that can be run."""
    stated: Any = event.get("input")
    if not isinstance(stated, dict):
        raise InvalidRequestError(_EXAMPLE)
    rerun, category = stated.get("rerun_of") or "", stated.get("category") or ""
    if rerun and not isinstance(rerun, str):
        raise InvalidRequestError("rerun_of is the job ID of a run, a text")
    if not rerun and not (isinstance(category, str) and NAME.fullmatch(category)):
        raise InvalidRequestError(_EXAMPLE)
    lane = stated.get("lane") or Lane.LIVE
    if lane not in list(Lane):
        raise InvalidRequestError(f"lane: {lane!r} is none of {', '.join(Lane)}")
    if lane == Lane.BACKFILL and not (rerun or stated.get("logical_date")):
        raise InvalidRequestError("logical_date: is missing; a backfill is for a day that is past")
    return RequestedRun(
        job_id=event["job_id"],
        category="" if rerun else category,
        trigger=str(stated.get("trigger") or ("rerun" if rerun else "manual")),
        execution_arn=event["execution_arn"],
        started_at=written_of(event["started_at"]),
        request=cast("RunRequest", stated),
        lane=str(lane),
        rerun_of=rerun,
        only=_only(stated),
    )


def _only(stated: Any) -> tuple[str, ...]:
    jobs: Any = stated.get("jobs") or ()
    if not isinstance(jobs, (list, tuple)) or not all(isinstance(job, str) for job in jobs):
        raise InvalidRequestError("jobs: has to be a list of job names")
    if jobs and not stated.get("rerun_of"):
        raise InvalidRequestError("jobs: goes with rerun_of; a run of a category runs what is due")
    return tuple(jobs)
