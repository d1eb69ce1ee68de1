"""Statements that return rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import duckdb

from penstock_local.redshift.outcome import Outcome
from penstock_local.redshift.results import ResultColumn
from penstock_local.redshift.session import Session
from penstock_local.redshift.words import quote

FETCH_ROWS = 1_000

# Types that DuckDB's Python client cannot hand out without further packages.
_AS_TEXT = ("TIMESTAMP WITH TIME ZONE", "TIME WITH TIME ZONE")

# Types that results of DuckDB may have and Redshift's tables have not.
_SETTLED = {
    "HUGEINT": "BIGINT",
    "UHUGEINT": "BIGINT",
    "UBIGINT": "BIGINT",
    "UINTEGER": "BIGINT",
    "USMALLINT": "INTEGER",
    "UTINYINT": "SMALLINT",
    "TINYINT": "SMALLINT",
    "JSON": "VARIANT",
    '"NULL"': "VARCHAR",
    "INTERVAL": "VARCHAR",
    "UUID": "VARCHAR",
}


class Query:
    """A SELECT; `sql` is DuckDB's, `values` the parameters it uses."""

    def __init__(self, sql: str, values: Mapping[str, str]) -> None:
        self.sql = sql
        self.values = values

    def run(self, session: Session) -> Outcome:
        """Run it and keep its rows."""
        cursor = session.execute(self.sql, self.values)
        columns = columns_of(cursor)
        if any(column.type in _AS_TEXT for column in columns):
            cursor = session.execute(_with_text(self.sql, columns), self.values)
        result = session.save_result(columns, batches(session, cursor))
        return Outcome(result.rows, result)


class Explain:
    """EXPLAIN; the plan is DuckDB's, not Redshift's."""

    def __init__(self, sql: str, values: Mapping[str, str]) -> None:
        self.sql = sql
        self.values = values

    def run(self, session: Session) -> Outcome:
        """One row per line of the plan, as Redshift returns it."""
        (plan,) = session.execute(f"EXPLAIN {self.sql}", self.values).fetchall()
        lines = [(line,) for line in str(plan[1]).splitlines()]
        column = ResultColumn("QUERY PLAN", "VARCHAR")
        result = session.save_result([column], iter([lines]))
        return Outcome(result.rows, result)


def columns_of(cursor: duckdb.DuckDBPyConnection) -> list[ResultColumn]:
    """Names and types of what a statement returns."""
    return [ResultColumn(str(item[0]), str(item[1])) for item in cursor.description or []]


def batches(session: Session, cursor: duckdb.DuckDBPyConnection) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of a running query, a few at a time."""
    while True:
        with session.translated_errors():
            batch = cursor.fetchmany(FETCH_ROWS)
        if not batch:
            return
        yield batch


def settled(session: Session, sql: str, values: Mapping[str, str]) -> str:
    """The query with its columns in types that a Redshift table can have."""
    cursor = session.execute(f"DESCRIBE {sql}", values)
    described = [ResultColumn(str(row[0]), str(row[1])) for row in cursor.fetchall()]
    if not any(_settled_type(column) for column in described):
        return sql
    names = [f"c{position}" for position in range(len(described))]
    selected = [
        f"CAST({name} AS {wanted}) AS {quote(column.name)}"
        if (wanted := _settled_type(column))
        else f"{name} AS {quote(column.name)}"
        for name, column in zip(names, described, strict=True)
    ]
    return f"SELECT {', '.join(selected)} FROM ({sql}) AS q({', '.join(names)})"  # noqa: S608


def _settled_type(column: ResultColumn) -> str | None:
    if column.type.endswith("]") or column.type.startswith(("STRUCT", "MAP")):
        return "VARIANT"
    return _SETTLED.get(column.type)


def _with_text(sql: str, columns: list[ResultColumn]) -> str:
    names = [f"c{position}" for position in range(len(columns))]
    selected = [
        f"CAST({name} AS VARCHAR)" if column.type in _AS_TEXT else name
        for name, column in zip(names, columns, strict=True)
    ]
    return f"SELECT {', '.join(selected)} FROM ({sql}) AS q({', '.join(names)})"  # noqa: S608
