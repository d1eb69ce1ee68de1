"""The rules about a data set as a whole; they fail the job, or warn.

{rule: row_count, min: 100, max: 5000}              how many rows are written
{rule: row_count, max_change: 0.5}                  compared with the day published before
{rule: freshness, column: updated_at, max_age: 26 hours}
                                                    before the end of the logical date,
                                                    or (since: now) before this moment
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from penstock_job.column_type import DATE, TIMESTAMP, ColumnType
from penstock_job.dialect import Dialect
from penstock_job.errors import RuleViolatedError, SpecificationError
from penstock_job.problems import Problems, read_text, require_known
from penstock_job.rule import FAIL_JOB, WARN, is_table_rule, read_severity

ROW_COUNT, FRESHNESS = "row_count", "freshness"
LOGICAL_DATE, NOW = "logical_date", "now"
NEVER = -(2**62)
"""What stands for the time of the newest record where there is none."""

_COMMON = ("rule", "severity", "message")
KEYS = {
    ROW_COUNT: (*_COMMON, "min", "max", "max_change"),
    FRESHNESS: (*_COMMON, "column", "max_age", "since"),
}
_AGE = re.compile(r"(\d+)\s*(minute|hour|day)s?")


@dataclass(frozen=True)
class RowCount:
    """How many rows may be written: a band, a share of the last time's rows, or both."""

    severity: str
    message: str | None
    least: int | None
    most: int | None
    max_change: float | None

    def violation(self, rows: int, before: int | None) -> str | None:
        """What is wrong with so many rows; `before` is None where nothing was published yet."""
        if self.least is not None and rows < self.least:
            return self.message or f"{rows} rows are fewer than {self.least}"
        if self.most is not None and rows > self.most:
            return self.message or f"{rows} rows are more than {self.most}"
        if self.max_change is None or before is None:
            return None
        if abs(rows - before) <= self.max_change * before:
            return None
        return self.message or (
            f"{rows} rows differ from the {before} of the last time by more than "
            f"{self.max_change:.0%}"
        )


@dataclass(frozen=True)
class Freshness:
    """How old the newest record may be."""

    severity: str
    message: str | None
    column: str
    max_age: timedelta
    since: str

    def violation(self, newest: int, logical_date: str, now: datetime) -> str | None:
        """What is wrong with a newest record of this time, in seconds since 1970 (UTC)."""
        if newest == NEVER:
            return self.message or f"there is no {self.column} to tell how fresh the data is"
        end = now
        if self.since == LOGICAL_DATE:
            day = datetime.strptime(logical_date, "%Y-%m-%d").replace(tzinfo=timezone.utc)
            end = day + timedelta(days=1)
        epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)
        if newest >= int((end - self.max_age - epoch).total_seconds()):
            return None
        moment = epoch + timedelta(seconds=newest)
        return self.message or (
            f"the newest {self.column} is {moment:%Y-%m-%d %H:%M:%S}, more than {self.max_age} "
            f"before {end:%Y-%m-%d %H:%M:%S}"
        )


@dataclass(frozen=True)
class TableRules:
    """The rules about one data set."""

    row_counts: tuple[RowCount, ...] = ()
    freshness: tuple[Freshness, ...] = ()

    @property
    def compares(self) -> bool:
        """Whether the rows of the last time are needed."""
        return any(rule.max_change is not None for rule in self.row_counts)


NO_TABLE_RULES = TableRules()


def read_table_rules(entries: Sequence[object], problems: Problems) -> TableRules:
    """Those rules of a specification that are about the data set."""
    counts: list[RowCount] = []
    ages: list[Freshness] = []
    for position, entry in enumerate(entries):
        if isinstance(entry, Mapping) and is_table_rule(entry):
            path = f"rules[{position}]"
            if entry["rule"] == ROW_COUNT:
                counts += problems.read(path, lambda entry=entry: _row_count(entry))  # type: ignore[misc]
            else:
                ages += problems.read(path, lambda entry=entry: _freshness(entry))  # type: ignore[misc]
    return TableRules(tuple(counts), tuple(ages))


def newest_of(
    columns: Sequence[str], schema: Mapping[str, ColumnType], sql: str, dialect: Dialect
) -> str:
    """A select of one row: the time of the newest value of each column, in seconds since 1970.

    Raises SpecificationError for a column that is missing or that is no date or timestamp.
    """
    for name in columns:
        if name not in schema or schema[name].kind not in (DATE, TIMESTAMP):
            raise SpecificationError(
                f"rule freshness is for {name}, which is no date or timestamp of the result"
            )
    times = [
        f"coalesce({dialect.seconds(f'max({dialect.identifier(name)})')}, {NEVER})"
        for name in columns
    ]
    return f"SELECT {', '.join(times)} FROM ({sql}) AS result"


def warnings_of(violations: Sequence[tuple[str, str | None]]) -> list[str]:
    """The warnings among pairs of (severity, violation).

    Raises RuleViolatedError for the first that fails the job.
    """
    for severity, text in violations:
        if text is not None and severity == FAIL_JOB:
            raise RuleViolatedError(f"{text}; nothing was published")
    return [text for _, text in violations if text is not None]


def _row_count(body: Mapping[str, Any]) -> RowCount:
    require_known(body, KEYS[ROW_COUNT], "rule row_count")
    least, most = _whole(body.get("min"), "min"), _whole(body.get("max"), "max")
    change = body.get("max_change")
    if change is not None and (isinstance(change, bool) or not _is_share(change)):
        raise SpecificationError(f"max_change must be a number from 0 up, not {change!r}")
    if least is None and most is None and change is None:
        raise SpecificationError("rule row_count needs min, max or max_change")
    if least is not None and most is not None and least > most:
        raise SpecificationError(f"rule row_count: min {least} is more than max {most}")
    severity = read_severity(body, (FAIL_JOB, WARN), FAIL_JOB)
    share = None if change is None else float(change)
    return RowCount(severity, body.get("message"), least, most, share)


def _freshness(body: Mapping[str, Any]) -> Freshness:
    require_known(body, KEYS[FRESHNESS], "rule freshness")
    since = body.get("since", LOGICAL_DATE)
    if since not in (LOGICAL_DATE, NOW):
        raise SpecificationError(f"since must be {LOGICAL_DATE} or {NOW}, not {since!r}")
    age = _AGE.fullmatch(str(body.get("max_age", "")).strip())
    if age is None:
        raise SpecificationError(
            f"max_age must be such as 90 minutes, 26 hours or 2 days, not {body.get('max_age')!r}"
        )
    return Freshness(
        severity=read_severity(body, (FAIL_JOB, WARN), FAIL_JOB),
        message=body.get("message"),
        column=read_text(body.get("column"), "column"),
        max_age=timedelta(**{f"{age[2]}s": int(age[1])}),
        since=since,
    )


def _whole(value: object, what: str) -> int | None:
    if value is None:
        return None
    try:
        number = -1 if isinstance(value, bool) else int(str(value).strip('"'))
    except ValueError:
        number = -1
    if number < 0:
        raise SpecificationError(f"{what} must be a whole number from 0 up, not {value!r}")
    return number


def _is_share(value: object) -> bool:
    try:
        return float(str(value).strip('"')) >= 0
    except ValueError:
        return False
