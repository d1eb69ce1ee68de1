"""The columns of a Redshift table, and which records they cannot take.

COPY from Parquet knows no MAXERROR: one value too long would fail the whole load. So such records
are found before, and what Redshift would round in silence is found as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock_job.column_type import (
    BOOLEAN,
    DATE,
    DECIMAL,
    DOUBLE,
    INTEGER,
    TEXT,
    TIMESTAMP,
    ColumnType,
)
from penstock_job.dialect import DUCKDB
from penstock_job.errors import LoadError

LONGEST_TEXT = 65535
GREATEST_REAL = "3.4028234663852886e38"
# The Data API says int4 where people say INTEGER.
_NAMES = {
    "smallint": "int2", "integer": "int4", "int": "int4", "bigint": "int8",
    "decimal": "numeric", "real": "float4", "double precision": "float8", "float": "float8",
    "boolean": "bool", "character varying": "varchar", "nvarchar": "varchar", "text": "varchar",
    "char": "bpchar", "character": "bpchar", "nchar": "bpchar",
    "timestamp without time zone": "timestamp", "timestamp with time zone": "timestamptz",
}  # fmt: skip
_INTEGER_BITS = {"int2": 16, "int4": 32, "int8": 64}
_NUMBERS = (*_INTEGER_BITS, "numeric", "float4", "float8")
_TAKES = {
    INTEGER: _NUMBERS,
    DECIMAL: _NUMBERS,
    DOUBLE: ("numeric", "float4", "float8"),
    TEXT: ("varchar", "bpchar"),
    BOOLEAN: ("bool",),
    DATE: ("date", "timestamp", "timestamptz"),
    TIMESTAMP: ("timestamp", "timestamptz"),
}
_CREATED = {  # as in a CREATE TABLE, and as the Data API says it
    INTEGER: ("BIGINT", "int8"),
    DOUBLE: ("DOUBLE PRECISION", "float8"),
    BOOLEAN: ("BOOLEAN", "bool"),
    DATE: ("DATE", "date"),
    TIMESTAMP: ("TIMESTAMP", "timestamp"),
    TEXT: (f"VARCHAR({LONGEST_TEXT})", "varchar"),
}
Case = tuple[str, str]


@dataclass(frozen=True)
class RedshiftColumn:
    """A column of a table. `size` is a text's most bytes or a numeric's precision."""

    name: str
    type: str
    size: int = 0
    scale: int = 0
    nullable: bool = True
    has_default: bool = False

    @property
    def spoken(self) -> str:
        """The type as people write it."""
        if self.type == "numeric":
            return f"numeric({self.size},{self.scale})"
        return f"{self.type}({self.size})" if self.type in ("varchar", "bpchar") else self.type


def read_columns(described: Sequence[Mapping[str, Any]]) -> dict[str, RedshiftColumn]:
    """The columns in an answer of the Data API's DescribeTable, by their names."""
    columns = {}
    for entry in described:
        name, kind = str(entry["name"]).lower(), str(entry["typeName"]).lower()
        kind = _NAMES.get(kind, kind)
        size = entry.get("length") if kind in ("varchar", "bpchar") else entry.get("precision")
        columns[name] = RedshiftColumn(
            name,
            kind,
            int(size or 0),
            int(entry.get("scale") or 0),
            nullable=entry.get("nullable", 1) != 0,
            has_default=bool(entry.get("columnDefault")),
        )
    return columns


def created_type(kind: ColumnType) -> str:
    """The type of a column of a table that the load creates. Raises LoadError where none fits."""
    if kind.kind == DECIMAL:
        return f"DECIMAL({kind.precision},{kind.scale})"
    if kind.kind not in _CREATED:
        raise LoadError(f"a column of type {kind} cannot be loaded into Redshift")
    return _CREATED[kind.kind][0]


def created_columns(schema: Mapping[str, ColumnType]) -> dict[str, RedshiftColumn]:
    """The columns of a table that the load creates. None is narrower than its data, but texts."""
    columns = {}
    for name, kind in schema.items():
        created_type(kind)
        own = "numeric" if kind.kind == DECIMAL else _CREATED[kind.kind][1]
        size = LONGEST_TEXT if kind.kind == TEXT else kind.precision
        columns[name.lower()] = RedshiftColumn(name.lower(), own, size, kind.scale)
    return columns


