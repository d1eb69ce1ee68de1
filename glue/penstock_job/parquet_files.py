"""Parquet files as raw rows: their types made the published ones, without loss or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from penstock_job.column_type import (
    BINARY,
    BOOLEAN,
    DATE,
    DECIMAL,
    DOUBLE,
    INTEGER,
    TEXT,
    TIMESTAMP,
    ColumnType,
    read_type,
)
from penstock_job.dataset import PublishedColumn
from penstock_job.dialect import DUCKDB
from penstock_job.errors import SourceError
from penstock_job.raw_rows import RawRows
from penstock_job.schema_drift import united
from penstock_job.table_source import SourceColumn

INSTANT = "timestamp with time zone"
NANOSECONDS = "timestamp_ns"
_KINDS = {
    **dict.fromkeys(("tinyint", "smallint", "integer", "bigint"), ColumnType(INTEGER)),
    **dict.fromkeys(("utinyint", "usmallint", "uinteger"), ColumnType(INTEGER)),
    "ubigint": ColumnType(DECIMAL, 20, 0),
    **dict.fromkeys(("float", "double"), ColumnType(DOUBLE)),
    **dict.fromkeys(
        ("timestamp", "timestamp_s", "timestamp_ms", NANOSECONDS, INSTANT), ColumnType(TIMESTAMP)
    ),
    "varchar": ColumnType(TEXT),
    "blob": ColumnType(BINARY),
    "boolean": ColumnType(BOOLEAN),
    "date": ColumnType(DATE),
}


@dataclass(frozen=True)
class ParquetFile:
    """A file, and the types that DuckDB finds in it, by column."""

    file: Path
    origin: str
    found: Mapping[str, str]
    rows: int

    def raw_rows(self, names: Sequence[str]) -> RawRows:
        """The rows with those of the named columns that the file has."""
        own = [name for name in names if name in self.found]
        values = ", ".join(
            f"{_value(name, self.found[name])} AS {DUCKDB.identifier(name)}" for name in own
        )
        schema = {name: _kind(self.found[name]) for name in own}
        reading = f"read_parquet({DUCKDB.literal(str(self.file))}, hive_partitioning = false)"
        select = f"SELECT {values or 'NULL'} FROM {reading}"
        return RawRows(self.file, select, schema, self.rows, self.origin)


def parquet_file(connection: duckdb.DuckDBPyConnection, file: Path, origin: str) -> ParquetFile:
    """Look into a file. Raises SourceError where it is no Parquet file."""
    reading = f"read_parquet({DUCKDB.literal(str(file))}, hive_partitioning = false)"
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM {reading}").fetchall()
        counted = connection.execute(f"SELECT count(*) FROM {reading}").fetchone()
    except duckdb.Error as error:
        raise SourceError(f"{origin} is no Parquet file: {str(error).splitlines()[0]}") from error
    assert counted is not None
    found = {name: kind.lower() for name, kind, *_ in described}
    return ParquetFile(file, origin, found, int(counted[0]))


def parquet_columns(
    files: Sequence[ParquetFile], wanted: Sequence[str], types: Mapping[str, ColumnType]
) -> list[SourceColumn]:
    """The columns of the files together: of each the type that holds the values of all.

    Raises SourceError where one of the wanted columns is missing, or where one file holds moments
    (with a time zone) in a column in which another holds times without a zone.
    """
    columns: list[PublishedColumn] = []
    words: dict[str, str] = {}
    for each in files:
        missing = [name for name in wanted if name not in each.found]
        if missing:
            raise SourceError(f"{each.origin} has no column {', '.join(missing)}")
        own = [PublishedColumn(name, str(_kind(kind))) for name, kind in each.found.items()]
        columns = united(own, columns) if columns else own
        for name, kind in each.found.items():
            if INSTANT in (kind, words.get(name)) and words.get(name, kind) != kind:
                raise SourceError(
                    f"{each.origin}: column {name} is {kind}, and {words[name]} in another file"
                )
            words[name] = kind
    kept = [column for column in columns if not wanted or column.name in wanted]
    return [_source_column(column, words[column.name], types) for column in kept]


def _source_column(
    column: PublishedColumn, word: str, types: Mapping[str, ColumnType]
) -> SourceColumn:
    kind = types.get(column.name, read_type(column.type))
    return SourceColumn(column.name, kind, word, word == INSTANT and kind.kind == TIMESTAMP)


def _kind(word: str) -> ColumnType:
    """The published type of a type of DuckDB's; what is none of these becomes a text."""
    if word.startswith("decimal("):
        return read_type(word)
    return _KINDS.get(word, ColumnType(TEXT))


def _value(name: str, word: str) -> str:
    column = DUCKDB.identifier(name)
    if word == NANOSECONDS:
        # Microseconds are all that is published; to cut digits off in silence would be a loss.
        exact = f"CAST({column} AS TIMESTAMP)"
        return (
            f"CASE WHEN epoch_ns({column}) % 1000 = 0 THEN {exact} WHEN {column} IS NOT NULL "
            f"THEN error({DUCKDB.literal(f'column {name} holds parts of a microsecond')}) END"
        )
    if word in (INSTANT, "varchar"):
        return column
    kind = _kind(word)
    if kind.kind != TEXT:
        return f"CAST({column} AS {DUCKDB.type_name(kind)})"
    nested = word.endswith("]") or word.startswith(("struct(", "map(", "union("))
    return f"CAST({f'to_json({column})' if nested else column} AS VARCHAR)"
