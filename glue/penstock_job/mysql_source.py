"""MySQL and MariaDB as a source: rows as they are streamed, in one snapshot per table."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pymysql
from pymysql.converters import encoders
from pymysql.cursors import SSCursor

from penstock_job.csv_chunk import csv_chunk
from penstock_job.database_access import (
    CONNECT_TIMEOUT_SECONDS,
    NO_TLS,
    VERIFY_FULL,
    DatabaseAccess,
    Patience,
    TransientConnectError,
)
from penstock_job.errors import SourceError
from penstock_job.increment import start_of
from penstock_job.mysql_columns import TableColumn, published_columns, quoted, selected
from penstock_job.mysql_query import (
    condition_of,
    increment_of,
    keeps_unique,
    run,
    without_cursor,
)
from penstock_job.mysql_rows import FILE_BYTES, rows_to_files
from penstock_job.table_source import Chunk, SourceColumn
from penstock_job.work_order import TableOrder

logger = logging.getLogger(__name__)

PORT = 3306
READ_TIMEOUT_SECONDS = 600
NO_DECODERS: Any = encoders  # values come as the texts that the server sends
# Errors that another attempt at connecting will not meet otherwise: who we are, what we asked for.
_FINAL = {1044, 1045, 1049, 1698}
_SETTINGS = (
    "SET SESSION time_zone = '+00:00'",
    "SET SESSION net_write_timeout = 3600",  # the server waits while a file is written here
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
)
_COLUMNS = """
    SELECT column_name, data_type, column_type, coalesce(numeric_precision, 0),
           coalesce(numeric_scale, 0), is_nullable = 'NO'
      FROM information_schema.columns
     WHERE table_schema = coalesce(%s, database()) AND table_name = %s
     ORDER BY ordinal_position
"""


class MysqlSource:
    """A TableSource on one database; each table is read by a connection of its own."""

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
    def read(self, order: TableOrder) -> Iterator[MysqlReading]:
        """Hold one snapshot of a table. Raises SourceError."""
        access = self._access
        connection = self._patience.connect(f"{access.host}:{access.port}", self._connect)
        try:
            with explained(order.table):
                run(connection, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
                reading = _reading(self, connection, order)
            yield reading
        finally:
            # Not close(): of a stream that is given up, it would read the rest.
            connection._force_close()

    def close(self) -> None:
        """Nothing stays open between tables."""

    def _connect(self) -> Any:
        access = self._access
        try:
            connection = pymysql.connect(
                host=access.host,
                port=access.port,
                database=access.database,
                user=access.user,
                password=access.password,
                charset="utf8mb4",
                conv=NO_DECODERS,
                connect_timeout=CONNECT_TIMEOUT_SECONDS,
                read_timeout=READ_TIMEOUT_SECONDS,
                program_name="penstock",
                autocommit=True,
                **_tls(access),
            )
            for setting in _SETTINGS:
                run(connection, setting)
            _require_tls(access, connection)
            return connection
        except pymysql.MySQLError as error:
            text = _in_one_line(error)
            if error.args and error.args[0] in _FINAL:
                raise SourceError(f"{access.host}:{access.port}: {text}") from None
            raise TransientConnectError(text) from None


@dataclass(frozen=True)
class MysqlReading:
    """One table in one snapshot."""

    source: MysqlSource
    connection: Any
    table: str
    relation: str
    pairs: Sequence[tuple[TableColumn, SourceColumn]]
    condition: str
    parameters: tuple[str, ...]
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
        """The rows. Another connection would not see this snapshot, so there are no ranges."""
        values = ", ".join(selected(column) for column, _ in self.pairs)
        where = f" WHERE {self.condition}" if self.condition else ""
        fillers = 1 if len(self.pairs) == 1 else 0  # a lone NULL would be a blank line
        with explained(self.table), self.connection.cursor(SSCursor) as cursor:
            cursor.execute(f"SELECT {values} FROM {self.relation}{where}", self.parameters or None)
            for file in rows_to_files(cursor, folder / "rows", self.source.file_bytes, fillers):
                yield csv_chunk(
                    file.path,
                    self.columns,
                    rows=file.rows,
                    longest_line=file.longest_line,
                    strict=self.strict,
                    fillers=fillers,
                )


@contextmanager
def explained(table: str) -> Iterator[None]:
    """Errors of the database as SourceError, on one line."""
    try:
        yield
    except (pymysql.MySQLError, OSError) as error:
        raise SourceError(f"{table}: {_in_one_line(error)}") from error


def _reading(source: MysqlSource, connection: Any, order: TableOrder) -> MysqlReading:
    schema, _, table = order.table.rpartition(".")
    place = (schema or None, table)
    columns = [
        TableColumn(name, family, kind, int(precision), int(scale), not_null == "1")
        for name, family, kind, precision, scale, not_null in run(connection, _COLUMNS, place)
    ]
    if not columns:
        raise SourceError(f"there is no table {order.table}, or this user may not see it")
    relation = f"{quoted(schema)}.{quoted(table)}" if schema else quoted(table)
    pairs = published_columns(columns, order)
    increment = increment_of(connection, relation, columns, order)
    watermark = order.watermark
    condition: tuple[str, tuple[str, ...]] = ("", ())
    details: dict[str, Any] = {}
    if increment is not None:
        column = next(each for each in columns if each.name == order.cursor)
        watermark = increment.watermark or order.watermark
        condition = condition_of(increment, column, order)
        details = without_cursor(connection, relation, column)
    if order.partitions > 1:
        logger.warning("%s is read in one go: MySQL shares a snapshot with nobody", order.table)
    return MysqlReading(
        source=source,
        connection=connection,
        table=order.table,
        relation=relation,
        pairs=pairs,
        condition=condition[0],
        parameters=condition[1],
        watermark=watermark,
        keys_are_unique=keeps_unique(connection, place, order.primary_key),
        strict=tuple(order.types),
        is_whole=start_of(order) is None,
        details=details,
    )


def _tls(access: DatabaseAccess) -> dict[str, Any]:
    if access.tls == NO_TLS:
        return {"ssl_disabled": True}
    if access.tls == VERIFY_FULL:
        return {
            "ssl": {
                "ca": str(access.ca_file),
                "check_hostname": True,
                "verify_mode": "required",
            }
        }
    return {"ssl": {"check_hostname": False, "verify_mode": "none"}}


def _require_tls(access: DatabaseAccess, connection: Any) -> None:
    """Raises SourceError where a server without TLS was taken for one with it, as PyMySQL does."""
    if access.tls == NO_TLS:
        return
    [(_, cipher)] = run(connection, "SHOW SESSION STATUS LIKE 'Ssl_cipher'")
    if not cipher:
        connection.close()
        raise SourceError(
            f"{access.host}:{access.port}: the server does not support TLS, but TLS was required"
        )


def _in_one_line(error: Exception) -> str:
    parts = [str(part) for part in error.args if part]
    return " ".join(" ".join(parts).split()) or type(error).__name__
