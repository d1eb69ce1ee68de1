"""ListDatabases, ListSchemas, ListTables and DescribeTable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from penstock_local.redshift.errors import validation
from penstock_local.redshift.results import ResultColumn
from penstock_local.redshift.session import Session

PAGE = 1_000

_SCHEMAS = """
SELECT DISTINCT schema_name FROM duckdb_schemas()
WHERE (database_name = current_database() AND schema_name <> 'main'
    OR database_name = 'system' AND schema_name IN ('information_schema', 'pg_catalog'))
    AND schema_name LIKE ?
ORDER BY schema_name
"""
_TABLES = """
SELECT table_name, schema_name, CASE table_type WHEN 'VIEW' THEN 'VIEW' ELSE 'TABLE' END
FROM memory.redshift.all_relations
WHERE NOT temporary AND schema_name LIKE ? AND table_name LIKE ?
ORDER BY schema_name, table_name
"""
_COLUMNS = """
SELECT schema_name, table_name, column_name, data_type, declared, is_nullable, column_default
FROM memory.redshift.all_columns
WHERE (? IS NULL OR schema_name = ?) AND (? IS NULL OR table_name = ?)
ORDER BY schema_name, table_name, column_index
"""


def schemas(session: Session, pattern: str | None) -> list[str]:
    """The schemas whose name matches a LIKE pattern."""
    return [name for (name,) in session.rows(_SCHEMAS, [pattern or "%"])]


def tables(session: Session, schema: str | None, table: str | None) -> list[dict[str, Any]]:
    """The tables and views whose names match LIKE patterns."""
    rows = session.rows(_TABLES, [schema or "%", table or "%"])
    return [{"name": name, "schema": found, "type": kind} for name, found, kind in rows]


def columns(session: Session, schema: str | None, table: str | None) -> list[dict[str, Any]]:
    """The columns of the tables and views of these names."""
    described = []
    rows = session.rows(_COLUMNS, [schema, schema, table, table])
    for found, relation, name, kind, declared, nullable, default in rows:
        entry = ResultColumn(name, kind).metadata()
        entry |= {
            "schemaName": found,
            "tableName": relation,
            "nullable": int(nullable),
        }
        length = declared.partition("(")[2].rstrip(")")
        if declared.startswith("character") and length.isdigit():
            entry |= {"length": int(length), "precision": int(length)}
            entry["typeName"] = "varchar" if "varying" in declared else "bpchar"
        if default is not None:
            entry["columnDefault"] = default
        described.append(entry)
    return described


def page(items: Sequence[Any], request: dict[str, Any], most: int = PAGE) -> tuple[Any, str | None]:
    """The part of a list that a request asks for, and the token for the next one."""
    token = request.get("NextToken") or "0"
    if not token.isdigit():
        raise validation("NextToken is invalid")
    start = int(token)
    end = start + (request.get("MaxResults") or most)
    return items[start:end], str(end) if end < len(items) else None