def untakable_cases(
    table: str, columns: Mapping[str, RedshiftColumn], schema: Mapping[str, ColumnType]
) -> list[Case]:
    """Conditions for records that the table cannot take, each with its reason.

    Raises LoadError where it can take none: columns that it lacks, or of types that do not fit.
    """
    _require_columns(table, columns, schema)
    cases: list[Case] = []
    for name, kind in schema.items():
        column, value = columns[name.lower()], DUCKDB.identifier(name)
        if column.type not in _TAKES.get(kind.kind, ()):
            raise LoadError(f"{table}: column {name} is {column.spoken}, the data is {kind}")
        if not column.nullable:
            cases.append((f"{value} IS NULL", f"{name} is missing, and {table} requires it"))
        test = _unfit(column, kind, value)
        if test:
            cases.append((test, f"{name} does not fit into {column.spoken}"))
        if kind.kind == TEXT:
            cases.append((f"contains({value}, chr(0))", f"{name} has a NUL character"))
    return cases


def _require_columns(
    table: str, columns: Mapping[str, RedshiftColumn], schema: Mapping[str, ColumnType]
) -> None:
    given = [name.lower() for name in schema]
    lacking = [name for name in given if name not in columns]
    if lacking:
        raise LoadError(f"{table} has no column {', '.join(lacking)}; it has {', '.join(columns)}")
    if len(set(given)) < len(given):
        raise LoadError(f"{table}: names differ in case only, which Redshift does not tell apart")
    required = [
        column.name
        for column in columns.values()
        if not column.nullable and not column.has_default and column.name not in given
    ]
    if required:
        raise LoadError(f"{table} requires {', '.join(required)}, which the data does not have")


def _unfit(column: RedshiftColumn, kind: ColumnType, value: str) -> str:
    """A condition for values that do not fit, empty where all do; NULL for a missing value."""
    if kind.kind == TEXT:
        wide = f"strlen({value}) > {column.size}"
        # A CHAR holds single-byte characters only.
        return (
            f"({wide} OR strlen({value}) <> length({value}))" if column.type == "bpchar" else wide
        )
    if kind.kind == DOUBLE:
        return _unfit_double(column, value)
    if kind.kind not in (INTEGER, DECIMAL):
        return ""
    if column.type in _INTEGER_BITS:
        return _beyond_integer(column, kind, value)
    return _beyond_numeric(column, kind, value) if column.type == "numeric" else ""


def _unfit_double(column: RedshiftColumn, value: str) -> str:
    if column.type == "float8":
        return ""
    finite = f"coalesce(isfinite({value}), TRUE)"
    if column.type == "float4":
        return f"{finite} AND abs({value}) > {GREATEST_REAL}"
    return f"(NOT {finite} OR abs({value}) >= 1e{column.size - column.scale})"


def _beyond_integer(column: RedshiftColumn, kind: ColumnType, value: str) -> str:
    bits = _INTEGER_BITS[column.type]
    tests = []
    if kind.kind == DECIMAL or bits < 64:
        tests.append(f"{value} NOT BETWEEN {-(2 ** (bits - 1))} AND {2 ** (bits - 1) - 1}")
    if kind.scale:
        tests.append(f"{value} <> trunc({value})")
    return f"({' OR '.join(tests)})" if tests else ""


def _beyond_numeric(column: RedshiftColumn, kind: ColumnType, value: str) -> str:
    room = column.size - column.scale
    own = kind.precision - kind.scale if kind.kind == DECIMAL else 19
    tests = []
    if own > room:
        bound = f"CAST('1{'0' * room}' AS DECIMAL(38,0))"
        tests.append(f"trunc({value}) <= -{bound} OR trunc({value}) >= {bound}")
    if kind.scale > column.scale:
        tests.append(f"{value} <> round({value}, {column.scale})")
    return f"({' OR '.join(tests)})" if tests else ""
