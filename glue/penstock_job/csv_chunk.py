"""Rows as CSV texts, in the one form that sources write and DuckDB reads here.

A missing value is an empty field without quotes; every other empty text is quoted. Delimiter and
quote are control characters: commas and quotes are common in texts and JSON, and whatever has to be
quoted costs the database, and DuckDB again. What a database writes as text is made the published
type by DuckDB, exactly or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock_job.cast import is_unreadable, read_as
from penstock_job.column import Column
from penstock_job.column_type import BINARY, DATE, TEXT, TIMESTAMP, ColumnType
from penstock_job.dialect import DUCKDB
from penstock_job.table_source import Chunk, Fault, SourceColumn

DELIMITER, QUOTE = "\x01", "\x02"
LONG_LINE = 1 << 21
LINES_PER_BUFFER = 4  # 8 MB are parsed faster than the 32 MB of the default


def csv_chunk(
    file: Path,
    columns: Sequence[SourceColumn],
    *,
    rows: int | None,
    longest_line: int,
    strict: Sequence[str] = (),
    fillers: int = 0,
    eras: bool = False,
) -> Chunk:
    """A chunk of CSV lines.

    `strict` names columns whose type is not the source's own, so that their texts are checked (a
    cast would round). `fillers` columns at the end only keep a line from being blank. `eras`: there
    may be dates such as `0044-03-15 BC`, which DuckDB writes otherwise.
    """
    fields = [
        _field(f"raw_{number}", column, column.name in strict, eras)
        for number, column in enumerate(columns)
    ]
    spare = [(f"filler_{number}", "VARCHAR") for number in range(fillers)]
    texts = [(field.raw, "VARCHAR") for field in fields]
    origin = _read_csv(file, [*texts, *spare], longest_line)
    reading = _read_csv(
        file, [*((field.raw, field.read_as) for field in fields), *spare], longest_line
    )
    values = ", ".join(
        f"{field.value} AS {DUCKDB.identifier(field.column.name)}" for field in fields
    )
    faults = [Fault(each.column, each.is_fault, each.raw) for each in fields if each.is_fault]
    guard = " OR ".join(fault.condition for fault in faults if fault.column.name in strict)
    # A row that is right is one for which the CASE gives NULL; a wrong one ends the statement.
    where = f" WHERE (CASE WHEN {guard} THEN error('a value does not fit') END) IS NULL"
    return Chunk(
        file, f"SELECT {values} FROM {reading}{where if guard else ''}", rows, origin, faults
    )


@dataclass(frozen=True)
class _Field:
    """How a field is read: as which type of DuckDB, and what makes the value of that.

    `is_fault` is the condition under which its text is no value; empty where every text is.
    """

    column: SourceColumn
    raw: str
    read_as: str
    value: str
    is_fault: str


def _field(raw: str, column: SourceColumn, strict: bool, eras: bool) -> _Field:
    kind = column.type.kind
    if kind == TEXT:
        return _Field(column, raw, "VARCHAR", raw, "")
    if kind == BINARY:
        return _Field(column, raw, "VARCHAR", f"unhex({raw}[3:])", "")
    if strict:
        stated = Column(column.name, column.name, column.type)
        typed = read_as(stated, ColumnType(TEXT), raw, None, DUCKDB)
        fault = is_unreadable(stated, ColumnType(TEXT), raw, typed, DUCKDB)
        return _Field(column, raw, "VARCHAR", typed, fault)
    name = "TIMESTAMPTZ" if column.is_instant else DUCKDB.type_name(column.type)
    text = _without_era(raw, kind) if eras else raw
    fault = f"({raw} IS NOT NULL AND TRY_CAST({text} AS {name}) IS NULL)"
    if text == raw:
        # While it parses the file, DuckDB casts faster than in the select.
        return _Field(column, raw, name, raw, fault)
    return _Field(column, raw, "VARCHAR", f"CAST({text} AS {name})", fault)


def _without_era(raw: str, kind: str) -> str:
    """A date or time of PostgreSQL as DuckDB would write it."""
    if kind == DATE:
        return f"CASE WHEN suffix({raw}, ' BC') THEN {raw}[:-4] || ' (BC)' ELSE {raw} END"
    if kind == TIMESTAMP:
        moved = f"regexp_replace({raw}, '^([^ ]+) (.*) BC$', '\\1 (BC) \\2')"
        return f"CASE WHEN suffix({raw}, ' BC') THEN {moved} ELSE {raw} END"
    return raw


def _read_csv(file: Path, fields: Sequence[tuple[str, str]], longest_line: int) -> str:
    line = max(LONG_LINE, longest_line) + 1
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in fields)
    # One thread per file: a line break within quotes cannot be told from one between lines by a
    # thread that begins in the middle. Several files are read at once instead.
    return (
        f"read_csv({DUCKDB.literal(str(file))}, columns = {{{columns}}}, auto_detect = false, "
        f"header = false, delim = '{DELIMITER}', quote = '{QUOTE}', escape = '{QUOTE}', "
        "nullstr = '', allow_quoted_nulls = false, new_line = '\\n', strict_mode = true, "
        "parallel = false, "
        f"max_line_size = {line}, buffer_size = {line * LINES_PER_BUFFER})"
    )
