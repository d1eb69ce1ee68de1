"""A CSV file as a select of DuckDB: columns of text, by the names that the header gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock_job.csv_records import Parted, part_records
from penstock_job.dialect import DUCKDB
from penstock_job.errors import ArgumentsError, SourceError
from penstock_job.plain_text import require_encoding, to_utf_8, unpack


@dataclass(frozen=True)
class CsvStyle:
    """How a file is written: what parts its values, whether it has a header, its encoding."""

    delimiter: str = ","
    header: bool = True
    encoding: str = "utf-8"

    @classmethod
    def of(cls, stated: Mapping[str, Any]) -> CsvStyle:
        """The style that an extract config states. Raises ArgumentsError."""
        unknown = sorted(stated.keys() - {"delimiter", "header", "encoding"})
        if unknown:
            raise ArgumentsError(f"csv: {', '.join(unknown)} is no property of a CSV file")
        return cls(**stated)

    def __post_init__(self) -> None:
        require_encoding(self.encoding)
        if len(self.delimiter.encode()) != 1 or self.delimiter in '"\r\n':
            raise ArgumentsError(
                f"a delimiter is one character other than a quote, not {self.delimiter!r}"
            )


def part_file(
    raw: Path, records: Path, malformed: Path, style: CsvStyle, names: Sequence[str] = ()
) -> Parted:
    """Part a file as it came, compressed or not, into `records` and `malformed`, and delete it.

    `names` are those of the columns where there is no header. Raises SourceError.
    """
    unpack(raw)
    to_utf_8(raw, style.encoding)
    own_names = None if style.header else names
    with raw.open("rb") as source, records.open("wb") as good, malformed.open("wb") as bad:
        parted = part_records(source, good, bad, style.delimiter, own_names)
    raw.unlink()
    return parted


def wanted_columns(names: Sequence[str], header: Sequence[str]) -> list[str]:
    """The header's columns of these names; all where none is named. Raises SourceError."""
    wanted = list(dict.fromkeys(names)) or list(header)
    missing = [name for name in wanted if name not in header]
    if missing:
        raise SourceError(
            f"there is no column {', '.join(missing)}; the header names {', '.join(header)}"
        )
    lowered = [name.lower() for name in wanted]
    for name in wanted:
        if not name or header.count(name) > 1 or lowered.count(name.lower()) > 1:
            raise SourceError(f"the header does not name column {name!r} once and clearly")
    return wanted


def select_of(records: Path, parted: Parted, style: CsvStyle, wanted: Sequence[str]) -> str:
    """The select that reads parted records: an empty value is NULL, a quoted empty one is ''."""
    positions = ", ".join(f"'column_{number}': 'VARCHAR'" for number in range(len(parted.header)))
    rows = (
        f"SELECT * FROM read_csv({DUCKDB.literal(str(records))}, columns = {{{positions}}}, "
        f"auto_detect = false, header = false, delim = {DUCKDB.literal(style.delimiter)}, "
        "quote = '\"', escape = '\"', nullstr = '', allow_quoted_nulls = false, "
        "new_line = '\\n', strict_mode = true)"
    )
    named = ", ".join(
        f"column_{parted.header.index(name)} AS {DUCKDB.identifier(name)}" for name in wanted
    )
    return f"SELECT {named} FROM ({rows}) AS lines"
