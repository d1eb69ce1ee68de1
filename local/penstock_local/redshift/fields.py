"""Values as the Data API types and writes them.

Source of the types: "Mapping JDBC data types when calling the Data API" in the Redshift management
guide. Records are written as JSON text at once, because results may have millions of fields.
"""

from __future__ import annotations

import base64
import csv
import datetime as dt
import io
import json
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

NULL = '{"isNull":true}'

_INTEGERS = frozenset(
    {
        "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT",
        "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
    }
)  # fmt: skip
_quoted = json.JSONEncoder(ensure_ascii=False).encode


def json_writer(duckdb_type: str) -> Callable[[Any], str]:
    """How a value of this type that is not NULL is written."""
    if duckdb_type in _INTEGERS:
        return _long
    return _WRITERS.get(duckdb_type, _other)


def text(value: Any) -> str:
    """A value as Redshift prints it; timestamps always have a fraction, as JDBC writes them."""
    if isinstance(value, str):
        return value
    if isinstance(value, dt.datetime):
        return str(value).rstrip("0") if value.microsecond else f"{value}.0"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, (dict, list)):
        return _json(value)
    return str(value)


def csv_text(row: tuple[Any, ...]) -> str:
    """A row as one line of CSV, an empty field for NULL."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(["" if v is None else _plain(v) for v in row])
    return out.getvalue()


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else text(value)


def _json(value: Any) -> str:
    return json.dumps(value, default=text, ensure_ascii=False, separators=(",", ":"))


def _long(value: Any) -> str:
    return f'{{"longValue":{value}}}'


def _boolean(value: Any) -> str:
    return '{"booleanValue":true}' if value else '{"booleanValue":false}'


def _double(value: Any) -> str:
    return f'{{"doubleValue":{value!r}}}' if math.isfinite(value) else _other(value)


def _string(value: Any) -> str:
    return f'{{"stringValue":{_quoted(value)}}}'


def _blob(value: Any) -> str:
    return f'{{"blobValue":"{base64.b64encode(value).decode()}"}}'


def _super(value: Any) -> str:
    return _string(_json(value))


def _other(value: Any) -> str:
    return _string(text(value))


_WRITERS: dict[str, Callable[[Any], str]] = {
    "BOOLEAN": _boolean,
    "FLOAT": _double,
    "DOUBLE": _double,
    "VARCHAR": _string,
    "BLOB": _blob,
    "VARIANT": _super,
}
