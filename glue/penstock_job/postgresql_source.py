"""PostgreSQL as a source: COPY to CSV, in one snapshot per table, ranges side by side."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from penstock_job.csv_chunk import csv_chunk
from penstock_job.database_access import (
    CONNECT_TIMEOUT_SECONDS,
    DatabaseAccess,
    Patience,
    TransientConnectError,
)
from penstock_job.errors import SourceError, SpecificationError
from penstock_job.increment import Increment, require_bound, start_of
from penstock_job.postgresql_columns import (
    CURSORS,
    TableColumn,
    copied,
    published_columns,
    quoted,
)
from penstock_job.postgresql_copy import FILE_BYTES, CopiedFile, copy_to_files
from penstock_job.side_by_side import side_by_side
from penstock_job.table_source import Chunk, SourceColumn
from penstock_job.work_order import TableOrder

logger = logging.getLogger(__name__)

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
        return f"COPY ({rows}) TO STDOUT (FORMAT csv, ENCODING 'UTF8')"

    def _chunk(self, file: CopiedFile) -> Chunk:
        return csv_chunk(
            file.path,
            self.columns,
            rows=file.rows,
            longest_line=file.longest_line,
            strict=self.strict,
            fillers=self._fillers,
            eras=file.may_be_before_christ,
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
    oid, relation = _relation(connection, order.table)
    columns = [TableColumn(*row) for row in connection.execute(_COLUMNS, (oid,))]
    pairs = published_columns(columns, order)
    names = {column.name: column for column in columns}
    increment = _increment(connection, relation, names, order)
    watermark = order.watermark
    details: dict[str, Any] = {}
    condition = ""
    if increment is not None:
        watermark = increment.watermark or order.watermark
        condition = _condition(increment, names[order.cursor], order)
        details = _without_cursor(connection, relation, names[order.cursor])
    keys = [set(row[0]) for row in connection.execute(_UNIQUE_KEYS, (oid,))]
    return PostgresqlReading(
        source=source,
        connection=connection,
        table=order.table,
        relation=relation,
        pairs=pairs,
        conditions=_ranges(connection, relation, names, order, condition),
        watermark=watermark,
        keys_are_unique=any(key <= set(order.primary_key) for key in keys),
        strict=tuple(order.types),
        is_whole=start_of(order) is None,
        details=details,
    )


def _relation(connection: psycopg.Connection[Any], table: str) -> tuple[int, str]:
    """The table's OID and its full name, quoted; a name is looked up as it is written."""
    name = table if '"' in table else ".".join(map(quoted, table.split(".")))
    row = connection.execute(
        "SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n"
        " ON n.oid = c.relnamespace WHERE c.oid = to_regclass(%s)",
        (name,),
    ).fetchone()
    if row is None:
        raise SourceError(f"there is no table {table}, or this user may not see it")
    return int(row[0]), f"{quoted(row[1])}.{quoted(row[2])}"


def _increment(
    connection: psycopg.Connection[Any],
    relation: str,
    columns: dict[str, TableColumn],
    order: TableOrder,
) -> Increment | None:
    """The range of the cursor to read; None where the order has no cursor."""
    if not order.cursor:
        return None
    column = columns.get(order.cursor)
    if column is None:
        raise SpecificationError(
            f"cursor: there is no column {order.cursor}; there are {', '.join(columns)}"
        )
    if column.is_array or column.family not in CURSORS:
        raise SpecificationError(
            f"cursor: {order.cursor} is {column.type}, but a cursor is a timestamp, a date, an "
            "integer or a text"
        )
    name = quoted(order.cursor)
    low, kind = start_of(order), CURSORS[column.family]
    # Not max(): there is none of uuid. An index on the cursor serves either.
    highest = f"SELECT {name} FROM {relation} WHERE {name} IS NOT NULL ORDER BY {name} DESC LIMIT 1"
    before = "NULL" if low is None else _literal(low)
    row = connection.execute(
        f"SELECT high::text, greatest(high, {before}::{kind})::text"
        f" FROM (SELECT ({highest}) AS high) AS bound"
    ).fetchone()
    assert row is not None
    high = require_bound(order.cursor, row[0])
    return Increment(order.cursor, low, high, row[1])


