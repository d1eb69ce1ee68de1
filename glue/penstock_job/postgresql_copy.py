"""The rows of a COPY … TO STDOUT, in files of a bounded size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.pq import ExecStatus

FILE_BYTES = 64 << 20
BUFFER_BYTES = 1 << 20
END = -1


@dataclass(frozen=True)
class CopiedFile:
    """Lines of CSV: how many, and the length of the longest in bytes."""

    path: Path
    rows: int
    longest_line: int


def copy_to_files(
    connection: psycopg.Connection[Any], statement: str, place: Path, file_bytes: int
) -> Iterator[CopiedFile]:
    """Run a COPY and yield each file as soon as it is full. Raises psycopg.Error.

    libpq gives one row at a time. It is called directly, because with five million rows whatever
    happens per row is what the extract costs; `get_copy_data` waits without holding the GIL.
    """
    pg = connection.pgconn
    _require(pg.exec_(statement.encode()), ExecStatus.COPY_OUT)
    number, ended = 0, False
    while not ended:
        path = place.with_name(f"{place.name}-{number:05d}.csv")
        rows, longest, ended = _fill(pg.get_copy_data, path, file_bytes)
        if rows:
            yield CopiedFile(path, rows, longest)
        else:
            path.unlink()
        number += 1
    while True:
        result = pg.get_result()
        if result is None:
            return
        _require(result, ExecStatus.COMMAND_OK)


def _fill(get_copy_data: Any, path: Path, file_bytes: int) -> tuple[int, int, bool]:
    """Write rows to a file until it is full; return rows, the longest one, and if these were all.

    A row comes as one message: that is how PostgreSQL sends it.
    """
    rows = longest = size = 0
    with path.open("wb", buffering=BUFFER_BYTES) as file:
        write = file.write
        while size < file_bytes:
            length, data = get_copy_data(0)
            if length == END:
                return rows, longest, True
            write(data)
            rows += 1
            size += length
            if length > longest:
                longest = length
    return rows, longest, False


def _require(result: Any, status: ExecStatus) -> None:
    """Raises psycopg.Error, of the class for the error's code, unless the result is as wanted."""
    if result.status != status:
        raise psycopg.errors.error_from_result(result, encoding="utf-8")
