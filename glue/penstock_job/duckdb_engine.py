"""DuckDB as the engine: all of the work in one process, spilling to disk where memory is short."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from penstock_job.column_type import (
    BINARY,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    TEXT,
    TIMESTAMP,
    ColumnType,
    read_type,
)
from penstock_job.csv_file import CsvFile
from penstock_job.dataset import Manifest
from penstock_job.dialect import DUCKDB, Dialect
from penstock_job.engine import JudgedRecords, Written, known_type, of_known_types
from penstock_job.errors import EngineError, SpecificationError
from penstock_job.judged_table import JUDGED, READ
from penstock_job.object_store import ObjectStore

if TYPE_CHECKING:
    from penstock_job.compiler import Program

MOST_ROWS_OF_A_FILE = 2**40
_KINDS = {
    **dict.fromkeys(("tinyint", "smallint", "integer", "bigint", "hugeint"), INTEGER),
    **dict.fromkeys(("utinyint", "usmallint", "uinteger", "ubigint", "uhugeint"), INTEGER),
    **dict.fromkeys(("float", "double"), DOUBLE),
    **dict.fromkeys(("timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns"), TIMESTAMP),
    "timestamp with time zone": TIMESTAMP,
    "varchar": TEXT,
    "blob": BINARY,
    "boolean": BOOLEAN,
    "date": DATE,
}


class DuckDbEngine:
    """An Engine on a database file in `folder`; objects go through `store`."""

    part_bytes = 64 * 1024 * 1024

    def __init__(self, folder: Path, store: ObjectStore, memory_limit: str = "") -> None:
        self.folder = folder
        self.store = store
        self.connection = duckdb.connect(str(folder / "job.duckdb"))
        for statement in (
            "SET autoinstall_known_extensions = false",  # a job never fetches code by itself
            "SET TimeZone = 'UTC'",
            f"SET temp_directory = {DUCKDB.literal(str(folder / 'spill'))}",
        ):
            self.connection.execute(statement)
        if memory_limit:
            self.connection.execute(f"SET memory_limit = {DUCKDB.literal(memory_limit)}")

    @property
    def dialect(self) -> Dialect:
        """DuckDB's SQL."""
        return DUCKDB

    def close(self) -> None:
        """Let go of the database file."""
        self.connection.close()

    def read_dataset(self, table: str, manifest: Manifest) -> None:
        """Fetch a published dataset's files and make them a table."""
        files = self.store.download(manifest.files, self.folder / f"input_{table}")
        rows = f"SELECT * FROM read_parquet({_listed(files)})" if files else _no_rows(manifest)
        self.view(table, of_known_types(rows, self.schema(rows), DUCKDB))

    def read_numbered(self, table: str, manifest: Manifest, number: str) -> None:
        """As `read_dataset`, with a number for each row that is the same in every select.

        The rows stay in the files: a select streams them, however many they are.
        """
        files = self.store.download(manifest.files, self.folder / f"input_{table}")
        rows = " UNION ALL BY NAME ".join(
            f"SELECT file_row_number + {position * MOST_ROWS_OF_A_FILE} AS {number}, * EXCLUDE "
            f"(file_row_number) FROM read_parquet({_quoted(file)}, file_row_number = true)"
            for position, file in enumerate(files)
        )
        rows = rows or f"SELECT CAST(0 AS BIGINT) AS {number}, * FROM ({_no_rows(manifest)})"
        self.view(table, of_known_types(rows, self.schema(rows), DUCKDB))

    def open_csv(self, path: str, delimiter: str) -> CsvFile:
        """Fetch a CSV file."""
        (file,) = self.store.download([path], self.folder / "source")
        return CsvFile(self, file, delimiter)

    def schema(self, sql: str) -> Mapping[str, ColumnType]:
        """The columns that a select gives."""
        described = self._run(f"DESCRIBE {sql}").fetchall()
        return {name: known_type(name, kind, _KINDS) for name, kind, *_ in described}

    def keep(self, table: str, sql: str) -> None:
        """Run a select and keep its rows in a file of its own.

        A Parquet file is written as fast as a table of the database and takes half the memory.
        """
        file = self.folder / f"{table}.parquet"
        # DuckDB takes a CSV file for 42 rows, and would put all of it into a hash table in order
        # to look up the rows of a small lookup in it: joins are carried out as they are written.
        self._run("SET disabled_optimizers = 'build_side_probe_side'")
        self._run(
            f"COPY ({sql}) TO {_quoted(file)} "
            "(FORMAT parquet, COMPRESSION lz4_raw, PARQUET_VERSION v2)"
        )
        self._run("RESET disabled_optimizers")
        self._run(
            f"CREATE OR REPLACE VIEW {DUCKDB.identifier(table)} AS "
            f"SELECT * FROM read_parquet({_quoted(file)})"
        )

    def view(self, table: str, sql: str) -> None:
        """Make a select a view."""
        self._run(f"CREATE OR REPLACE VIEW {DUCKDB.identifier(table)} AS {sql}")

    def row(self, sql: str) -> Sequence[int]:
        """The one row of a select."""
        row = self._run(sql).fetchone()
        assert row is not None
        return [int(value) for value in row]

    def few_rows(self, sql: str) -> Sequence[Sequence[Any]]:
        """The rows of a select that has not many."""
        return self._run(sql).fetchall()

    def make_numbered(self, table: str, texts: Sequence[tuple[int, str]]) -> None:
        """Make a table of `number` and `text`."""
        self._run(f"CREATE TABLE {DUCKDB.identifier(table)} (number BIGINT, text VARCHAR)")
        insert = f"INSERT INTO {DUCKDB.identifier(table)} VALUES (?, ?)"
        self.connection.executemany(insert, texts)

    def judge_records(
        self,
        program: Program,
        folder: str,  # noqa: ARG002 - it writes nothing while it judges, see `Engine`
    ) -> JudgedRecords:
        """Keep all judged records in a file of its own: their select runs once."""
        self.view(READ, program.read)
        self.keep(JUDGED, program.judged)
        return JudgedRecords(self.row(program.tally))

    def write_parquet(self, sql: str, folder: str, counts: Sequence[str] = ()) -> Written:
        """One Parquet file."""
        file = self.folder / "part-00000.parquet"
        self._run(f"COPY ({sql}) TO {_quoted(file)} (FORMAT parquet)")
        rows, *counted = self.row(
            f"SELECT {', '.join(['count(*)', *counts])} FROM read_parquet({_quoted(file)})"
        )
        stored = self.store.upload(file, f"{folder}/{file.name}")
        file.unlink()
        return Written([stored], rows, counted)

    def write_parquet_parts(self, sql: str, folder: str) -> Written:
        """Parquet files of some size, so that whoever reads them can do so in parallel."""
        parts = self.folder / "parts"
        self._run(
            f"COPY ({sql}) TO {_quoted(parts)} (FORMAT parquet, FILENAME_PATTERN 'part-{{i}}', "
            f"FILE_SIZE_BYTES {self.part_bytes})"
        )
        files = sorted(parts.glob("*.parquet"))
        rows = self.row(f"SELECT count(*) FROM read_parquet({_listed(files)})")[0]
        stored = [self.store.upload(file, f"{folder}/{file.name}") for file in files]
        shutil.rmtree(parts)
        return Written(stored, rows)

    def _run(self, sql: str) -> duckdb.DuckDBPyConnection:
        try:
            return self.connection.execute(sql)
        except (duckdb.ProgrammingError, duckdb.DataError, duckdb.NotSupportedError) as error:
            # Further lines of DuckDB's message quote the whole statement with a caret below.
            raise SpecificationError(f"DuckDB: {str(error).splitlines()[0]}") from error
        except duckdb.Error as error:
            raise EngineError(f"DuckDB: {str(error).splitlines()[0]}") from error


def _no_rows(manifest: Manifest) -> str:
    columns = ", ".join(
        f"CAST(NULL AS {DUCKDB.type_name(read_type(column.type))}) "
        f"AS {DUCKDB.identifier(column.name)}"
        for column in manifest.columns
    )
    return f"SELECT {columns} WHERE FALSE"


def _quoted(file: Path) -> str:
    return DUCKDB.literal(str(file))


def _listed(files: Sequence[Path]) -> str:
    return "[" + ", ".join(_quoted(file) for file in files) + "]"
