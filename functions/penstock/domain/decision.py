"""Which jobs of a category run on a day, which do not, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from penstock.domain import dependency_graph
from penstock.domain.outcome import Outcome, Progress, State
from penstock.domain.row_reader import Problem
from penstock.domain.run_condition import UnknownCalendarError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import date

    from penstock.domain.control_row import ControlRow, RowReading
    from penstock.domain.failed_job import FailedJob
    from penstock.domain.logical_date import LogicalDate

MOST_DEPENDENTS: Final = 5_000
"""The names of a job's dependents lie in its item of the run table, which may have 400 KB."""

_WEEKDAYS: Final = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")


@dataclass(frozen=True, slots=True)
class Day:
    """Everything outside the rows that decides what runs."""

    logical_date: LogicalDate
    environment: str
    calendars: Mapping[str, AbstractSet[date]]
    failed: Mapping[str, FailedJob]


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

    `check` raises ValueError for a row that cannot be turned into a plan line.
    """
    decisions = {
        reading.row.job_name: _alone(reading, day, check)
        for reading in sorted(readings, key=lambda reading: reading.row.job_name)
    }
    upstream = {
        name: [other for other in decision.row.depends_on if other in decisions]
        for name, decision in decisions.items()
    }
    _refuse_unknown(decisions)
    in_cycle = _refuse_cycles(decisions, upstream)
    _refuse_crowds(decisions, upstream)
    _settle_waits(decisions, upstream, in_cycle)
    return decisions


def _alone(reading: RowReading, day: Day, check: Callable[[ControlRow], None]) -> Decision:
    """Judge a row without looking at the others."""
    row = reading.row
    own_day = day.logical_date.for_zone(row.time_zone)
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
    except ValueError as error:
        problems.append(Problem("Arguments", str(error)))
    if problems:
        return _invalid(row, problems, is_due=is_due)
    if row.job_name in day.failed:
        return Decision(row, Progress.PLANNED, _retry_reason(day.failed[row.job_name]), is_due)
    if is_due:
        return Decision(row, Progress.PLANNED, f"due: {row.run_condition.text}", is_due)
    reason = f"not due on {_WEEKDAYS[own_day.weekday()]} {own_day}: {row.run_condition.text}"
    return Decision(row, Outcome.SKIPPED, reason)


def _is_due(reading: RowReading, own_day: date, day: Day) -> bool:
    """Tell whether the job is due; if nobody can tell, it counts as due, so that it is kept."""
    if reading.has_problem("RunCondition"):
        return True
    try:
        return reading.row.run_condition.is_due(own_day, day.calendars)
    except UnknownCalendarError:
        return True


def _retry_reason(failed: FailedJob) -> str:
    times = "once" if failed.times == 1 else f"{failed.times} times"
    return f"failed {times}, last for {failed.logical_date} in run {failed.job_id}"


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


def _refuse_unknown(decisions: dict[str, Decision]) -> None:
    for name, decision in list(decisions.items()):
        unknown = [repr(other) for other in decision.row.depends_on if other not in decisions]
        if unknown:
            no_job = "is no job" if len(unknown) == 1 else "are no jobs"
            category = decision.row.job_category
            _refuse(decisions, name, f"{', '.join(unknown)} {no_job} of {category}")


def _refuse_cycles(
    decisions: dict[str, Decision], upstream: Mapping[str, Iterable[str]]
) -> set[str]:
    members: set[str] = set()
    for group in dependency_graph.cycles(upstream):
        members.update(group)
        for name in group:
            _refuse(decisions, name, f"{', '.join(group)} wait for one another")
    return members


def _refuse_crowds(decisions: dict[str, Decision], upstream: Mapping[str, Iterable[str]]) -> None:
    for name, dependents in dependency_graph.downstream(upstream).items():
        if len(dependents) > MOST_DEPENDENTS:
            _refuse(decisions, name, f"more than {MOST_DEPENDENTS} jobs depend on this one")


def _settle_waits(
    decisions: dict[str, Decision], upstream: Mapping[str, list[str]], in_cycle: set[str]
) -> None:
    """Look through skipped jobs, and block the jobs whose upstream will never succeed."""
    open_ended = {name: [] if name in in_cycle else needed for name, needed in upstream.items()}
    waits: dict[str, dict[str, None]] = {}
    for name in dependency_graph.in_order(open_ended, lambda name: (0, name)):
        waits[name] = {}
        for other in open_ended[name]:
            skipped = decisions[other].state is Outcome.SKIPPED
            waits[name].update(waits[other] if skipped else {other: None})
        decision = decisions[name]
        if decision.is_planned:
            hopeless = [other for other in waits[name] if not decisions[other].is_planned]
            decisions[name] = (
                replace(
                    decision,
                    state=Outcome.BLOCKED,
                    reason=f"upstream {hopeless[0]} is {decisions[hopeless[0]].state}",
                )
                if hopeless
                else replace(decision, waits_on=tuple(waits[name]))
            )
