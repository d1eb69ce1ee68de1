"""The rows of a COPY … TO STDOUT, in files of a bounded size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count, islice
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import psycopg
from psycopg.pq import ExecStatus

FILE_BYTES = 64 << 20
BUFFER_BYTES = 1 << 20
MOST_AT_A_TIME = 1_000
END = (-1, b"")
BEFORE_CHRIST = b" BC"


@dataclass(frozen=True)
class CopiedFile:
    """Lines of CSV: how many, and the length of the longest in bytes.

    `may_be_before_christ` tells whether ` BC` stands anywhere in it, in a date perhaps.
    """

    path: Path
    rows: int
    longest_line: int
    may_be_before_christ: bool


def copy_to_files(
    connection: psycopg.Connection[Any], statement: str, place: Path, file_bytes: int
) -> Iterator[CopiedFile]:
    """Run a COPY and yield each file as soon as it is full. Raises psycopg.Error.

    libpq gives one row at a time: that is how PostgreSQL sends them. It is called directly, because
    with five million rows whatever happens per row is what the extract costs; while it waits, it
    does not hold the GIL.
    """
    pg = connection.pgconn
    _require(pg.exec_(statement.encode()), ExecStatus.COPY_OUT)
    rows_of_copy = iter(partial(pg.get_copy_data, 0), END)
    for number in count():
        path = place.with_name(f"{place.name}-{number:05d}.csv")
        rows, longest = _fill(rows_of_copy, path, file_bytes)
        if not rows:
            path.unlink()
            break
        yield CopiedFile(path, rows, longest, _has(path, BEFORE_CHRIST))
    while True:
        result = pg.get_result()
        if result is None:
            return
        _require(result, ExecStatus.COMMAND_OK)


def _fill(rows_of_copy: Iterator[Any], path: Path, file_bytes: int) -> tuple[int, int]:
    """Write rows to a file until it is full or there are no more; return how many, the longest."""
    rows = longest = size = 0
    with path.open("wb", buffering=BUFFER_BYTES) as file:
        while size < file_bytes:
            at_a_time = max(1, min(MOST_AT_A_TIME, BUFFER_BYTES // (longest or BUFFER_BYTES)))
            batch = list(islice(rows_of_copy, at_a_time))
            if not batch:
                break
            lengths = [length for length, _ in batch]
            file.writelines([data for _, data in batch])
            rows += len(batch)
            size += sum(lengths)
            longest = max(longest, max(lengths))
    return rows, longest


def _has(path: Path, text: bytes) -> bool:
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        return content.find(text) >= 0


def _require(result: Any, status: ExecStatus) -> None:
    """Raises psycopg.Error, of the class for the error's code, unless the result is as wanted."""
    if result.status != status:
        raise psycopg.errors.error_from_result(result, encoding="utf-8")
