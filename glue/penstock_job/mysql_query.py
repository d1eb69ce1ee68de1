"""What is asked of MySQL about a table: its increment, and which keys it keeps unique."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from penstock_job.errors import SpecificationError
from penstock_job.increment import Increment, start_of
from penstock_job.mysql_columns import CURSORS, TableColumn, quoted
from penstock_job.work_order import TableOrder

logger = logging.getLogger(__name__)

_UNIQUE_KEYS = """
    SELECT index_name, column_name, nullable = 'YES' OR sub_part IS NOT NULL
      FROM information_schema.statistics
     WHERE table_schema = coalesce(%s, database()) AND table_name = %s AND non_unique = 0
"""


def increment_of(
    connection: Any, relation: str, columns: Sequence[TableColumn], order: TableOrder
) -> Increment | None:
    """The range of the cursor to read; None where the order has no cursor."""
    if not order.cursor:
        return None
    names = [column.name for column in columns]
    if order.cursor not in names:
        raise SpecificationError(
            f"cursor: there is no column {order.cursor}; there are {', '.join(names)}"
        )
    column = columns[names.index(order.cursor)]
    if column.family not in CURSORS:
        raise SpecificationError(
            f"cursor: {order.cursor} is {column.type}, but a cursor is a timestamp, a date, an "
            "integer or a text"
        )
    low = start_of(order)
    lower = f"high < {_bound(column)}" if low is not None else "NULL"
    [(high, is_below)] = run(
        connection,
        f"SELECT CAST(high AS CHAR), {lower} FROM"
        f" (SELECT MAX({quoted(order.cursor)}) AS high FROM {relation}) AS bound",
        (low,) if low is not None else (),
    )
    reached = low if high is None or is_below == "1" else high
    return Increment(order.cursor, low, high, reached)


def _bound(column: TableColumn) -> str:
    kind = CURSORS[column.family]
    return f"CAST(%s AS {kind})" if kind else "%s"


def condition_of(
    increment: Increment, column: TableColumn, order: TableOrder
) -> tuple[str, tuple[str, ...]]:
    """Which rows an increment reads, with the parameters; none is left out of a whole table."""
    if increment.low is None:
        return "", ()
    name, low = quoted(column.name), _bound(column)
    if order.lookback:
        low = _earlier(low, column, order.lookback)
    parts, parameters = [f"{name} >= {low}"], [increment.low]
    if increment.high is not None:
        parts.append(f"{name} <= {_bound(column)}")
        parameters.append(increment.high)
    within = " AND ".join(parts)
    text = within if column.not_null else f"({within} OR {name} IS NULL)"
    return text, tuple(parameters)


def _earlier(low: str, column: TableColumn, lookback: float) -> str:
    if column.is_text:
        raise SpecificationError(
            f"lookback: {column.name} is a text, from which nothing is taken away"
        )
    if column.family in ("datetime", "timestamp"):
        return f"DATE_SUB({low}, INTERVAL {lookback!r} SECOND)"
    if column.family != "decimal" and lookback != int(lookback):
        raise SpecificationError(f"lookback: {column.name} needs a whole number, not {lookback}")
    if column.family == "date":
        return f"DATE_SUB({low}, INTERVAL {int(lookback)} DAY)"
    return f"({low} - {lookback!r})"


def without_cursor(connection: Any, relation: str, column: TableColumn) -> dict[str, Any]:
    """How many rows have no value of the cursor; they are read every time."""
    if column.not_null:
        return {}
    name = quoted(column.name)
    [(count,)] = run(connection, f"SELECT count(*) FROM {relation} WHERE {name} IS NULL")
    if int(count):
        logger.warning("%s: %s rows have no %s and are read every time", relation, count, name)
    return {"rows_without_cursor": int(count)} if int(count) else {}


def keeps_unique(connection: Any, place: tuple[Any, ...], primary_key: Sequence[str]) -> bool:
    keys: dict[str, set[str]] = {}
    weak = set()
    for index, column, is_weak in run(connection, _UNIQUE_KEYS, place):
        keys.setdefault(index, set()).add(column)
        if is_weak == "1":
            weak.add(index)
    return any(key <= set(primary_key) for index, key in keys.items() if index not in weak)


def run(connection: Any, statement: str, parameters: Sequence[Any] = ()) -> Sequence[Any]:
    """The rows of a statement, all values as texts."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        rows: Sequence[Any] = cursor.fetchall()
        return rows
