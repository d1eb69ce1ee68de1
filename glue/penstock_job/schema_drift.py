"""What has become of a table's columns since its data was published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from penstock_job.column_type import (
    BINARY,
    DATE,
    DECIMAL,
    GREATEST_PRECISION,
    INTEGER,
    TEXT,
    TIMESTAMP,
    ColumnType,
    read_type,
)
from penstock_job.dataset import PublishedColumn
from penstock_job.errors import SchemaDriftError
from penstock_job.work_order import ACCEPT, FREEZE

DIGITS_OF_AN_INTEGER = 19
_WAY_OUT = "to take it over, extract the table once with mode full and drift accept"


@dataclass(frozen=True)
class SchemaDrift:
    """Columns that are new, and columns whose type holds more than it did."""

    added: Sequence[PublishedColumn] = ()
    widened: Sequence[tuple[PublishedColumn, PublishedColumn]] = ()

    @property
    def texts(self) -> list[str]:
        """A line for each change."""
        return [
            *(f"column {column.name} ({column.type}) is new" for column in self.added),
            *(f"column {new.name} was {old.type}, is {new.type}" for old, new in self.widened),
        ]


def schema_drift(
    before: Sequence[PublishedColumn], now: Sequence[PublishedColumn], policy: str
) -> SchemaDrift:
    """How the columns have changed.

    Raises SchemaDriftError for a column that is gone or whose type holds less than it did (unless
    the policy is `accept`), and for any change where the policy is `freeze`.
    """
    if not before:
        return SchemaDrift()
    old, new = _by_name(before), _by_name(now)
    changed = [(old[name], new[name]) for name in old if name in new and old[name] != new[name]]
    pairs = [pair for pair in changed if read_type(pair[0].type) != read_type(pair[1].type)]
    drift = SchemaDrift([new[name] for name in new if name not in old], pairs)
    if policy == ACCEPT:
        return drift
    for name, column in old.items():
        if name not in new:
            raise SchemaDriftError(f"column {column.name} ({column.type}) is gone; {_WAY_OUT}")
    for was, column in pairs:
        if not is_widening(read_type(was.type), read_type(column.type)):
            raise SchemaDriftError(
                f"column {column.name} was {was.type} and is now {column.type}, which does not "
                f"hold all that it held; {_WAY_OUT}"
            )
    if policy == FREEZE and drift.texts:
        raise SchemaDriftError(f"{'; '.join(drift.texts)}, but drift is freeze; {_WAY_OUT}")
    return drift


def is_widening(old: ColumnType, new: ColumnType) -> bool:
    """Whether every value of the old type is a value of the new one, unchanged."""
    if old == new:
        return True
    if new.kind == TEXT:
        return old.kind != BINARY
    if new.kind == DECIMAL and old.kind in (INTEGER, DECIMAL):
        digits = DIGITS_OF_AN_INTEGER if old.kind == INTEGER else old.precision - old.scale
        return new.precision - new.scale >= digits and new.scale >= old.scale
    return old.kind == DATE and new.kind == TIMESTAMP


def united(
    newer: Sequence[PublishedColumn], older: Sequence[PublishedColumn]
) -> list[PublishedColumn]:
    """The columns of two layers: those of the newer, then those that only the older has.

    Where both have a column, its type is the one that holds both. A layer below may be newer in
    time than the one on top, so either may be the wider.
    """
    old, new = _by_name(older), _by_name(newer)
    columns = [_wider(column, old[name]) if name in old else column for name, column in new.items()]
    return columns + [column for name, column in old.items() if name not in new]


def _wider(one: PublishedColumn, other: PublishedColumn) -> PublishedColumn:
    first, second = read_type(one.type), read_type(other.type)
    if is_widening(second, first):
        return one
    if is_widening(first, second):
        return PublishedColumn(one.name, other.type)
    if {first.kind, second.kind} <= {INTEGER, DECIMAL}:
        scale = max(first.scale, second.scale)
        digits = max(_digits(first), _digits(second))
        if scale + digits <= GREATEST_PRECISION:
            return PublishedColumn(one.name, f"decimal({digits + scale},{scale})")
    return PublishedColumn(one.name, TEXT)


def _digits(kind: ColumnType) -> int:
    return DIGITS_OF_AN_INTEGER if kind.kind == INTEGER else kind.precision - kind.scale


def _by_name(columns: Sequence[PublishedColumn]) -> Mapping[str, PublishedColumn]:
    # Engines compare names without regard to case.
    return {column.name.lower(): column for column in columns}
