"""PostgreSQL as a source: COPY to CSV, in one snapshot per table, ranges side by side."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from penstock_job.column_type import DATE, TIMESTAMP
from penstock_job.csv_chunk import DELIMITER, QUOTE, csv_chunk
from penstock_job.database_access import (
    CONNECT_TIMEOUT_SECONDS,
    DatabaseAccess,
    Patience,
    TransientConnectError,
)
from penstock_job.errors import SourceError
from penstock_job.increment import start_of
from penstock_job.postgresql_columns import TableColumn, copied, published_columns
from penstock_job.postgresql_copy import FILE_BYTES, CopiedFile, copy_to_files
from penstock_job.postgresql_query import (
    condition_of,
    increment_of,
    ranges_of,
    relation_of,
    without_cursor,
)
from penstock_job.side_by_side import side_by_side
from penstock_job.table_source import Chunk, SourceColumn
from penstock_job.work_order import TableOrder

PORT = 5432
# Errors that another attempt at connecting will not meet otherwise: who we are, what we asked for.
_FINAL = ("28", "3D", "42", "0A")
SETTINGS = (
    "SET TIME ZONE 'UTC'",
    "SET DateStyle = 'ISO, YMD'",
    "SET IntervalStyle = 'postgres'",
    "SET bytea_output = 'hex'",
    "SET extra_float_digits = 3",
    "SET idle_in_transaction_session_timeout = 0",
    "SET statement_timeout = 0",
)
_COLUMNS = """
    SELECT a.attname,
           format_type(coalesce(nullif(t.typbasetype, 0), a.atttypid),
                       CASE WHEN t.typbasetype <> 0 THEN t.typtypmod ELSE a.atttypmod END),
           coalesce(b.typcategory, t.typcategory) = 'A',
           a.attnotnull OR t.typnotnull
      FROM pg_attribute a
      JOIN pg_type t ON t.oid = a.atttypid
      LEFT JOIN pg_type b ON b.oid = nullif(t.typbasetype, 0)
     WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped
     ORDER BY a.attnum
"""
_UNIQUE_KEYS = """
    SELECT array_agg(a.attname::text)
      FROM pg_index i
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
     WHERE i.indrelid = %s AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
       AND i.indexprs IS NULL
     GROUP BY i.indexrelid
    HAVING bool_and(a.attnotnull)
