"""One row of the control table: what a person writes to make a job, checked field by field.

The same reading serves Plan Run, which makes a job with a bad row `INVALID`, and `penstock apply`,
which refuses to write one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from penstock.domain import run_condition
from penstock.domain.control_fields import DECLARED, misspelt
from penstock.domain.dependency import parse_dependencies
from penstock.domain.engine_choice import AUTO, with_engine
from penstock.domain.flag import parse_flag
from penstock.domain.history import History
from penstock.domain.instant import parse_day, zone
from penstock.domain.row_reader import BadValueError, Problem, RowReader
from penstock.domain.run_condition import EVERY_WEEKDAY, RunCondition

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

JOB_TYPES: Final = (
    "spark", "python_shell", "auto", "emr", "ecs", "lambda", "redshift_sql", "state_machine",
)  # fmt: skip
WORKER_TYPES: Final = (
    "Standard", "G.025X", "G.1X", "G.2X", "G.4X", "G.8X", "G.12X", "G.16X",
    "R.1X", "R.2X", "R.4X", "R.8X", "Z.2X",
)  # fmt: skip
PYTHON_SHELL_CAPACITIES: Final = (0.0625, 1.0)

DEFAULT_POOL: Final = "default"
DEFAULT_TIMEOUT_MINUTES: Final = 480
DEFAULT_MAX_ATTEMPTS: Final = 3
LONGEST_TIMEOUT_MINUTES: Final = 7 * 24 * 60
HIGHEST_PRIORITY: Final = 999_999_999
MOST_UPSTREAM_JOBS: Final = 1_000
FEWEST_SPARK_WORKERS: Final = 2

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
"""Names of jobs, categories and pools go into keys, paths and arguments as they are."""

NO_HISTORY: Final = History()
ALL_DAYS: Final = RunCondition("ALL_DAYS", weekdays=EVERY_WEEKDAY)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What Penstock has noted in a row of how the job has gone."""

    status: str = ""
    at: str = ""
    job_id: str = ""
    failures_in_a_row: int = 0
    history: History = NO_HISTORY


@dataclass(frozen=True, slots=True)
class ControlRow:
    """A job as its row states it; where the row is silent, the default stands.

    `chosen` says which engine an `auto` job has got, and why; its type, target and workers are
    those of that engine. `required` are those of `depends_on` without which the job does not run,
    even on a day on which they are left out.
    """

    job_name: str
    job_category: str
    job_type: str
    target: str
    environment: tuple[str, ...]
    arguments: Mapping[str, Any]
    worker_type: str | None
    number_of_workers: int | None
    max_capacity: float | None
    timeout_minutes: int
    max_attempts: int
    run_condition: RunCondition
    time_zone: str | None
    skip_flag: bool | None
    skip_reason: str
    skip_until: date | None
    depends_on: tuple[str, ...]
    required: frozenset[str]
    pool: str
    priority: int | None
    owner: str
    expected_rows: int | None
    last_seconds: float | None
    recorded: Recorded
    chosen: str = ""

    def is_for(self, environment: str) -> bool:
        """Tell whether the job belongs here; a row that names no environment belongs everywhere."""
        named = {name.lower() for name in self.environment}
        return not named or "all" in named or environment.lower() in named

    def is_skipped_on(self, day: date) -> bool:
        """Tell whether SkipFlag keeps the job from running; SkipUntil is the first day it may."""
        if self.skip_flag is False:
            return False
        if self.skip_until is not None:
            return day < self.skip_until
        return self.skip_flag is True


@dataclass(frozen=True, slots=True)
class RowReading:
    """A row as far as it could be read, with everything that is wrong with it."""

    row: ControlRow
    problems: tuple[Problem, ...]

    @property
    def is_valid(self) -> bool:
        """Tell whether the row can be run and applied."""
        return not self.problems

    def has_problem(self, *fields: str) -> bool:
        """Tell whether something is wrong with one of the fields."""
        return any(problem.field in fields for problem in self.problems)


def read_row(attributes: Mapping[str, Any]) -> RowReading:
    """Read a row from the control table or from YAML; never raises, but lists the problems."""
    reader = RowReader(attributes)
    nothing: dict[str, bool] = {}
    dependencies = reader.read("DependsOn", parse_dependencies, nothing)
    row = ControlRow(
        job_name=_name(reader, "JobName"),
        job_category=_name(reader, "JobCategory"),
        job_type=reader.word("JobType", JOB_TYPES, ""),
        target=reader.text("Target"),
        environment=reader.texts("Environment"),
        arguments=reader.read("Arguments", _arguments, {}),
        worker_type=reader.word("WorkerType", WORKER_TYPES, "") or None,
        number_of_workers=reader.whole_number("NumberOfWorkers", 1, 10_000),
        max_capacity=reader.number("MaxCapacity"),
        timeout_minutes=reader.whole_number("TimeoutMinutes", 1, LONGEST_TIMEOUT_MINUTES)
        or DEFAULT_TIMEOUT_MINUTES,
        max_attempts=reader.whole_number("MaxAttempts", 1, 100) or DEFAULT_MAX_ATTEMPTS,
        run_condition=reader.read("RunCondition", _run_condition, ALL_DAYS),
        time_zone=reader.read("TimeZone", _zone_name, None),
        skip_flag=reader.read("SkipFlag", parse_flag, None),
        skip_reason=reader.text("SkipReason"),
        skip_until=reader.read("SkipUntil", parse_day, None),
        depends_on=tuple(dependencies),
        required=frozenset(name for name, required in dependencies.items() if required),
        pool=_name(reader, "Pool") if reader.is_given("Pool") else DEFAULT_POOL,
        priority=reader.whole_number("Priority", 0, HIGHEST_PRIORITY),
        owner=reader.text("Owner"),
        expected_rows=reader.whole_number("ExpectedRows", 0, 10**15),
        last_seconds=RowReader(attributes).number("LastSeconds"),
        recorded=_recorded(attributes),
    )
    _check_required(reader)
    _check_capacity(reader, row)
    _check_dependencies(reader, row)
    _check_spelling(reader, attributes)
    return RowReading(_with_engine(reader, row), tuple(reader.problems))


