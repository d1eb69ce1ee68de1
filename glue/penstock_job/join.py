"""Joins with lookup tables, as a specification declares them.

    join:
      - with: products               the job that published the lookup
        on: [product_id]             or {product: id}: the record's column and the lookup's
        columns: [price, {name: product_name, from: name}]
        unmatched: keep              or drop, or reject
        keep: "valid_from desc"      which of several lookup rows with one key is taken

Each record finds one row of the lookup or none: a lookup with a repeated key fails the job unless
`keep` says which row is taken, so that a join never makes two records of one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock_job.errors import SpecificationError
from penstock_job.problems import Problems, read_list, read_text, require_known
from penstock_job.rule import Preference, read_preference

KEEP, DROP, REJECT = "keep", "drop", "reject"
UNMATCHED = (KEEP, DROP, REJECT)
KEYS = ("with", "on", "columns", "unmatched", "keep")


@dataclass(frozen=True)
class Join:
    """One lookup: pairs of (column of the record, column of the lookup), and what is taken over.

    `columns` are pairs of (name in the result, column of the lookup).
    """

    lookup: str
    on: tuple[tuple[str, str], ...]
    columns: tuple[tuple[str, str], ...]
    unmatched: str = KEEP
    keep: Preference | None = None


def read_joins(entries: Sequence[object], problems: Problems) -> list[Join]:
    """The joins of a list, in their order."""
    return [
        join
        for position, entry in enumerate(entries)
        for join in problems.read(
            f"join[{position}]",
            lambda entry=entry: _read(entry),  # type: ignore[misc]
        )
    ]


def read_pairs(value: object, what: str) -> tuple[tuple[str, str], ...]:
    """Columns of the record with those of the lookup: a name, a list of names, or a map."""
    if isinstance(value, Mapping):
        pairs = [(read_text(ours, what), read_text(theirs, what)) for ours, theirs in value.items()]
    else:
        names = [value] if isinstance(value, str) else read_list(value, what)
        pairs = [(read_text(name, what), name) for name in names]
    if not pairs:
        raise SpecificationError(f"{what} must name at least one column")
    return tuple(pairs)


def _read(entry: object) -> Join:
    if not isinstance(entry, Mapping) or "with" not in entry or not _has_on(entry):
        raise SpecificationError(f"{entry!r} is no join: it needs with, on and columns")
    body = {"on" if key is True else key: value for key, value in entry.items()}
    require_known(body, KEYS, "join")
    unmatched = body.get("unmatched", KEEP)
    if unmatched not in UNMATCHED:
        raise SpecificationError(
            f"unmatched must be one of {', '.join(UNMATCHED)}, not {unmatched!r}"
        )
    return Join(
        lookup=read_text(body["with"], "with"),
        on=read_pairs(body["on"], "on"),
        columns=tuple(_column(each) for each in read_list(body.get("columns"), "columns")),
        unmatched=unmatched,
        keep=read_preference(body.get("keep")),
    )


def _has_on(entry: Mapping[Any, Any]) -> bool:
    # YAML 1.1 reads a bare `on` as true, so a key that is true was written `on`.
    return "on" in entry or True in entry


def _column(entry: object) -> tuple[str, str]:
    body = {"name": entry} if isinstance(entry, str) else entry
    if not isinstance(body, Mapping) or "name" not in body:
        raise SpecificationError(f"{entry!r} is no column of a join: it needs a name")
    require_known(body, ("name", "from"), "a column of a join")
    name = read_text(body["name"], "name")
    return name, read_text(body.get("from", name), "from")
