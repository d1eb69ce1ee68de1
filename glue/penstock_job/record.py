"""A record as it came: kept beside its typed columns, for the rejects and to break ties."""

from __future__ import annotations

from collections.abc import Mapping

from penstock_job.column_type import DATE, DECIMAL, DOUBLE, TEXT, TIMESTAMP, ColumnType
from penstock_job.dialect import Dialect


def raw_columns(schema: Mapping[str, ColumnType]) -> list[tuple[str, str]]:
    """The input's columns with the names under which the compiled SQL keeps them."""
    return [(name, f"penstock_raw_{number}") for number, name in enumerate(schema)]


def record_of(
    schema: Mapping[str, ColumnType], dialect: Dialect, raws: Mapping[str, str] | None = None
) -> str:
    """The whole record as one value, alike on both engines once it is written as JSON.

    `raws` are the expressions of the columns, where they are not those of the compiled SQL.
    """
    fields = []
    for name, raw in raws.items() if raws else raw_columns(schema):
        kind = schema[name].kind
        value = raw
        if kind == TIMESTAMP:
            value = dialect.timestamp_text(raw)
        elif kind == DOUBLE:
            value = dialect.json_number(raw)
        elif kind in (DATE, DECIMAL):  # DuckDB's JSON would round a long decimal
            value = f"CAST({raw} AS {dialect.type_name(ColumnType(TEXT))})"
        fields.append((name, value))
    return dialect.record(fields)
