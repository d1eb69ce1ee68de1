"""What a job is to make of its input, as its control row says it.

One specification, whichever engine runs it: columns with types and rules, a filter, a SQL select.
It comes as arguments, each a string or JSON, and is checked whole before anything is read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock_job.column_type import (
    DATE,
    TEXT,
    ColumnType,
    DateFormat,
    read_date_format,
    read_type,
)
from penstock_job.errors import SpecificationError
from penstock_job.rule import Rule, read_ratio, read_rules

RESERVED = "penstock_"


@dataclass(frozen=True)
class Column:
    """One column of the result: its name, the input's column it comes from, its type."""

    name: str
    source: str
    type: ColumnType
    date_format: DateFormat | None = None


@dataclass(frozen=True)
class Specification:
    """Columns, rules, filter and select.

    No columns: the input's columns are taken as they are. The rules and the filter judge the
    records of the main input; the select sees those accepted, and the other inputs as published.
    """

    columns: tuple[Column, ...] = ()
    rules: tuple[Rule, ...] = ()
    filter: str | None = None
    select: str | None = None
    max_reject_ratio: float | None = None


def read_specification(
    *,
    columns: str | None = None,
    rules: str | None = None,
    filter: str | None = None,  # noqa: A002 - the argument's name in the control row
    select: str | None = None,
    max_reject_ratio: str | None = None,
) -> Specification:
    """The specification in these arguments. Raises SpecificationError, naming what is wrong."""
    own_rules = read_rules(_json_list(rules, "rules"), None)
    entries = [_column_entry(entry) for entry in _json_list(columns, "columns")]
    made = tuple(_read_column(entry) for entry in entries)
    column_rules = [
        rule for entry in entries for rule in read_rules(entry.get("rules", []), entry["name"])
    ]
    specification = Specification(
        columns=made,
        rules=tuple(column_rules + own_rules),
        filter=filter or None,
        select=select or None,
        max_reject_ratio=read_ratio(max_reject_ratio),
    )
    _require_distinct([column.name for column in made])
    return specification


def read_names(text: str, what: str) -> list[str]:
    """A list of names: a JSON list, or one bare name."""
    names = _json_list(text, what) if text.lstrip().startswith("[") else [text.strip()]
    if not names or not all(isinstance(name, str) and name for name in names):
        raise SpecificationError(f"{what} must be a name or a list of names, not {text}")
    return names


def require_columns(specification: Specification, available: Sequence[str]) -> None:
    """Every rule must be for a column that there is; `available` are the input's columns."""
    names = {column.name for column in specification.columns} or set(available)
    for rule in specification.rules:
        keep = rule.keep
        used = [*rule.columns, *([keep.column] if keep else [])]
        for name in used:
            if name not in names:
                raise SpecificationError(
                    f"rule {rule.name} is for column {name}, which there is not; "
                    f"there are {', '.join(sorted(names))}"
                )


def _json_list(text: str | None, what: str) -> list[Any]:
    if text is None or not text.strip():
        return []
    try:
        value = json.loads(text)
    except ValueError as error:
        raise SpecificationError(f"{what} is not JSON: {error}") from None
    if not isinstance(value, list):
        raise SpecificationError(f"{what} must be a list, because the order of columns counts")
    return value


def _column_entry(entry: object) -> Mapping[str, Any]:
    body = {"name": entry} if isinstance(entry, str) else entry
    if not isinstance(body, Mapping) or not isinstance(body.get("name"), str):
        raise SpecificationError(f"{entry!r} is no column: it needs a name")
    unknown = sorted(set(body) - {"name", "from", "type", "format", "rules"})
    if unknown:
        raise SpecificationError(f"column {body['name']} does not know {', '.join(unknown)}")
    if body["name"].lower().startswith(RESERVED):
        raise SpecificationError(f"column {body['name']}: names with {RESERVED} are reserved")
    return body


def _read_column(entry: Mapping[str, Any]) -> Column:
    column_type = read_type(entry.get("type", TEXT))
    date_format = entry.get("format")
    if date_format and column_type.kind != DATE:
        raise SpecificationError(f"column {entry['name']}: only a date has a format")
    return Column(
        name=entry["name"],
        source=entry.get("from", entry["name"]),
        type=column_type,
        date_format=read_date_format(date_format) if date_format else None,
    )


def _require_distinct(names: Sequence[str]) -> None:
    # Both engines compare names without regard to case, so two that differ only in it collide.
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise SpecificationError(f"column {name} is declared twice")
        seen.add(name.lower())
