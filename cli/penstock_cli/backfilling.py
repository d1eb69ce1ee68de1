"""`penstock backfill`: one run per logical date, a few at a time."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from penstock.domain.errors import PenstockError
from penstock.domain.lane import Lane
from penstock.domain.outcome import Verdict
from penstock.domain.planning import read_rows
from penstock.domain.run_record import RunRecord
from penstock_cli import pipeline
from penstock_cli.errors import CommandError
from penstock_cli.following import LONG_PAUSE, PAUSE, start
from penstock_cli.stack import Stack

MOST_DAYS = 1_000
STYLES = {"SUCCEEDED": "green", "PARTIAL": "yellow", "FAILED": "bold red", "DUPLICATE": "yellow"}


@dataclass
class Day:
    """One logical date and the run for it; the verdict is None until that has ended."""

    date: str
    execution: str | None = None
    job_id: str | None = None
    verdict: str | None = None
    is_old: bool = field(default=False)

    @property
    def is_open(self) -> bool:
        """Whether a run for the date is under way."""
        return self.execution is not None and self.verdict is None

    @property
    def words(self) -> str:
        """How the date stands, for people."""
        if self.verdict:
            return f"{self.verdict}{' (before)' if self.is_old else ''}"
        return "running" if self.execution else "waiting"


def backfill(
    console: Console,
    stack: Stack,
    category: str,
    dates: Sequence[str],
    parallel: int,
    *,
    again: bool,
) -> int:
    """Run a category for each of the dates; return the exit code of the command.

    Dates whose newest backfill has succeeded are passed over unless `again`. When it is
    interrupted, the runs that are under way go on; the same command goes on from there.
    """
    try:
        read_rows(stack.control.rows_of_category(category), category)
    except PenstockError as error:
        raise CommandError(f"nothing was started: {error}") from error
    days = [_known(stack, category, date, again=again) for date in dates]
    try:
        with _Display(console, category) as display:
            _run(stack, category, days, parallel, display)
    except KeyboardInterrupt:
        open_days = ", ".join(day.date for day in days if day.is_open) or "none"
        console.print(f"\nInterrupted. Runs that go on: {open_days}. The same command resumes.")
        return 130
    failed = [day for day in days if day.verdict != Verdict.SUCCEEDED]
    for day in failed:
        console.print(f"{day.date}: {day.verdict}; penstock rerun {day.job_id}", highlight=False)
    return 1 if failed else 0


def dates_between(first: dt.date, last: dt.date) -> list[str]:
    """All dates from the first to the last; CommandError if there are none or too many."""
    count = (last - first).days + 1
    if count < 1:
        raise CommandError(f"--from {first} is after --to {last}")
    if count > MOST_DAYS:
        raise CommandError(f"{count} days are more than {MOST_DAYS}; take fewer at a time")
    return [(first + dt.timedelta(days=number)).isoformat() for number in range(count)]


def _known(stack: Stack, category: str, date: str, *, again: bool) -> Day:
    runs = [run for run in stack.run_table.runs_for(category, date) if _is_backfill(run)]
    if runs and runs[-1].verdict is Verdict.SUCCEEDED and not again:
        return Day(date, job_id=runs[-1].job_id, verdict="SUCCEEDED", is_old=True)
    if runs and runs[-1].verdict is None:
        return Day(date, execution=runs[-1].execution_arn, job_id=runs[-1].job_id)
    return Day(date)


def _is_backfill(run: RunRecord) -> bool:
    return run.lane == Lane.BACKFILL and not run.duplicate_of


def _run(
    stack: Stack, category: str, days: Sequence[Day], parallel: int, display: _Display
) -> None:
    states = stack.client("stepfunctions")
    pause = PAUSE if stack.instance else LONG_PAUSE
    while any(day.verdict is None for day in days):
        for day in days:
            if day.is_open:
                _look(stack, states, day)
        free = parallel - sum(day.is_open for day in days)
        for day in [day for day in days if not day.execution and not day.verdict][: max(0, free)]:
            request = {
                "category": category, "logical_date": day.date,
                "lane": Lane.BACKFILL, "trigger": "backfill",
            }  # fmt: skip
            day.execution = start(stack, request)
        display.show(days)
        if any(day.is_open for day in days):
            time.sleep(pause)
    display.show(days)


def _look(stack: Stack, states: object, day: Day) -> None:
    """Note how the run for a day stands."""
    assert day.execution is not None
    ended = pipeline.ending(states, day.execution)
    day.job_id = day.job_id or pipeline.job_id(states, day.execution)
    if ended is not None:
        run = stack.run_table.run(day.job_id) if day.job_id else None
        day.verdict = str(run.verdict) if run and run.verdict else "FAILED"


class _Display:
    """The days as they go: a live table, or in a log one line per change."""

    def __init__(self, console: Console, category: str) -> None:
        self._console = console
        self._category = category
        self._seen: dict[str, str] = {}
        self._live = Live(console=console, refresh_per_second=4) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        if self._live:
            self._live.__exit__(None, None, None)

    def show(self, days: Sequence[Day]) -> None:
        """Bring the display up to date."""
        if self._live:
            self._live.update(self._table(days))
            return
        for day in days:
            if day.words not in ("waiting", self._seen.get(day.date)):
                self._seen[day.date] = day.words
                self._console.print(f"{day.date}  {day.words}", highlight=False)

    def _table(self, days: Sequence[Day]) -> Table:
        """The days that are not waiting, the last of them, and how many there are."""
        begun = [day for day in days if day.execution or day.verdict]
        table = Table(box=None, pad_edge=False, header_style="dim")
        for name in ("date", "verdict", "job ID"):
            table.add_column(name, no_wrap=True)
        for day in begun[-20:]:
            style = STYLES.get(day.verdict or "", "cyan")
            table.add_row(day.date, Text(day.words, style=style), Text(day.job_id or "", "dim"))
        done = sum(day.verdict is not None for day in days)
        table.caption = f"{self._category}: {done} of {len(days)} days done"
        table.caption_justify = "left"
        return table
