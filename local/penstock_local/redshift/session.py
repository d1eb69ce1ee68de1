"""One connection to one database: its transaction, temporary tables and settings."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from penstock_local.redshift.errors import SqlError, StatementCancelledError
from penstock_local.redshift.place import Place
from penstock_local.redshift.results import ResultColumn, ResultSet, ResultStore
from penstock_local.redshift.wordings import from_duckdb
from penstock_local.redshift.words import literal, quote

SYSTEM_SCHEMA = "memory.redshift"
DEFAULT_SCHEMA = "public"


@dataclass(frozen=True, slots=True)
class Folders:
    """Where files lie: `staging` for COPY and UNLOAD, all that DuckDB may read; `results`."""

    staging: Path
    results: Path


class Session:
    """What one call, or one SessionId, works with. Used by one thread at a time."""

    def __init__(
        self,
        place: Place,
        connection: duckdb.DuckDBPyConnection,
        catalog: str,
        folders: Folders,
        user: str,
    ) -> None:
        self.place = place
        self.user = user
        self.result_format = "JSON"
        self.query_id = 0
        self.search_path = [DEFAULT_SCHEMA]
        # True while a batch holds all statements in one transaction.
        self.in_batch = False
        # True after the user's own BEGIN, until COMMIT or ROLLBACK.
        self.in_block = False
        self._open = False
        self._catalog = catalog
        self._connection = connection
        self._folders = folders
        self._cancelled = threading.Event()
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"SET VARIABLE redshift_user = {literal(user)}")
        self.set_search_path(self.search_path)

    # -- statements --------------------------------------------------------------------------

    def execute(
        self, sql: str, parameters: Mapping[str, str] | Sequence[Any] | None = None
    ) -> duckdb.DuckDBPyConnection:
        """Run one statement of DuckDB's SQL; its rows are fetched from what is returned.

        Raises SqlError in Redshift's words, StatementCancelledError after `cancel`.
        """
        with self.translated_errors():
            return (
                self._connection.execute(sql, parameters)
                if parameters
                else (self._connection.execute(sql))
            )

    def rows(self, sql: str, parameters: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """All rows of a small query."""
        with self.translated_errors():
            return self.execute(sql, parameters).fetchall()

    def affected(self, sql: str, parameters: Mapping[str, str] | None = None) -> int:
        """Run a statement that changes rows and say how many."""
        cursor = self.execute(sql, parameters)
        with self.translated_errors():
            found = cursor.fetchone()
        return int(found[0]) if found and isinstance(found[0], int) else 0

    @contextlib.contextmanager
    def translated_errors(self) -> Iterator[None]:
        """Turn DuckDB's errors into Redshift's, and an interruption into a cancellation."""
        self.stop_if_cancelled()
        try:
            yield
        except duckdb.InterruptException as error:
            raise StatementCancelledError from error
        except duckdb.Error as error:
            raise from_duckdb(error) from error

    # -- cancellation ------------------------------------------------------------------------

    def cancel(self) -> None:
        """Interrupt what runs now and refuse to start anything more; called by other threads."""
        self._cancelled.set()
        self._connection.interrupt()

    def stop_if_cancelled(self) -> None:
        """Raise StatementCancelledError if somebody has cancelled."""
        if self._cancelled.is_set():
            raise StatementCancelledError

    def clear_cancellation(self) -> None:
        """Make a kept session usable again."""
        self._cancelled.clear()

    # -- transactions ------------------------------------------------------------------------

    def begin(self) -> None:
        """Open a transaction unless one is open."""
        if not self._open:
            self.execute("BEGIN TRANSACTION")
            self._open = True

    def commit(self) -> None:
        """Commit and leave the user's transaction block, if there is one."""
        self.in_block = False
        if self._open:
            self.stop_if_cancelled()
            self._open = False
            self.execute("COMMIT")

    def rollback(self) -> None:
        """Undo and leave the user's transaction block. Never fails."""
        self.in_block = False
        if self._open:
            self._open = False
            with contextlib.suppress(duckdb.Error):
                self._connection.execute("ROLLBACK")

    def refuse_in_block(self, statement: str) -> None:
        """Raise the error of a statement that Redshift runs outside transactions only."""
        if self.in_batch or self.in_block:
            raise SqlError(f"{statement} cannot run inside a transaction block")

    # -- surroundings ------------------------------------------------------------------------

    def set_search_path(self, schemas: Sequence[str]) -> None:
        """Look for unqualified names in these schemas, in this order."""
        known = {
            name
            for (name,) in self.rows(
                "SELECT schema_name FROM duckdb_schemas() WHERE database_name = ?", [self._catalog]
            )
        }
        found = [schema for schema in schemas if schema in known]
        path = [f"{quote(self._catalog)}.{quote(schema)}" for schema in found]
        self.execute(f"SET search_path = {literal(','.join([*path, SYSTEM_SCHEMA]))}")
        self.search_path = list(schemas)

    def set_variable(self, name: str, value: int) -> None:
        """Remember a number for the functions of `prelude.sql`."""
        self.execute(f"SET VARIABLE {name} = {value}")

    @property
    def catalog(self) -> str:
        """The name by which DuckDB knows the database."""
        return self._catalog

    @contextlib.contextmanager
    def staging(self) -> Iterator[Path]:
        """A folder for the files of one COPY or UNLOAD, the only place DuckDB may read."""
        with tempfile.TemporaryDirectory(dir=self._folders.staging) as folder:
            yield Path(folder)

    def save_result(
        self, columns: Sequence[ResultColumn], batches: Iterator[list[tuple[Any, ...]]]
    ) -> ResultSet:
        """Keep the rows of a query for GetStatementResult."""
        return ResultStore(self._folders.results).save(columns, batches, self.result_format)

    def record_load_errors(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Keep what COPY could not load, whatever becomes of the transaction."""
        with contextlib.closing(self._connection.cursor()) as beside:
            marks = ", ".join("?" * len(rows[0]))
            beside.executemany(f"INSERT INTO {SYSTEM_SCHEMA}.load_errors VALUES ({marks})", rows)  # noqa: S608
            beside.execute(
                f"DELETE FROM {SYSTEM_SCHEMA}.load_errors WHERE rowid NOT IN "  # noqa: S608
                f"(SELECT rowid FROM {SYSTEM_SCHEMA}.load_errors ORDER BY rowid DESC LIMIT 1000)"
            )

    def close(self) -> None:
        """Undo what is open and let go of temporary tables."""
        self.rollback()
        self._connection.close()
