"""Upstream jobs of other categories: how they stand for a logical date."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from penstock.domain.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from penstock.domain.control_row import RowReading
    from penstock.domain.job_record import JobRecord


class Standing(StrEnum):
    """What an upstream job of another category means to the jobs that depend on it."""

    SUCCEEDED = "SUCCEEDED"
    UNSUCCESSFUL = "UNSUCCESSFUL"
    PENDING = "PENDING"
    LEFT_OUT = "LEFT_OUT"


@dataclass(frozen=True, slots=True)
class OutsideJob:
    """A job of another category; `depends_on` is what it depends on itself."""

    name: str
    category: str
    standing: Standing
    why: str
    depends_on: tuple[str, ...] = ()


def outside_job(reading: RowReading, record: JobRecord | None, left_out: str) -> OutsideJob:
    """Judge a job by its newest record for the day; `left_out` says why it will not run, if so."""
    row = reading.row
    standing, why = Standing.PENDING, "it has not run yet"
    if record is not None:
        why = f"{record.state} in run {record.job_id}"
        if record.outcome is Outcome.SUCCEEDED:
            standing = Standing.SUCCEEDED
        elif record.outcome is not None:
            standing = Standing.UNSUCCESSFUL
    elif left_out:
        standing, why = Standing.LEFT_OUT, left_out
    return OutsideJob(row.job_name, row.job_category, standing, why, row.depends_on)


def outside_readings(
    readings: Sequence[RowReading], rows_named: Callable[[Iterable[str]], list[RowReading]]
) -> list[RowReading]:
    """Return the rows of other categories on which these depend, directly or through others."""
    known = {reading.row.job_name for reading in readings}
    found: list[RowReading] = []
    level = {name for reading in readings for name in reading.row.depends_on} - known
    while level:
        more = rows_named(sorted(level))
        found += more
        known |= level
        level = {name for reading in more for name in reading.row.depends_on} - known
    return found


def by_category(readings: Iterable[RowReading]) -> Mapping[str, list[str]]:
    """Return the names of the jobs by their category."""
    names: dict[str, list[str]] = {}
    for reading in readings:
        names.setdefault(reading.row.job_category, []).append(reading.row.job_name)
    return names
