"""The columns of a record, read as their types: the first steps of what judges a record."""

from __future__ import annotations

from penstock_job.cast import is_unreadable, plain_cast, read_as, without_nulls
from penstock_job.record import raw_columns
from penstock_job.reject_sql import RETRY
from penstock_job.subject import Subject


def taken(subject: Subject, table: str) -> str:
    """The input's columns as they came."""
    raw = dict(raw_columns(subject.schema))
    selected = [f"input.{subject.name(name)} AS {column}" for name, column in raw.items()]
    for number, column in enumerate(subject.columns):
        value = f"input.{subject.name(column.source)}"
        source_type = subject.schema[column.source]
        present = without_nulls(column, source_type, value, subject.dialect)
        selected.append(f"{present} AS penstock_value_{number}")
    retry = f"input.{RETRY}" if subject.is_numbered else "CAST(NULL AS BIGINT)"
    selected += [*(f"input.{name}" for name in subject.lines), f"{retry} AS {RETRY}"]
    return f"SELECT {', '.join(selected)} FROM {subject.name(table)} AS input"


def plain(subject: Subject) -> str:
    """Each text cast by the engine itself."""
    selected = ["*"]
    for number, column in enumerate(subject.columns):
        source_type = subject.schema[column.source]
        cast = plain_cast(column, source_type, f"penstock_value_{number}", subject.dialect)
        if cast is not None:
            selected.append(f"{cast} AS penstock_plain_{number}")
    return f"SELECT {', '.join(selected)} FROM taken"


def typed(subject: Subject) -> str:
    """Each column read as its type."""
    selected = ["*"]
    for number, column in enumerate(subject.columns):
        source_type = subject.schema[column.source]
        value = f"penstock_value_{number}"
        has_plain = plain_cast(column, source_type, value, subject.dialect) is not None
        cast = f"penstock_plain_{number}" if has_plain else None
        as_type = read_as(column, source_type, value, cast, subject.dialect)
        selected.append(f"{as_type} AS {subject.name(column.name)}")
    return f"SELECT {', '.join(selected)} FROM plain"


def read(subject: Subject) -> str:
    """Whether there was a value that could not be read."""
    selected = ["*"]
    for number, (column, check) in enumerate(zip(subject.columns, subject.checks)):
        source_type = subject.schema[column.source]
        value, name = f"penstock_value_{number}", subject.name(column.name)
        unreadable = is_unreadable(column, source_type, value, name, subject.dialect)
        selected.append(f"{unreadable} AS {check.flag}")
    return f"SELECT {', '.join(selected)} FROM typed"
