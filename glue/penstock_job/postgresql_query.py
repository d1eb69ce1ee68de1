"""What is asked of PostgreSQL about a table: which one it is, its increment, its ranges."""

from __future__ import annotations

import logging
from typing import Any

import psycopg

from penstock_job.errors import SourceError, SpecificationError
from penstock_job.increment import Increment, require_bound, start_of
from penstock_job.postgresql_columns import CURSORS, TableColumn, quoted
from penstock_job.work_order import TableOrder

logger = logging.getLogger(__name__)


def relation_of(connection: psycopg.Connection[Any], table: str) -> tuple[int, str]:
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


def increment_of(
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


def condition_of(increment: Increment, column: TableColumn, order: TableOrder) -> str:
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


def without_cursor(
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


def ranges_of(
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
