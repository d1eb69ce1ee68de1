"""Writes the chunks of a table as Parquet files, several at a time, and stores them.

While one chunk is written the source is read on; a bounded number of chunks lies on the disk.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from penstock_job.dialect import DUCKDB
from penstock_job.errors import AccountingError, EngineError, SourceError
from penstock_job.object_store import ObjectStore, StoredObject
from penstock_job.table_source import Chunk

MOST_WRITERS = 4
# Level 3, which is the default, takes a quarter of the time more for a twentieth less of space.
OPTIONS = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1"
LONGEST_SHOWN = 80


@dataclass(frozen=True)
class Part:
    """The rows of a chunk: files still on this machine, each with the name it is to be stored as,
    or files that are stored."""

    files: Sequence[tuple[Path, str]]
    rows: int
    stored: Sequence[StoredObject] = ()


class ParquetParts:
    """The Parquet files of one attempt at one table.

    They get a folder that no other try at this attempt uses: files which a manifest names are never
    written over, and whoever reads the whole folder (Athena) reads nothing else. `at_once`: files
    are stored as soon as they are written; otherwise they are kept, so that they can be rewritten,
    until `store` is called.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        store: ObjectStore,
        folder: Path,
        target: str,
        *,
        partition_by: Sequence[str] = (),
        at_once: bool = True,
    ) -> None:
        self._connection = connection
        self._store = store
        self._folder = folder
        self._target = f"{target}/try={uuid.uuid4().hex[:8]}"
        self._partition_by = partition_by
        self._at_once = at_once
        self._count = 0

    def write(self, chunks: Iterable[Chunk]) -> list[Part]:
        """Write chunks to files of this machine. Raises SourceError for a value that does not fit.

        What is under way is waited for, whatever happens, because it uses the folder.
        """
        workers = max(1, min(MOST_WRITERS, os.cpu_count() or 1))
        parts: list[Part] = []
        waiting: list[Future[Part]] = []
        with self._one_thread_each(), ThreadPoolExecutor(workers, "parquet") as pool:
            for chunk in chunks:
                self._count += 1
                waiting.append(pool.submit(self._write_chunk, chunk, self._count))
                if len(waiting) > workers:
                    parts.append(waiting.pop(0).result())
            parts += [future.result() for future in waiting]
            wait(waiting)
        return parts

    @contextmanager
    def _one_thread_each(self) -> Iterator[None]:
        """Have each chunk be read and written by one thread, which also keeps its rows in order.

        There are as many chunks at work as cores. More threads for each only take turns, and to put
        their rows in order again takes a quarter of the time more.
        """
        self._connection.execute("SET threads = 1")
        self._connection.execute("SET preserve_insertion_order = false")
        try:
            yield
        finally:
            self._connection.execute("RESET preserve_insertion_order")
            self._connection.execute("RESET threads")

    def rewrite(self, parts: Sequence[Part], select: str) -> list[Part]:
        """Write the parts anew, as a select over them (`{parts}` in its text) gives them."""
        files = [DUCKDB.literal(str(file)) for part in parts for file, _ in part.files]
        reading = f"read_parquet([{', '.join(files)}], hive_partitioning = false)"
        self._count += 1
        part = self._copy(self._connection, select.replace("{parts}", reading), self._count)
        for old in parts:
            for file, _ in old.files:
                file.unlink()
        return [part]

    def write_select(self, select: str) -> Part:
        """Write the rows of a select over tables of the connection, and store them."""
        self._count += 1
        return self._stored(self._copy(self._connection, select, self._count))

    def store(self, parts: Sequence[Part]) -> list[Part]:
        """Store what is not stored yet."""
        return [self._stored(part) for part in parts]

    def _stored(self, part: Part) -> Part:
        stored = [*part.stored]
        for file, name in part.files:
            stored.append(self._store.upload(file, f"{self._target}/{name}"))
            file.unlink()
        return Part([], part.rows, stored)

    def _write_chunk(self, chunk: Chunk, number: int) -> Part:
        with self._connection.cursor() as cursor:
            try:
                part = self._copy(cursor, chunk.select, number)
            except duckdb.Error as error:
                raise _explained(cursor, chunk, error) from error
            finally:
                chunk.file.unlink()
        if chunk.rows is not None and part.rows != chunk.rows:
            raise AccountingError(
                f"the source gave {chunk.rows} rows, but {part.rows} were written; "
                "nothing was published"
            )
        return self._stored(part) if self._at_once else part

    def _copy(self, cursor: duckdb.DuckDBPyConnection, select: str, number: int) -> Part:
        place = self._folder / f"part-{number:05d}"
        if not self._partition_by:
            options = OPTIONS
        else:
            names = ", ".join(DUCKDB.identifier(name) for name in self._partition_by)
            options = f"{OPTIONS}, PARTITION_BY ({names}), WRITE_PARTITION_COLUMNS true"
        row = cursor.execute(
            f"COPY ({select}) TO {DUCKDB.literal(str(place))} ({options})"
        ).fetchone()
        assert row is not None
        files = [place] if place.is_file() else sorted(place.rglob("*.parquet"))
        named = [(file, _name_of(file, place, nth)) for nth, file in enumerate(files)]
        return Part(named, int(row[0]))


def _name_of(file: Path, place: Path, nth: int) -> str:
    """The name to store a file as, in a folder of its partition values if it has any."""
    if file == place:
        return f"{place.name}.parquet"
    return f"{file.parent.relative_to(place)}/{place.name}-{nth:05d}.parquet"


def _explained(
    cursor: duckdb.DuckDBPyConnection, chunk: Chunk, error: duckdb.Error
) -> SourceError | EngineError:
    """The value that did not fit its column, or what else DuckDB says."""
    for fault in chunk.faults:
        found = _one(
            cursor, f"SELECT {fault.shown} FROM {chunk.origin} WHERE {fault.condition} LIMIT 1"
        )
        if found is not None:
            column = fault.column
            return SourceError(
                f"column {column.name} ({column.source_type}) holds {found[:LONGEST_SHOWN]!r}, "
                f"which cannot be kept as {column.type}; `types: {{{column.name}: text}}` keeps "
                "it as it is"
            )
    return EngineError(f"DuckDB: {str(error).splitlines()[0]}")


def _one(cursor: duckdb.DuckDBPyConnection, sql: str) -> str | None:
    try:
        row = cursor.execute(sql).fetchone()
    except duckdb.Error:  # the file itself cannot be read: the first error says so
        return None
    return None if row is None else str(row[0])