def item_of(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields to store for a row that reads without problems.

    Flags become booleans, dates become text, one spelling for every list; fields that are
    absent or empty, and those that Penstock records itself, are left out.
    """
    row = read_row(attributes).row
    normal: dict[str, Any] = {
        "SkipFlag": row.skip_flag,
        "SkipUntil": row.skip_until.isoformat() if row.skip_until else None,
        "RunCondition": row.run_condition.text,
        "DependsOn": [
            {"JobName": name, "Required": True} if name in row.required else name
            for name in row.depends_on
        ],
        "Environment": list(row.environment),
        "Arguments": dict(row.arguments),
    }
    item: dict[str, Any] = {}
    for field in DECLARED:
        value = attributes.get(field)
        if value is not None and value not in ("", [], {}):
            item[field] = normal.get(field, value.strip() if isinstance(value, str) else value)
    return item


def _with_engine(reader: RowReader, row: ControlRow) -> ControlRow:
    expected_bytes = reader.whole_number("ExpectedBytes", 0, 10**18)
    target_spark = reader.text("TargetSpark")
    if row.job_type == AUTO:
        return with_engine(row, target_spark, expected_bytes)
    if target_spark:
        reader.complain("TargetSpark", "is for a job of the type auto")
    return row


def _recorded(attributes: Mapping[str, Any]) -> Recorded:
    """Read what Penstock itself has written; whatever else stands there is as good as nothing."""
    failures = attributes.get("FailuresInARow")
    return Recorded(
        status=str(attributes.get("StatusFlag") or ""),
        at=str(attributes.get("LastRunTimestamp") or ""),
        job_id=str(attributes.get("LastJobId") or ""),
        failures_in_a_row=int(failures) if isinstance(failures, (int, float)) else 0,
        history=History.from_text(attributes.get("Recent")),
    )


def _name(reader: RowReader, field: str) -> str:
    name = reader.text(field)
    if name and not NAME.fullmatch(name):
        reader.complain(
            field, f"{name!r} is no name: 1 to 64 letters, digits, dots, hyphens and underscores"
        )
    return name


def _arguments(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadValueError(f"{value!r} is no map of argument names to values")
    return value


def _run_condition(value: Any) -> RunCondition:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, (list, tuple, set)) or not all(isinstance(t, str) for t in texts):
        raise BadValueError(f"{value!r} is no run condition")
    return run_condition.parse(",".join(texts))


def _zone_name(value: Any) -> str:
    return zone(str(value).strip()).key


def _check_required(reader: RowReader) -> None:
    for field in ("JobName", "JobCategory", "JobType", "Target"):
        if not reader.is_given(field):
            reader.complain(field, "is missing")


def _check_capacity(reader: RowReader, row: ControlRow) -> None:
    """Report capacities that Glue would refuse only when the job starts."""
    if row.job_type == "python_shell" and (row.worker_type or row.number_of_workers):
        reader.complain("WorkerType", "a python_shell job has MaxCapacity 0.0625 or 1 instead")
    if row.job_type == "spark" and row.max_capacity is not None:
        reader.complain("MaxCapacity", "a spark job has WorkerType and NumberOfWorkers instead")
    is_shell = row.job_type in ("python_shell", AUTO)
    if is_shell and row.max_capacity not in (None, *PYTHON_SHELL_CAPACITIES):
        reader.complain("MaxCapacity", "a python_shell job has 0.0625 or 1")
    if row.job_type in ("spark", AUTO):
        _check_workers(reader, row)


def _check_workers(reader: RowReader, row: ControlRow) -> None:
    if (row.worker_type is None) != (row.number_of_workers is None):
        reader.complain("NumberOfWorkers", "goes together with WorkerType")
    if row.number_of_workers is not None and row.number_of_workers < FEWEST_SPARK_WORKERS:
        reader.complain("NumberOfWorkers", "a spark job has 2 at least")


def _check_dependencies(reader: RowReader, row: ControlRow) -> None:
    if row.job_name in row.depends_on:
        reader.complain("DependsOn", "the job depends on itself")
    if len(row.depends_on) > MOST_UPSTREAM_JOBS:
        reader.complain("DependsOn", f"names more than {MOST_UPSTREAM_JOBS} jobs")


def _check_spelling(reader: RowReader, attributes: Mapping[str, Any]) -> None:
    for field, meant in misspelt(attributes):
        reader.complain(field, f"is no field of a job; {meant} is")
