"""Silent categories: a schedule used to start them, jobs are due, and no run has come.

What runs by schedule is learned from the list of runs, so that no schedule has to be declared
twice. Nobody is told of a weekday on which the schedule does not use to fire.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from penstock.domain.instant import day_at, parse_day, parse_instant, zone
from penstock.domain.lane import Lane
from penstock.domain.logical_date import zone_of_category
from penstock.domain.outcome import Verdict
from penstock.domain.run_condition import UnknownCalendarError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from penstock.domain.control_row import RowReading
    from penstock.domain.run_record import RunRecord

REMEMBERED: Final = timedelta(days=35)
RECENT: Final = timedelta(days=8)
GRACE: Final = timedelta(minutes=60)
A_DAY: Final = timedelta(days=1)
SCHEDULE: Final = "schedule"
MOST_NAMED: Final = 50


@dataclass(frozen=True, slots=True)
class Silence:
    """Jobs that should have run for a day and did not; `is_whole`: no run has come at all."""

    category: str
    day: date
    jobs: tuple[str, ...]
    is_whole: bool = True

    def line(self) -> str:
        """Return what people read."""
        names = ", ".join(self.jobs[:MOST_NAMED])
        if self.jobs[MOST_NAMED:]:
            names += f" and {len(self.jobs) - MOST_NAMED} more"
        if self.is_whole:
            return f"{self.category} has not run for {self.day}. Due are: {names}"
        return f"{self.category} has run for {self.day}, but without these due jobs: {names}"


@dataclass(frozen=True, slots=True)
class ScheduledCategory:
    """A category with its runs of the last weeks, of which at least one came by schedule."""

    name: str
    runs: tuple[RunRecord, ...]
    zone: str

    def runs_for(self, day: date) -> list[RunRecord]:
        """Return the runs that did the work of the day, or are at it."""
        return [run for run in self.runs if _day_of(run, self.zone) == day]

    def is_awaited(self, day: date, now: datetime) -> bool:
        """Tell whether a run for the day should have come by now, going by the runs before."""
        scheduled = [run for run in self.runs if run.trigger == SCHEDULE]
        return self._fires_on(day, scheduled) and now > self._latest_start(day, scheduled, now)

    def _fires_on(self, day: date, scheduled: Sequence[RunRecord]) -> bool:
        """Tell whether most of the same weekdays have had a run, as far back as is known."""
        days = {_day_of(run, self.zone) for run in scheduled}
        first = min(days, default=day)
        weeks = [day - timedelta(weeks=number) for number in range(1, 5)]
        known = [other for other in weeks if other >= first]
        return 2 * sum(other in days for other in known) >= len(known)

    def _latest_start(self, day: date, scheduled: Sequence[RunRecord], now: datetime) -> datetime:
        """Return when at the latest the run of the day uses to have started, and an hour more."""
        recent = [run for run in scheduled if now - parse_instant(run.started_at) <= RECENT]
        after = max(_after_midnight(run, self.zone) for run in recent or scheduled)
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone(self.zone))
        return midnight + after + GRACE


def since(now: datetime) -> str:
    """Return how job IDs begin that are as old as anybody looks back."""
    return f"{now - REMEMBERED:%Y%m%dT}"


def by_category(runs: Iterable[RunRecord]) -> dict[str, list[RunRecord]]:
    """Return the live runs of each category that a schedule has started at least once."""
    found: dict[str, list[RunRecord]] = {}
    for run in runs:
        is_work = run.lane != Lane.BACKFILL and run.verdict is not Verdict.DUPLICATE
        if is_work and run.category and run.started_at:
            found.setdefault(run.category, []).append(run)
    return {
        name: listed
        for name, listed in found.items()
        if any(run.trigger == SCHEDULE for run in listed)
    }


def scheduled_category(
    name: str, runs: Sequence[RunRecord], readings: Sequence[RowReading], default_zone: str
) -> ScheduledCategory:
    """Return a category in the zone on which its rows agree."""
    zones = (reading.row.time_zone for reading in readings)
    return ScheduledCategory(name, tuple(runs), zone_of_category(zones, default_zone))


def days_to_judge(now: datetime, zone_name: str) -> tuple[date, date]:
    """Return yesterday and today in the zone."""
    today = now.astimezone(zone(zone_name)).date()
    return today - timedelta(days=1), today


def due_jobs(
    readings: Iterable[RowReading],
    day: date,
    environment: str,
    calendars: Mapping[str, AbstractSet[date]],
) -> list[str]:
    """Return the jobs that are due; one whose condition nobody can read counts as due."""
    return sorted(
        reading.row.job_name
        for reading in readings
        if reading.row.is_for(environment)
        and not reading.row.is_skipped_on(day)
        and _is_due(reading, day, calendars)
    )


def subject_of(silences: Sequence[Silence]) -> str:
    """Return the subject of the message."""
    first = silences[0]
    more = f" and {len(silences) - 1} more" if silences[1:] else ""
    return f"Penstock SILENT: {first.category} {first.day}{more}"


def message_of(silences: Sequence[Silence]) -> str:
    """Return the message for people."""
    advice = (
        "If that is not as it should be, look at the schedule, at the queue of starts that it gave "
        "up, and at the rows; then start the pipeline with the category and the logical_date."
    )
    return "\n".join([*(silence.line() for silence in silences), "", advice, ""])


def _is_due(reading: RowReading, day: date, calendars: Mapping[str, AbstractSet[date]]) -> bool:
    if reading.has_problem("RunCondition"):
        return True
    try:
        return reading.row.run_condition.is_due(day, calendars)
    except UnknownCalendarError:
        return True


def _day_of(run: RunRecord, zone_name: str) -> date:
    """Return the logical date; of a run that could not be planned, the day it has started on."""
    if run.logical_date:
        return parse_day(run.logical_date)
    return day_at(parse_instant(run.started_at), zone_name)


def _after_midnight(run: RunRecord, zone_name: str) -> timedelta:
    """Return the time of day at which a run has started, counted from its logical date."""
    day = _day_of(run, zone_name)
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone(zone_name))
    return min(parse_instant(run.started_at).astimezone(zone(zone_name)) - midnight, A_DAY)
