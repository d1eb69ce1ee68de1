"""Rows as CSV texts, in the one form that sources write and DuckDB reads here.

A missing value is an empty field without quotes; every other empty text is quoted. What a database
writes as text is made the published type by DuckDB, exactly or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from penstock_job.cast import is_unreadable, read_as
from penstock_job.column import Column
from penstock_job.column_type import BINARY, DATE, TEXT, TIMESTAMP, ColumnType
from penstock_job.dialect import DUCKDB
from penstock_job.table_source import Chunk, Fault, SourceColumn

SHORTEST_LINE_LIMIT = 1 << 21
LINES_PER_BUFFER = 16
_STRICT_FOR = (TEXT, BINARY)  # read as they are


def csv_chunk(
    file: Path,
    columns: Sequence[SourceColumn],
    *,
    rows: int | None,
    longest_line: int,
    strict: Sequence[str] = (),
    fillers: int = 0,
) -> Chunk:
    """A chunk of CSV lines.

    `strict` names columns whose type is not the source's own, so that their texts are checked (a
    cast would round). `fillers` columns at the end only keep a line from being blank.
    """
    raw = [f"raw_{number}" for number in range(len(columns))]
    names = [*raw, *(f"filler_{number}" for number in range(fillers))]
    origin = _read_csv(file, names, longest_line)
    values, faults = [], []
    for name, column in zip(raw, columns):
        value, condition = _value(name, column, column.name in strict)
        values.append(f"{value} AS {DUCKDB.identifier(column.name)}")
        if condition:
            faults.append(Fault(column, condition, name))
    guard = " OR ".join(fault.condition for fault in faults if fault.column.name in strict)
    # A row that is right is one for which the CASE gives NULL; a wrong one ends the statement.
    where = f" WHERE (CASE WHEN {guard} THEN error('a value does not fit') END) IS NULL"
    select = f"SELECT {', '.join(values)} FROM {origin}{where if guard else ''}"
    return Chunk(file, select, rows, origin, faults)


def _read_csv(file: Path, names: Sequence[str], longest_line: int) -> str:
    line = max(SHORTEST_LINE_LIMIT, longest_line + 1)
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
    # One thread per file: a line break within quotes cannot be told from one between lines by a
    # thread that begins in the middle. Several files are read at once instead.
    return (
        f"read_csv({DUCKDB.literal(str(file))}, columns = {{{columns}}}, auto_detect = false, "
        "header = false, delim = ',', quote = '\"', escape = '\"', nullstr = '', "
        "allow_quoted_nulls = false, new_line = '\\n', strict_mode = true, parallel = false, "
        f"max_line_size = {line}, buffer_size = {line * LINES_PER_BUFFER})"
    )


def _value(raw: str, column: SourceColumn, strict: bool) -> tuple[str, str]:
    """The value of a column, and the condition under which a text is none ('' where all are)."""
    if column.type.kind == TEXT:
        return raw, ""
    if strict and column.type.kind not in _STRICT_FOR:
        stated = Column(column.name, column.name, column.type)
        typed = read_as(stated, ColumnType(TEXT), raw, None, DUCKDB)
        return typed, is_unreadable(stated, ColumnType(TEXT), raw, typed, DUCKDB)
    text = _as_duckdb_writes(raw, column.type)
    if column.type.kind == BINARY:
        return text, ""
    name = "TIMESTAMPTZ" if column.is_instant else DUCKDB.type_name(column.type)
    return f"CAST({text} AS {name})", f"({raw} IS NOT NULL AND TRY_CAST({text} AS {name}) IS NULL)"


def _as_duckdb_writes(raw: str, kind: ColumnType) -> str:
    """A text of PostgreSQL or MySQL as DuckDB would write it; only a few differ."""
    if kind.kind == DATE:
        return f"CASE WHEN suffix({raw}, ' BC') THEN {raw}[:-4] || ' (BC)' ELSE {raw} END"
    if kind.kind == TIMESTAMP:
        moved = f"regexp_replace({raw}, '^([^ ]+) (.*) BC$', '\\1 (BC) \\2')"
        return f"CASE WHEN suffix({raw}, ' BC') THEN {moved} ELSE {raw} END"
    if kind.kind == BINARY:
        return f"unhex({raw}[3:])"
    return raw
