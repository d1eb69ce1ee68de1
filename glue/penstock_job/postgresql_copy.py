"""The rows of a COPY … TO STDOUT, in files of a bounded size."""

from __future__ import annotations

import select
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count, takewhile
from mmap import ACCESS_READ, mmap
from operator import itemgetter
from pathlib import Path
from typing import Any

import psycopg
from psycopg.pq import ExecStatus

from penstock_job.csv_chunk import LONG_LINE

FILE_BYTES = 64 << 20
BEFORE_CHRIST = b" BC"
AT_ONCE = 1  # get_copy_data: no waiting
END = (-1, b"")
# libpq may hold decrypted bytes of which the socket knows nothing, so it is asked now and then.
PATIENCE_MILLISECONDS = 100


@dataclass(frozen=True)
class CopiedFile:
    """Lines of CSV: how many, and the length in bytes of the longest, if that is a long one."""

    path: Path
    rows: int
    longest_line: int

    def may_be_before_christ(self) -> bool:
        """Whether ` BC` stands anywhere in it, in a date perhaps."""
        with self.path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
            return content.find(BEFORE_CHRIST) >= 0


def copy_to_files(
    connection: psycopg.Connection[Any], statement: str, place: Path, file_bytes: int
) -> Iterator[CopiedFile]:
    """Run a COPY and yield each file as soon as it is full. Raises psycopg.Error."""
    pg = connection.pgconn
    _require(pg.exec_(statement.encode()), ExecStatus.COPY_OUT)
    batches = _batches(pg)
    for number in count():
        path = place.with_name(f"{place.name}-{number:05d}.csv")
        rows, longest = _fill(batches, path, file_bytes)
        if not rows:
            path.unlink()
            break
        yield CopiedFile(path, rows, longest)
    while True:
        result = pg.get_result()
        if result is None:
            return
        _require(result, ExecStatus.COMMAND_OK)


def _batches(pg: Any) -> Iterator[list[Any]]:
    """Rows as they come, as many at a time as have come.

    libpq gives one row at a time: that is how PostgreSQL sends them. With five million rows
    whatever happens per row is what the extract costs, so no line of Python is run for a row.
    psycopg holds the GIL while libpq waits for one; so the waiting is done here, without it.
    """
    rows = map(itemgetter(1), iter(partial(pg.get_copy_data, AT_ONCE), END))
    socket = select.poll()
    socket.register(pg.socket, select.POLLIN)
    while True:
        batch = list(takewhile(len, rows))  # to the empty one: there are no more just now
        if batch:
            yield batch
        row = next(rows, None)  # the end, or nothing yet again
        if row is None:
            return
        if row:
            yield [row]
            continue
        socket.poll(PATIENCE_MILLISECONDS)
        pg.consume_input()


def _fill(batches: Iterator[list[Any]], path: Path, file_bytes: int) -> tuple[int, int]:
    """Write rows to a file until it is full or there are no more; return how many, the longest."""
    rows = longest = size = 0
    with path.open("wb") as file:
        while size < file_bytes:
            batch = next(batches, None)
            if batch is None:
                break
            data = b"".join(batch)
            file.write(data)
            rows += len(batch)
            size += len(data)
            if len(data) > LONG_LINE:
                longest = max(longest, max(map(len, batch)))
    return rows, longest


def _require(result: Any, status: ExecStatus) -> None:
    """Raises psycopg.Error, of the class for the error's code, unless the result is as wanted."""
    if result.status != status:
        raise psycopg.errors.error_from_result(result, encoding="utf-8")