def _condition(increment: Increment, column: TableColumn, order: TableOrder) -> str:
    """Which rows an increment reads; none is left out of a whole table."""
    if increment.low is None:
        return ""
    name, kind = quoted(column.name), CURSORS[column.family]
    low = f"{_literal(increment.low)}::{kind}"
    if order.lookback:
        low = f"({low} - {_lookback(kind, order.lookback, column.name)})"
    parts = [f"{name} >= {low}"]
    if increment.high is not None:
        parts.append(f"{name} <= {_literal(increment.high)}::{kind}")
    within = " AND ".join(parts)
    return within if column.not_null else f"({within} OR {name} IS NULL)"


def _lookback(kind: str, lookback: float, cursor: str) -> str:
    if kind in ("timestamp", "timestamptz"):
        return f"make_interval(secs => {float(lookback)!r})"
    if kind in ("text", "uuid"):
        raise SpecificationError(f"lookback: {cursor} is a text, from which nothing is taken away")
    if kind == "numeric":
        return f"{lookback!r}::numeric"
    if lookback != int(lookback):
        raise SpecificationError(f"lookback: {cursor} needs a whole number, not {lookback}")
    return str(int(lookback))


def _without_cursor(
    connection: psycopg.Connection[Any], relation: str, column: TableColumn
) -> dict[str, Any]:
    """How many rows have no value of the cursor; they are read every time."""
    if column.not_null:
        return {}
    name = quoted(column.name)
    row = connection.execute(f"SELECT count(*) FROM {relation} WHERE {name} IS NULL").fetchone()
    count = int(row[0]) if row else 0
    if count:
        logger.warning(
            "%s: %d rows have no %s and are read every time", relation, count, column.name
        )
    return {"rows_without_cursor": count} if count else {}


def _ranges(
    connection: psycopg.Connection[Any],
    relation: str,
    columns: dict[str, TableColumn],
    order: TableOrder,
    condition: str,
) -> list[str]:
    """The conditions by which the table is read side by side; together they leave no row out."""
    if order.partitions <= 1 or not order.partition_column:
        return [condition]
    column = columns.get(order.partition_column)
    if column is None:
        raise SpecificationError(f"partition_column: there is no column {order.partition_column}")
    kind = CURSORS.get(column.family, "")
    if column.is_array or kind in ("", "text", "uuid"):
        raise SpecificationError(
            f"partition_column: {column.name} is {column.type}; it has to be a number or a date"
        )
    bounds = _bounds(connection, relation, column, order.partitions, condition)
    name = quoted(column.name)
    if not bounds:
        return [condition]
    literals = [f"{_literal(bound)}::{kind}" for bound in bounds]
    ranges = [f"({name} < {literals[0]} OR {name} IS NULL)"]
    ranges += [
        f"({name} >= {low} AND {name} < {high})" for low, high in zip(literals, literals[1:])
    ]
    ranges.append(f"({name} >= {literals[-1]})")
    return [f"{condition} AND {each}" if condition else each for each in ranges]


def _bounds(
    connection: psycopg.Connection[Any],
    relation: str,
    column: TableColumn,
    partitions: int,
    condition: str,
) -> list[str]:
    """Where one range ends and the next begins: equal shares of the column's span."""
    name, kind = quoted(column.name), CURSORS[column.family]
    share = f"(high - low) * {{}}::float8 / {partitions}"
    if kind == "bigint":
        share = f"((high::numeric - low) * {{}} / {partitions})::bigint"
    elif kind == "date":
        share = f"((high - low) * {{}} / {partitions})"
    elif kind == "numeric":
        share = f"(high - low) * {{}} / {partitions}"
    finite = f" AND isfinite({name})" if kind in ("date", "timestamp", "timestamptz") else ""
    where = f"{condition or 'true'}{finite}"
    shares = ", ".join(f"(low + {share.format(number)})::text" for number in range(1, partitions))
    row = connection.execute(
        f"SELECT {shares} FROM (SELECT min({name}) AS low, max({name}) AS high "
        f"FROM {relation} WHERE {where}) AS span WHERE low < high"
    ).fetchone()
    return list(dict.fromkeys(row)) if row else []


def _literal(text: str) -> str:
    # Standard strings, whatever the server's setting: a backslash is a backslash.
    if "\\" in text:
        return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
    return "'" + text.replace("'", "''") + "'"


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
