"""The columns of a table in MySQL or MariaDB: what each is published as, and how it is selected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from penstock_job.column_type import (
    BINARY,
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

_INTEGERS = ("tinyint", "smallint", "mediumint", "int", "bigint", "year")
_TIMES = ("datetime", "timestamp")
_TEXTS = ("char", "varchar", "tinytext", "text", "mediumtext", "longtext")
_BYTES = ("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob")
_SHAPES = (
    "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
    "geometrycollection", "geomcollection",
)  # fmt: skip
BITS_OF_AN_INTEGER = 63
UNSIGNED = ColumnType(DECIMAL, 20, 0)  # up to 18446744073709551615

# The cursor of an increment: how its bound is written.
CURSORS = {
    **dict.fromkeys(_INTEGERS, "DECIMAL(65,0)"),
    "decimal": "DECIMAL(65,30)",
    "date": "DATE",
    **dict.fromkeys(_TIMES, "DATETIME(6)"),
    **dict.fromkeys(_TEXTS, ""),
}


@dataclass(frozen=True)
class TableColumn:
    """A column as information_schema has it: `bigint`, `bigint(20) unsigned`."""

    name: str
    family: str
    type: str
    precision: int
    scale: int
    not_null: bool

    @property
    def is_text(self) -> bool:
        """Whether the column is ordered by a collation."""
        return self.family in _TEXTS


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


def selected(column: TableColumn) -> str:
    """The expression whose text has all of the value: a float alone would lose digits."""
    name = quoted(column.name)
    if column.family == "float":
        return f"{name} + 0e0"
    if column.family == "bit":
        return f"{name} + 0"
    if column.family in _SHAPES:
        return f"ST_AsText({name})"
    return name


def quoted(name: str) -> str:
    """A name as an identifier."""
    return "`" + name.replace("`", "``") + "`"


def _published(column: TableColumn, order: TableOrder) -> SourceColumn:
    kind = order.types.get(column.name) or _type_of(column)
    is_instant = kind.kind == TIMESTAMP and column.family == "timestamp"
    return SourceColumn(column.name, kind, column.type, is_instant)


def _type_of(column: TableColumn) -> ColumnType:
    """The type that holds every value of the column, unchanged; what has none is a text."""
    family = column.family
    if family in _INTEGERS:
        is_long = family == "bigint" and "unsigned" in column.type
        return UNSIGNED if is_long else ColumnType(INTEGER)
    if family == "bit":
        return UNSIGNED if column.precision > BITS_OF_AN_INTEGER else ColumnType(INTEGER)
    if family == "decimal" and column.precision <= GREATEST_PRECISION:
        return ColumnType(DECIMAL, column.precision, column.scale)
    simple = {"float": DOUBLE, "double": DOUBLE, "date": DATE}
    simple |= dict.fromkeys(_TIMES, TIMESTAMP) | dict.fromkeys(_BYTES, BINARY)
    return ColumnType(simple.get(family, TEXT))
