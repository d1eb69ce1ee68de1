"""Files of texts, CSV or JSON Lines, as raw rows; lines that are no records go to the rejects."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from penstock_job.column_type import TEXT, ColumnType
from penstock_job.csv_records import Parted
from penstock_job.csv_table import CsvStyle, part_file, select_of, wanted_columns
from penstock_job.dialect import DUCKDB
from penstock_job.errors import SourceError
from penstock_job.file_rejects import FileRejects
from penstock_job.json_records import part_json_lines
from penstock_job.plain_text import unpack
from penstock_job.raw_rows import RawRows

LONGEST_OBJECT = 1 << 24  # bytes of a record when each of its values has become a text


def csv_rows(
    raw: Path, origin: str, style: CsvStyle, columns: Sequence[str], rejects: FileRejects
) -> tuple[RawRows, Parted]:
    """The rows of a CSV file, which is replaced. Raises SourceError that names the file."""
    records, malformed = raw.with_suffix(".records"), raw.with_suffix(".malformed")
    try:
        parted = part_file(raw, records, malformed, style, columns)
        wanted = wanted_columns(columns, parted.header) if parted.header else []
    except SourceError as error:
        raise SourceError(f"{origin}: {error}") from error
    _keep(malformed, origin, rejects)
    select = select_of(records, parted, style, wanted)
    return _raw_rows(records, select, wanted, parted.well_formed, origin), parted


def json_rows(
    raw: Path, origin: str, columns: Sequence[str], rejects: FileRejects
) -> tuple[RawRows, Parted]:
    """The rows of a file of JSON Lines, which is replaced. Raises SourceError that names it."""
    records, malformed = raw.with_suffix(".records"), raw.with_suffix(".malformed")
    try:
        unpack(raw)
    except SourceError as error:
        raise SourceError(f"{origin}: {error}") from error
    with raw.open("rb") as source, records.open("wb") as good, malformed.open("wb") as bad:
        parted = part_json_lines(source, good, bad)
    raw.unlink()
    _keep(malformed, origin, rejects)
    wanted = list(columns) or parted.header
    _require_distinct(wanted, origin)
    members = ", ".join(f"{DUCKDB.literal(name)}: 'VARCHAR'" for name in wanted)
    select = (
        f"SELECT * FROM read_json({DUCKDB.literal(str(records))}, columns = {{{members}}}, "
        f"format = 'newline_delimited', maximum_object_size = {LONGEST_OBJECT})"
    )
    return _raw_rows(records, select, wanted, parted.well_formed, origin), parted


def _raw_rows(file: Path, select: str, names: Sequence[str], rows: int, origin: str) -> RawRows:
    return RawRows(file, select, dict.fromkeys(names, ColumnType(TEXT)), rows, origin)


def _require_distinct(names: Sequence[str], origin: str) -> None:
    """Raises SourceError where two names differ in case alone: engines take them for one."""
    seen: dict[str, str] = {}
    for name in names:
        if not name or name.lower() in seen:
            raise SourceError(f"{origin}: {seen.get(name.lower(), '')!r} and {name!r} are one name")
        seen[name.lower()] = name


def _keep(malformed: Path, origin: str, rejects: FileRejects) -> None:
    """Store the malformed lines, each with the address of the file that it is of."""
    named = malformed.with_suffix(".named")
    with malformed.open("rb") as lines, named.open("wb") as target:
        for line in lines:
            entry = {"file": origin, **json.loads(line)}
            target.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
    malformed.unlink()
    rejects.keep(named)
