"""How a run looks in a terminal while it goes on, and in a log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from penstock_cli.run_view import JobView

STYLES = {
    "SUCCEEDED": "green",
    "FAILED": "bold red",
    "TIMED_OUT": "bold red",
    "ABORTED": "red",
    "INVALID": "red",
    "BLOCKED": "yellow",
    "RUNNING": "cyan",
    "SKIPPED": "dim",
}
MARKS = {
    "SUCCEEDED": "✔",
    "FAILED": "✘",
    "TIMED_OUT": "✘",
    "ABORTED": "✘",
    "INVALID": "✘",
    "BLOCKED": "■",
    "RUNNING": "▶",
}


class Progress:
    """Shows the jobs of a run as they go: a live table, or one line per change in a log."""

    def __init__(self, console: Console, title: str) -> None:
        self._console = console
        self._title = title
        self._seen: dict[str, str] = {}
        self._live = Live(console=console, refresh_per_second=8) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        if self._live is not None:
            self._live.__exit__(None, None, None)

    def show(self, jobs: Sequence[JobView], *, ended: bool = False) -> None:
        """Bring the display up to date."""
        if self._live is not None:
            self._live.update(self._picture(jobs, ended))
            return
        for job in jobs:
            if self._seen.get(job.name) != job.state:
                self._seen[job.name] = job.state
                self._console.print(log_line(job), highlight=False, soft_wrap=True)
        if ended:
            self._console.print()
            self._console.print(job_table(jobs))

    def _picture(self, jobs: Sequence[JobView], ended: bool) -> Group | Table:
        table = job_table(jobs)
        if ended:
            return table
        done = sum(job.ended for job in jobs)
        words = f" {self._title}: {done} of {len(jobs)} jobs done" if jobs else f" {self._title}"
        return (
            Group(table, Spinner("dots", text=Text(words, style="dim")))
            if jobs
            else Group(Spinner("dots", text=Text(words, style="dim")))
        )


def job_table(jobs: Sequence[JobView]) -> Table:
    """The jobs of a run with their state, rows and seconds."""
    table = Table(box=None, pad_edge=False, collapse_padding=True, header_style="dim")
    table.add_column("")
    table.add_column("job", no_wrap=True)
    table.add_column("type", style="dim")
    table.add_column("state")
    for name in ("read", "written", "rejected", "seconds"):
        table.add_column(name, justify="right")
    for job in jobs:
        style = STYLES.get(job.state, "dim")
        table.add_row(
            Text(MARKS.get(job.state, "·"), style=style),
            job.name,
            job.type,
            Text(job.state, style=style),
            number(job.rows_read),
            number(job.rows_written),
            number(job.rows_rejected),
            "" if job.seconds is None else f"{job.seconds:.1f}",
        )
    return table


def log_line(job: JobView) -> str:
    """One line that says how a job stands."""
    parts = [f"{job.state:<10}", job.name]
    if job.ended and job.rows_written is not None:
        parts.append(f"({number(job.rows_read)} read, {number(job.rows_written)} written)")
    if job.error:
        parts.append(f"- {job.error}")
    return " ".join(parts)


def number(value: int | None) -> str:
    """A count with thousands separators; empty when it is not known."""
    return "" if value is None else f"{value:,}"


def row_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Database rows, each as a column of names and values: for rows with many columns."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim")
    for _ in rows:
        table.add_column(overflow="fold")
    for name in rows[0] if rows else ():
        table.add_row(name, *("" if row[name] is None else str(row[name]) for row in rows))
    return table


def loaded_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Database rows, one a line."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name, value in (rows[0] if rows else {}).items():
        table.add_column(name, justify="right" if isinstance(value, int) else "left")
    for row in rows:
        cells = [number(cell) if isinstance(cell, int) else str(cell) for cell in row.values()]
        table.add_row(*cells)
    return table
