"""Which jobs of a category run on a day, which do not, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from penstock.domain import dependency_graph
from penstock.domain.lane import Lane
from penstock.domain.outcome import Outcome, Progress, State
from penstock.domain.row_reader import BadValueError, Problem
from penstock.domain.run_condition import UnknownCalendarError
from penstock.domain.waits import Waits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import date

    from penstock.domain.control_row import ControlRow, RowReading
    from penstock.domain.failed_job import FailedJob
    from penstock.domain.logical_date import LogicalDate
    from penstock.domain.reject_batch import RejectBatch
    from penstock.domain.rerun import Rerun
    from penstock.domain.upstream import OutsideJob

MOST_DEPENDENTS: Final = 5_000
"""The names of a job's dependents lie in its item of the run table, which may have 400 KB."""

GIVEN_UP: Final = "given up"
"""How the reason begins of a job that stays out until someone acts."""

_WEEKDAYS: Final = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")


@dataclass(frozen=True, slots=True)
class Day:
    """Everything outside the rows that decides what runs.

    `failed` are the jobs that earlier runs have failed at, `outside` the jobs of other categories
    that these depend on, directly or not, `rerun` the run whose failed jobs are to run again, and
    `rejects` what jobs have rejected in earlier runs.
    """

    logical_date: LogicalDate
    environment: str
    calendars: Mapping[str, AbstractSet[date]]
    failed: Mapping[str, FailedJob]
    outside: Mapping[str, OutsideJob] = field(default_factory=dict)
    rerun: Rerun | None = None
    lane: str = Lane.LIVE
    rejects: Mapping[str, Sequence[RejectBatch]] = field(default_factory=dict)

    def rejects_for(self, job_name: str, state: State) -> Sequence[RejectBatch]:
        """Return the batches that a job tries again; one that does not run tries none."""
        return self.rejects.get(job_name, ()) if state is Progress.PLANNED else ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one row: PLANNED, or SKIPPED, INVALID or BLOCKED with the reason.

    `waits_on` names the planned jobs whose success the job needs: those it depends on, and in
    place of a skipped one those that the skipped one depends on.
    """

    row: ControlRow
    state: State
    reason: str
    is_due: bool = False
    problems: tuple[Problem, ...] = ()
    waits_on: tuple[str, ...] = ()

    @property
    def is_planned(self) -> bool:
        """Tell whether the job will run."""
        return self.state is Progress.PLANNED


def decide(
    readings: Sequence[RowReading], day: Day, check: Callable[[ControlRow], None]
) -> dict[str, Decision]:
    """Return the decision for each row, by job name.

    `check` raises BadValueError for a row that cannot be turned into a plan line.
    """
    decisions = {
        reading.row.job_name: decide_alone(reading, day, check)
        for reading in sorted(readings, key=lambda reading: reading.row.job_name)
    }
    graph = {name: decision.row.depends_on for name, decision in decisions.items()}
    graph |= {name: job.depends_on for name, job in day.outside.items()}
    upstream = {name: [n for n in needed if n in graph] for name, needed in graph.items()}
    _refuse_unknown(decisions, day)
    in_cycle = _refuse_cycles(decisions, upstream)
    _refuse_crowds(decisions, upstream)
    Waits(decisions, day, in_cycle).settle()
    return decisions


def decide_alone(
    reading: RowReading, day: Day, check: Callable[[ControlRow], None] = lambda _: None
) -> Decision:
    """Judge a row without looking at the others."""
    row = reading.row
    own_day = day.logical_date.for_zone(row.time_zone)
    if day.rerun is not None and not day.rerun.is_chosen(row.job_name):
        return Decision(row, Outcome.SKIPPED, day.rerun.reason_to_leave_out(row.job_name))
    if not row.is_for(day.environment):
        return Decision(row, Outcome.SKIPPED, f"belongs to {', '.join(row.environment)}")
    if row.is_skipped_on(own_day) and not reading.has_problem("SkipFlag", "SkipUntil"):
        return Decision(row, Outcome.SKIPPED, _skip_reason(row))
    is_due, problems = _is_due(reading, own_day, day), list(reading.problems)
    if row.run_condition.calendar not in (None, *day.calendars):
        unknown = f"there is no calendar {row.run_condition.calendar!r}"
        problems.append(Problem("RunCondition", unknown))
    try:
        check(row)
    except BadValueError as error:
        problems.append(Problem(error.field, str(error)))
    if problems:
        return _invalid(row, problems, is_due=is_due)
    return _due(row, own_day, day, is_due=is_due)


def _due(row: ControlRow, own_day: date, day: Day, *, is_due: bool) -> Decision:
    """Decide on a good row by what has failed before and by its RunCondition."""
    failed = day.failed.get(row.job_name)
    if day.rerun is not None:
        before = day.rerun.jobs[row.job_name]
        reason = f"{before.state} in run {before.job_id}, run again"
        return Decision(row, Progress.PLANNED, reason, is_due)
    times = failures_before(row, day)
    if times >= row.max_attempts:
        last = failed.job_id if failed else row.recorded.job_id
        return Decision(row, Outcome.BLOCKED, _given_up(row, last, times), is_due)
    if failed:
        return Decision(row, Progress.PLANNED, _retry_reason(failed, times), is_due)
    if is_due:
        return Decision(row, Progress.PLANNED, f"due: {row.run_condition.text}", is_due)
    reason = f"not due on {_WEEKDAYS[own_day.weekday()]} {own_day}: {row.run_condition.text}"
    return Decision(row, Outcome.SKIPPED, reason)


def failures_before(row: ControlRow, day: Day) -> int:
    """Return how many runs in a row have failed at the job; a backfill does not count them."""
    if day.lane == Lane.BACKFILL:
        return 0
    failed = day.failed.get(row.job_name)
    return max(row.recorded.failures_in_a_row, failed.times if failed else 0)


def _is_due(reading: RowReading, own_day: date, day: Day) -> bool:
    """Tell whether the job is due; if nobody can tell, it counts as due, so that it is kept."""
    if reading.has_problem("RunCondition"):
        return True
    try:
        return reading.row.run_condition.is_due(own_day, day.calendars)
    except UnknownCalendarError:
        return True


def _retry_reason(failed: FailedJob, times: int) -> str:
    last = f"for {failed.logical_date} in run {failed.job_id}"
    if times == 0:
        return f"did not run {last}"
    return f"failed {'once' if times == 1 else f'{times} times'}, last {last}"


def _given_up(row: ControlRow, last: str, times: int) -> str:
    """Return why a job stays out, and what makes it come back."""
    return (
        f"{GIVEN_UP} after {times} failures in a row (MaxAttempts {row.max_attempts}), last in run "
        f"{last}: mend it, then `penstock rerun {last} --job {row.job_name}`"
    )


def _skip_reason(row: ControlRow) -> str:
    until = f" until {row.skip_until}" if row.skip_until else ""
    return f"SkipFlag{until}: {row.skip_reason or 'no reason given'}"


def _invalid(row: ControlRow, problems: Sequence[Problem], *, is_due: bool) -> Decision:
    reason = "; ".join(map(str, problems))
    return Decision(row, Outcome.INVALID, reason, is_due, tuple(problems))


def _refuse(decisions: dict[str, Decision], name: str, message: str) -> None:
    """Make a job INVALID for its dependencies, unless it does not run anyway."""
    decision = decisions[name]
    if decision.state is not Outcome.SKIPPED:
        problems = (*decision.problems, Problem("DependsOn", message))
        decisions[name] = _invalid(decision.row, problems, is_due=decision.is_due)


def _refuse_unknown(decisions: dict[str, Decision], day: Day) -> None:
    known = decisions.keys() | day.outside.keys()
    for name, decision in list(decisions.items()):
        unknown = [repr(other) for other in decision.row.depends_on if other not in known]
        if unknown:
            no_job = "is no job" if len(unknown) == 1 else "are no jobs"
            _refuse(decisions, name, f"{', '.join(unknown)} {no_job} of the control table")


def _refuse_cycles(
    decisions: dict[str, Decision], upstream: Mapping[str, Iterable[str]]
) -> set[str]:
    members: set[str] = set()
    for group in dependency_graph.cycles(upstream):
        members.update(group)
        for name in decisions.keys() & set(group):
            _refuse(decisions, name, f"{', '.join(group)} wait for one another")
    return members


def _refuse_crowds(decisions: dict[str, Decision], upstream: Mapping[str, Iterable[str]]) -> None:
    for name, dependents in dependency_graph.downstream(upstream).items():
        if len(dependents) > MOST_DEPENDENTS and name in decisions:
            _refuse(decisions, name, f"more than {MOST_DEPENDENTS} jobs depend on this one")