"""


class PostgresqlSource:
    """A TableSource on one database; each table is read by connections of its own."""

    reads_once = False

    def __init__(
        self,
        access: DatabaseAccess,
        patience: Patience | None = None,
        file_bytes: int = FILE_BYTES,
    ) -> None:
        self._access = access
        self._patience = patience or Patience()
        self.file_bytes = file_bytes

    @contextmanager
    def read(self, order: TableOrder) -> Iterator[PostgresqlReading]:
        """Hold one snapshot of a table. Raises SourceError."""
        connection = self.connect()
        try:
            with explained(order.table):
                _begin(connection)
                reading = _reading(self, connection, order)
            yield reading
        finally:
            connection.close()

    def connect(self) -> psycopg.Connection[Any]:
        """A connection of its own, set up so that values are written in one form everywhere."""
        access = self._access
        return self._patience.connect(f"{access.host}:{access.port}", self._connect)

    def close(self) -> None:
        """Nothing stays open between tables."""

    def _connect(self) -> psycopg.Connection[Any]:
        access = self._access
        try:
            connection = psycopg.connect(
                host=access.host,
                port=access.port,
                dbname=access.database,
                user=access.user,
                password=access.password,
                sslmode=access.tls,
                sslrootcert=str(access.ca_file) if access.ca_file else "",
                connect_timeout=CONNECT_TIMEOUT_SECONDS,
                application_name="penstock",
                client_encoding="UTF8",
                keepalives_idle=30,
                keepalives_interval=10,
                keepalives_count=3,
                autocommit=True,
            )
            for setting in SETTINGS:
                connection.execute(setting)
            return connection
        except psycopg.Error as error:
            text = _in_one_line(error)
            if (error.sqlstate or "").startswith(_FINAL) or "authentication failed" in text:
                raise SourceError(f"{access.host}:{access.port}: {text}") from None
            raise TransientConnectError(text) from None


@dataclass(frozen=True)
class PostgresqlReading:
    """One table in one snapshot."""

    source: PostgresqlSource
    connection: psycopg.Connection[Any]
    table: str
    relation: str
    pairs: Sequence[tuple[TableColumn, SourceColumn]]
    conditions: Sequence[str]
    watermark: Any
    keys_are_unique: bool
    strict: Sequence[str]
    is_whole: bool
    details: dict[str, Any] = field(default_factory=dict)
    unchanged: bool = False
    may_lack_columns: bool = False
    rows_rejected: int = 0

    @property
    def columns(self) -> Sequence[SourceColumn]:
        """The columns, in their order."""
        return [published for _, published in self.pairs]

    def chunks(self, folder: Path) -> Generator[Chunk, None, None]:
        """The rows; of several ranges each is read by a connection with the same snapshot."""
        if len(self.conditions) == 1:
            yield from self._range(self.connection, self.conditions[0], folder / "copy-0")
            return
        with explained(self.table):
            snapshot = self.connection.execute("SELECT pg_export_snapshot()").fetchone()
            assert snapshot is not None
        readers = [
            self._shared(str(snapshot[0]), condition, folder / f"copy-{number}")
            for number, condition in enumerate(self.conditions)
        ]
        with closing(side_by_side(readers)) as chunks:
            yield from chunks

    def _shared(self, snapshot: str, condition: str, place: Path) -> Iterator[Chunk]:
        connection = self.source.connect()
        try:
            with explained(self.table):
                _begin(connection)
                connection.execute(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
            yield from self._range(connection, condition, place)
        finally:
            connection.close()

    def _range(
        self, connection: psycopg.Connection[Any], condition: str, place: Path
    ) -> Iterator[Chunk]:
        with explained(self.table):
            for file in copy_to_files(
                connection, self._copy(condition), place, self.source.file_bytes
            ):
                yield self._chunk(file)

    def _copy(self, condition: str) -> str:
        values = [copied(column) for column, _ in self.pairs]
        values += ["1"] * self._fillers
        where = f" WHERE {condition}" if condition else ""
        rows = f"SELECT {', '.join(values)} FROM {self.relation}{where}"
        form = f"FORMAT csv, DELIMITER E'\\x{ord(DELIMITER):02x}', QUOTE E'\\x{ord(QUOTE):02x}'"
        return f"COPY ({rows}) TO STDOUT ({form}, ENCODING 'UTF8')"

    def _chunk(self, file: CopiedFile) -> Chunk:
        dated = any(each.type.kind in (DATE, TIMESTAMP) for each in self.columns)
        return csv_chunk(
            file.path,
            self.columns,
            rows=file.rows,
            longest_line=file.longest_line,
            strict=self.strict,
            fillers=self._fillers,
            eras=dated and file.may_be_before_christ(),
        )

    @property
    def _fillers(self) -> int:
        """A NULL in a table's only column would be a blank line."""
        return 1 if len(self.pairs) == 1 else 0


@contextmanager
def explained(table: str) -> Iterator[None]:
    """Errors of the database as SourceError, on one line."""
    try:
        yield
    except psycopg.Error as error:
        raise SourceError(f"{table}: {_in_one_line(error)}") from error


def _begin(connection: psycopg.Connection[Any]) -> None:
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")


def _reading(
    source: PostgresqlSource, connection: psycopg.Connection[Any], order: TableOrder
) -> PostgresqlReading:
    oid, relation = relation_of(connection, order.table)
    columns = [TableColumn(*row) for row in connection.execute(_COLUMNS, (oid,))]
    pairs = published_columns(columns, order)
    names = {column.name: column for column in columns}
    increment = increment_of(connection, relation, names, order)
    watermark = order.watermark
    details: dict[str, Any] = {}
    condition = ""
    if increment is not None:
        watermark = increment.watermark or order.watermark
        condition = condition_of(increment, names[order.cursor], order)
        details = without_cursor(connection, relation, names[order.cursor])
    keys = [set(row[0]) for row in connection.execute(_UNIQUE_KEYS, (oid,))]
    return PostgresqlReading(
        source=source,
        connection=connection,
        table=order.table,
        relation=relation,
        pairs=pairs,
        conditions=ranges_of(connection, relation, names, order, condition),
        watermark=watermark,
        keys_are_unique=any(key <= set(order.primary_key) for key in keys),
        strict=tuple(order.types),
        is_whole=start_of(order) is None,
        details=details,
    )


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
