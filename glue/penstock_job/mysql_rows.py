"""Rows of texts and bytes as CSV files of a bounded size, in the form of `csv_chunk.py`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock_job.csv_chunk import DELIMITER, QUOTE

FILE_BYTES = 64 << 20
ROWS_AT_A_TIME = 5_000


@dataclass(frozen=True)
class WrittenFile:
    """Lines of CSV: how many, and the length of the longest in bytes."""

    path: Path
    rows: int
    longest_line: int


def rows_to_files(
    cursor: Any, place: Path, file_bytes: int, fillers: int = 0
) -> Iterator[WrittenFile]:
    """Write the rows of a cursor and yield each file as soon as it is full."""
    end = f"{DELIMITER}1" * fillers + "\n"
    number, rows = 0, cursor.fetchmany(ROWS_AT_A_TIME)
    while rows:
        path = place.with_name(f"{place.name}-{number:05d}.csv")
        count = longest = size = 0
        with path.open("wb") as file:
            while rows and size < file_bytes:
                lines = [_line(row, end) for row in rows]
                size += file.write(b"".join(lines))
                count += len(lines)
                longest = max(longest, max(map(len, lines)))
                rows = cursor.fetchmany(ROWS_AT_A_TIME)
        yield WrittenFile(path, count, longest)
        number += 1


def _line(row: Any, end: str) -> bytes:
    return (DELIMITER.join([_field(value) for value in row]) + end).encode()


def _field(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    text: str = value
    return QUOTE + text.replace(QUOTE, QUOTE + QUOTE) + QUOTE
