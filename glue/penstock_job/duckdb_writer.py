"""Writes the rows of a table that is read in chunks as Parquet files, with DuckDB."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb

from penstock_job.compaction import compact
from penstock_job.dialect import DUCKDB
from penstock_job.errors import EngineError
from penstock_job.object_store import ObjectStore
from penstock_job.parquet_parts import ParquetParts, Part
from penstock_job.table_dataset import TableDataset
from penstock_job.table_source import TableReading
from penstock_job.table_writer import WrittenTable
from penstock_job.work_order import TableOrder


class DuckDbWriter:
    """A TableWriter for readings that come in chunks of files on this machine."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, store: ObjectStore, folder: Path
    ) -> None:
        self._connection = connection
        self._store = store
        self._folder = folder

    def write(self, order: TableOrder, reading: TableReading, target: str) -> WrittenTable:
        """Write chunk by chunk; where keys may be repeated, everything once more at the end."""
        deduplicates = order.is_incremental and not reading.keys_are_unique
        with self._working_folder() as folder:
            parts_of = ParquetParts(
                self._connection,
                self._store,
                folder,
                target,
                partition_by=order.partition_by,
                at_once=not deduplicates,
            )
            with closing(reading.chunks(folder)) as chunks:
                parts = parts_of.write(chunks)
            read = _rows(parts)
            if deduplicates and parts:
                parts = parts_of.rewrite(parts, _newest_of_each_key(order))
            parts = parts_of.store(parts)
        files = [stored for part in parts for stored in part.stored]
        return WrittenTable(files, _rows(parts), read - _rows(parts))

    def compact(self, order: TableOrder, dataset: TableDataset, job_id: str, target: str) -> int:
        """Put the increments together if there are many; return how many became one."""
        try:
            with self._working_folder() as folder:
                return compact(self._store, dataset, job_id, target, folder, order.partition_by)
        except duckdb.Error as error:
            raise EngineError(f"DuckDB: {str(error).splitlines()[0]}") from error

    @contextmanager
    def _working_folder(self) -> Iterator[Path]:
        """A folder for one table's files, which is gone afterwards, whatever happened."""
        folder = Path(tempfile.mkdtemp(prefix="table-", dir=self._folder))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _newest_of_each_key(order: TableOrder) -> str:
    """Of each primary key the row with the highest cursor."""
    keys = ", ".join(DUCKDB.identifier(name) for name in order.primary_key)
    cursor = DUCKDB.identifier(order.cursor)
    return (
        "SELECT * FROM {parts} QUALIFY row_number() OVER "
        f"(PARTITION BY {keys} ORDER BY {cursor} DESC NULLS LAST) = 1"
    )


def _rows(parts: Sequence[Part]) -> int:
    return sum(part.rows for part in parts)
