"""The columns of a table in PostgreSQL: what each is published as, and how COPY is to write it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from penstock_job.column_type import (
    BINARY,
    BOOLEAN,
    DATE,
    DECIMAL,
    DOUBLE,
    GREATEST_PRECISION,
    INTEGER,
    TEXT,
    TIMESTAMP,
    ColumnType,
)
from penstock_job.errors import SpecificationError
from penstock_job.table_source import SourceColumn
from penstock_job.work_order import TableOrder

_SIMPLE = {
    "smallint": INTEGER,
    "integer": INTEGER,
    "bigint": INTEGER,
    "real": DOUBLE,
    "double precision": DOUBLE,
    "boolean": BOOLEAN,
    "date": DATE,
    "timestamp without time zone": TIMESTAMP,
    "timestamp with time zone": TIMESTAMP,
    "bytea": BINARY,
}
_NUMERIC = re.compile(r"numeric\((\d+),(-?\d+)\)")
_MODIFIER = re.compile(r"\(\d+\)")
INSTANT = "timestamp with time zone"

# The cursor of an increment: what has an order that a bound can be taken of.
CURSORS = {
    "smallint": "bigint",
    "integer": "bigint",
    "bigint": "bigint",
    "numeric": "numeric",
    "date": "date",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
    "text": "text",
    "character varying": "text",
    "uuid": "uuid",
}


@dataclass(frozen=True)
class TableColumn:
    """A column as the catalog has it; a domain comes as the type that it is of."""

    name: str
    type: str
    is_array: bool
    not_null: bool

    @property
    def family(self) -> str:
        """The type without precision: `timestamp with time zone` of `timestamp(3) with …`."""
        return _MODIFIER.sub("", self.type) if not self.type.startswith("numeric") else "numeric"


def published_columns(
    columns: Sequence[TableColumn], order: TableOrder
) -> list[tuple[TableColumn, SourceColumn]]:
    """The columns that are wanted. Raises SpecificationError for one that there is not."""
    by_name = {column.name: column for column in columns}
    wanted = order.columns or tuple(by_name)
    missing = [name for name in wanted if name not in by_name]
    if missing:
        raise SpecificationError(
            f"columns: there is no column {', '.join(missing)}; there are {', '.join(by_name)}"
        )
    return [(by_name[name], _published(by_name[name], order)) for name in wanted]


def copied(column: TableColumn) -> str:
    """The expression that COPY is given: arrays are written as JSON, all else as text."""
    name = quoted(column.name)
    return f"to_json({name})" if column.is_array else name


def quoted(name: str) -> str:
    """A name as an identifier."""
    return '"' + name.replace('"', '""') + '"'


def _published(column: TableColumn, order: TableOrder) -> SourceColumn:
    kind = order.types.get(column.name) or _type_of(column)
    is_instant = kind.kind == TIMESTAMP and column.family == INSTANT
    return SourceColumn(column.name, kind, column.type, is_instant)


def _type_of(column: TableColumn) -> ColumnType:
    """The type that holds every value of the column, unchanged; what has none is a text.

    A numeric without precision may hold any number of digits, so it is a text, too.
    """
    if column.is_array:
        return ColumnType(TEXT)
    match = _NUMERIC.fullmatch(column.type)
    if match:
        precision, scale = int(match[1]), int(match[2])
        if scale < 0:  # numeric(3,-2) holds 99900
            precision, scale = precision - scale, 0
        if precision <= GREATEST_PRECISION and scale <= precision:
            return ColumnType(DECIMAL, precision, scale)
        return ColumnType(TEXT)
    return ColumnType(_SIMPLE.get(column.family, TEXT))
