"""Rows as a file holds them, made rows of the published types; those that do not fit set aside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock_job.cast import is_unreadable, read_as
from penstock_job.column import Column
from penstock_job.column_type import BINARY, DATE, DECIMAL, TEXT, TIMESTAMP, ColumnType
from penstock_job.dialect import DUCKDB
from penstock_job.errors import SpecificationError
from penstock_job.table_source import SourceColumn

_TEXT = ColumnType(TEXT)


@dataclass(frozen=True)
class RawRows:
    """The rows of one file: a select that reads them, and the columns that it gives.

    `origin` is what people call the file: its address.
    """

    file: Path
    select: str
    schema: Mapping[str, ColumnType]
    rows: int
    origin: str


@dataclass(frozen=True)
class TypedRows:
    """Selects over raw rows: those that fit their types, and the others with their reasons.

    `rejects` is empty where every row fits, whatever it holds.
    """

    select: str
    rejects: str = ""


def text_columns(names: Sequence[str], types: Mapping[str, ColumnType]) -> list[SourceColumn]:
    """The columns of a file of texts: text, where `types` says nothing else.

    Raises SpecificationError for a type that no text is read as.
    """
    for name, kind in types.items():
        if kind.kind == BINARY:
            raise SpecificationError(f"types: {name}: a file of texts holds nothing {BINARY}")
    return [SourceColumn(name, types.get(name, _TEXT), TEXT) for name in names]


def typed_rows(raw: RawRows, columns: Sequence[SourceColumn]) -> TypedRows:
    """Selects that make the rows those of `columns`; a column that the file lacks is NULL."""
    values, faults = [], []
    for column in columns:
        value, fault = _value(raw, column)
        values.append(f"{value} AS {DUCKDB.identifier(column.name)}")
        if fault:
            faults.append((fault, f"{column.name} is not {column.type.spoken}"))
    source = f"({raw.select}) AS input"
    if not faults:
        return TypedRows(f"SELECT {', '.join(values)} FROM {source}")
    unfit = " OR ".join(fault for fault, _ in faults)
    reasons = ", ".join(
        f"CASE WHEN {fault} THEN {DUCKDB.literal(reason)} END" for fault, reason in faults
    )
    record = DUCKDB.record([(name, _shown(name, kind)) for name, kind in raw.schema.items()])
    return TypedRows(
        f"SELECT {', '.join(values)} FROM {source} WHERE NOT ({unfit})",
        f"SELECT {DUCKDB.literal(raw.origin)} AS file, concat_ws('; ', {reasons}) AS reason, "
        f"{record} AS record FROM {source} WHERE {unfit}",
    )


def _value(raw: RawRows, column: SourceColumn) -> tuple[str, str]:
    """A column's value, and the condition under which it does not fit ('': never)."""
    found = raw.schema.get(column.name)
    name = f"input.{DUCKDB.identifier(column.name)}"
    if found is None:
        return f"CAST(NULL AS {DUCKDB.type_name(column.type)})", ""
    if found == column.type:
        return name, ""
    stated = Column(column.name, column.name, column.type)
    typed = read_as(stated, found, name, None, DUCKDB)
    return typed, is_unreadable(stated, found, name, typed, DUCKDB)


def _shown(name: str, kind: ColumnType) -> str:
    """A value in the record of a reject; JSON of DuckDB's would round a long decimal."""
    value = f"input.{DUCKDB.identifier(name)}"
    if kind.kind in (DATE, TIMESTAMP, DECIMAL, BINARY):
        return f"CAST({value} AS VARCHAR)"
    return value
