"""Columns, as a specification declares them.

name                                                     a bare name: text, as it is
{name: day, from: Date, type: date, format: [dd.MM.yyyy, yyyy-MM-dd]}
{name: note, trim: true, nulls: ["", NA, "-"]}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock_job.column_type import (
    DATE,
    TEXT,
    TIMESTAMP,
    ColumnType,
    DateFormat,
    read_date_format,
    read_type,
)
from penstock_job.errors import SpecificationError
from penstock_job.problems import Problems, read_text, read_texts, require_known
from penstock_job.rule import Rule, read_rules

RESERVED = "penstock_"
KEYS = ("name", "from", "type", "format", "trim", "nulls", "rules")


@dataclass(frozen=True)
class Column:
    """One column of the result: its name, the input's column it comes from, its type.

    `formats` are tried in their order, `nulls` are the texts that stand for a missing value, and
    `trim` takes the spaces around a text away; those around anything else never count.
    """

    name: str
    source: str
    type: ColumnType
    formats: tuple[DateFormat, ...] = ()
    nulls: tuple[str, ...] = ()
    trim: bool = False


def read_columns(
    entries: Sequence[object], nulls: Sequence[str], problems: Problems
) -> tuple[list[Column], list[Rule]]:
    """The columns of a list and the rules under them; `nulls` hold for all of them."""
    columns: list[Column] = []
    rules: list[Rule] = []
    for position, entry in enumerate(entries):
        path = f"columns[{position}]"
        for body in problems.read(path, lambda entry=entry: _entry(entry)):  # type: ignore[misc]
            named = f"{path} ({body['name']})"
            columns += problems.read(named, lambda body=body: _read(body, nulls))  # type: ignore[misc]
            rules += read_rules(body.get("rules"), body["name"], f"{named}.rules", problems)
    _require_distinct(columns, problems)
    return columns, rules


def _entry(entry: object) -> Mapping[str, Any]:
    body = {"name": entry} if isinstance(entry, str) else entry
    if not isinstance(body, Mapping) or not isinstance(body.get("name"), str) or not body["name"]:
        raise SpecificationError(f"{entry!r} is no column: it needs a name")
    if body["name"].lower().startswith(RESERVED):
        raise SpecificationError(f"column {body['name']}: names with {RESERVED} are reserved")
    return body


def _read(body: Mapping[str, Any], nulls: Sequence[str]) -> Column:
    require_known(body, KEYS, f"column {body['name']}")
    column_type = read_type(body.get("type", TEXT))
    texts = read_texts(body.get("format"), "format")
    if texts and column_type.kind not in (DATE, TIMESTAMP):
        raise SpecificationError(f"only a date or a timestamp has a format, not {column_type}")
    trim = body.get("trim", False)
    if not isinstance(trim, bool):
        raise SpecificationError(f"trim must be true or false, not {trim!r}")
    return Column(
        name=body["name"],
        source=read_text(body.get("from", body["name"]), "from"),
        type=column_type,
        formats=tuple(read_date_format(text, column_type.kind) for text in texts),
        nulls=read_texts(body.get("nulls", tuple(nulls)), "nulls"),
        trim=trim,
    )


def _require_distinct(columns: Sequence[Column], problems: Problems) -> None:
    # Both engines compare names without regard to case, so two that differ only in it collide.
    seen: set[str] = set()
    for column in columns:
        if column.name.lower() in seen:
            problems.found.append(f"columns: column {column.name} is declared twice")
        seen.add(column.name.lower())
