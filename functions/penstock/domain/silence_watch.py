"""The hourly look for categories that should have run and did not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from penstock.domain import silence
from penstock.domain.control_row import read_row
from penstock.domain.instant import written
from penstock.domain.silence import ScheduledCategory, Silence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from datetime import date, datetime

    from penstock.domain.job_record import JobRecord
    from penstock.domain.run_record import RunRecord
    from penstock.domain.site import Site


class RunList(Protocol):
    """The list of runs."""

    def runs_since(self, job_id: str) -> list[RunRecord]:
        """Return all runs from a job ID on, the oldest first."""

    def jobs_of(self, job_id: str) -> list[JobRecord]:
        """Return all jobs of a run."""


class Rows(Protocol):
    """The control table."""

    def rows_of_category(self, category: str) -> Iterable[dict[str, Any]]:
        """Return the rows of a category."""

    def calendars(self, names: Iterable[str]) -> Mapping[str, AbstractSet[date]]:
        """Return those of the calendars that exist."""


class ToldDays(Protocol):
    """The days of which people know."""

    def is_told(self, category: str, day: str) -> bool:
        """Tell whether people know."""

    def note(self, category: str, day: str, now: str) -> None:
        """Note that people know."""


class Topic(Protocol):
    """Where people hear of it."""

    def publish(self, subject: str, text: str, verdict: str) -> None:
        """Send one message."""


class SilenceWatch:
    """Compares what is due with what has run, and tells people once per category and day."""

    def __init__(self, runs: RunList, rows: Rows, told: ToldDays, topic: Topic, site: Site) -> None:
        self._runs = runs
        self._rows = rows
        self._told = told
        self._topic = topic
        self._site = site

    def check(self, now: datetime) -> int:
        """Tell people what is silent that they do not know of yet; return how much that is."""
        runs = silence.by_category(self._runs.runs_since(silence.since(now)))
        found = [
            silent
            for name, listed in sorted(runs.items())
            for silent in self._silences(name, listed, now)
            if not self._told.is_told(silent.category, silent.day.isoformat())
        ]
        if found:
            subject, text = silence.subject_of(found), silence.message_of(found)
            self._topic.publish(subject, text, "SILENT")
        for silent in found:
            self._told.note(silent.category, silent.day.isoformat(), written(now))
        return len(found)

    def _silences(self, name: str, runs: list[RunRecord], now: datetime) -> Iterator[Silence]:
        rows = list(self._rows.rows_of_category(name))
        readings = [read_row(row) for row in rows]
        category = silence.scheduled_category(name, runs, readings, self._site.time_zone)
        named = {reading.row.run_condition.calendar for reading in readings}
        calendars = self._rows.calendars({calendar for calendar in named if calendar})
        yesterday, today = silence.days_to_judge(now, category.zone)
        for day in (yesterday, today):
            due = silence.due_jobs(readings, day, self._site.environment, calendars)
            found = category.runs_for(day)
            if not found and due and category.is_awaited(day, now):
                yield Silence(name, day, tuple(due))
            elif found and day == yesterday:
                has_run = {str(row["JobName"]) for row in rows if row.get("LastJobId")}
                yield from self._forgotten(category, day, has_run.intersection(due), found)

    def _forgotten(
        self, category: ScheduledCategory, day: date, due: set[str], runs: list[RunRecord]
    ) -> Iterator[Silence]:
        """Yield the due jobs that no run of the day knew, although they have run before."""
        known = {job.job_name for run in runs for job in self._runs.jobs_of(run.job_id)}
        if known and due - known:  # of a day that could not be planned people have heard
            yield Silence(category.name, day, tuple(sorted(due - known)), is_whole=False)
