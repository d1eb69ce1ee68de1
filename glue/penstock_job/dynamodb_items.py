"""Items in DynamoDB's JSON, rendered by DuckDB a column at a time.

Rendering in SQL spares Python an object for every attribute: most of a load's time otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from penstock_job.column_type import BOOLEAN, DECIMAL, DOUBLE, INTEGER, TIMESTAMP, ColumnType
from penstock_job.dialect import DUCKDB

GREATEST_NUMBER = "1e125"  # DynamoDB's numbers end at 9.99e125


def item_sql(schema: Mapping[str, ColumnType]) -> str:
    """An expression for the JSON of a whole item; a missing value makes no attribute."""
    attributes = ", ".join(_attribute(name, kind) for name, kind in schema.items())
    return f"'{{' || concat_ws(',', {attributes}) || '}}'"


def unstorable_sql(schema: Mapping[str, ColumnType]) -> str:
    """A condition that is true for records that DynamoDB has no number for."""
    doubles = [
        f"NOT coalesce(abs({DUCKDB.identifier(name)}) < {GREATEST_NUMBER}, TRUE)"
        for name, kind in schema.items()
        if kind.kind == DOUBLE
    ]
    return " OR ".join(["FALSE", *doubles])


def attribute_type(kind: ColumnType) -> str:
    """DynamoDB's one-letter type (or BOOL) of a column."""
    if kind.kind in (INTEGER, DECIMAL, DOUBLE):
        return "N"
    return "BOOL" if kind.kind == BOOLEAN else "S"


def _attribute(name: str, kind: ColumnType) -> str:
    column = DUCKDB.identifier(name)
    tag = attribute_type(kind)
    if tag == "N":
        value = f"'\"' || CAST({column} AS VARCHAR) || '\"'"
    elif tag == "BOOL":
        value = f"CAST({column} AS VARCHAR)"
    elif kind.kind == TIMESTAMP:
        value = f"'\"' || {DUCKDB.timestamp_text(column)} || 'Z\"'"
    else:
        value = f"CAST(to_json(CAST({column} AS VARCHAR)) AS VARCHAR)"
    opening = DUCKDB.literal(f'{json.dumps(name)}:{{"{tag}":')
    return f"{opening} || {value} || '}}'"
