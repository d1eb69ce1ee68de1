"""Redshift's data types and what DuckDB keeps them in."""

from __future__ import annotations

import re
from dataclasses import dataclass

from penstock_local.redshift.errors import NotSupportedLocallyError, SqlError

DEFAULT_VARCHAR_BYTES = 256
MAX_VARCHAR_BYTES = 65_535
MAX_CHAR_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A type as DuckDB stores it (`duckdb`) and as Redshift's catalog names it (`declared`).

    `max_bytes` is the limit that Redshift enforces on CHAR and VARCHAR, in bytes of UTF-8.
    """

    duckdb: str
    declared: str
    max_bytes: int | None = None

    @property
    def is_text(self) -> bool:
        """Whether it is CHAR or VARCHAR."""
        return self.duckdb == "VARCHAR"

    @property
    def is_decimal(self) -> bool:
        """Whether it is NUMERIC."""
        return self.duckdb.startswith("DECIMAL")


# spelling of the type in Redshift -> (DuckDB, name in Redshift's catalog)
_SIMPLE = {
    "smallint": ("SMALLINT", "smallint"),
    "int2": ("SMALLINT", "smallint"),
    "integer": ("INTEGER", "integer"),
    "int": ("INTEGER", "integer"),
    "int4": ("INTEGER", "integer"),
    "bigint": ("BIGINT", "bigint"),
    "int8": ("BIGINT", "bigint"),
    "real": ("FLOAT", "real"),
    "float4": ("FLOAT", "real"),
    "double precision": ("DOUBLE", "double precision"),
    "float8": ("DOUBLE", "double precision"),
    "float": ("DOUBLE", "double precision"),
    "boolean": ("BOOLEAN", "boolean"),
    "bool": ("BOOLEAN", "boolean"),
    "date": ("DATE", "date"),
    "timestamp": ("TIMESTAMP", "timestamp without time zone"),
    "timestamp without time zone": ("TIMESTAMP", "timestamp without time zone"),
    "timestamptz": ("TIMESTAMPTZ", "timestamp with time zone"),
    "timestamp with time zone": ("TIMESTAMPTZ", "timestamp with time zone"),
    "time": ("TIME", "time without time zone"),
    "time without time zone": ("TIME", "time without time zone"),
    "timetz": ("TIMETZ", "time with time zone"),
    "time with time zone": ("TIMETZ", "time with time zone"),
    "super": ("VARIANT", "super"),
    "varbyte": ("BLOB", "binary varying"),
    "varbinary": ("BLOB", "binary varying"),
    "binary varying": ("BLOB", "binary varying"),
}
_VARIABLE_TEXT = frozenset({"varchar", "character varying", "nvarchar", "text"})
_FIXED_TEXT = frozenset({"char", "character", "nchar", "bpchar"})
_DECIMAL = frozenset({"decimal", "numeric", "dec"})
_UNKNOWN_HERE = frozenset({"geometry", "geography", "hllsketch", "interval", "tid", "oid"})

_TYPE = re.compile(r"^\s*([a-z_][\w ]*?)\s*(?:\(([^)]*)\))?\s*$", re.IGNORECASE)

_INTEGER_RANGE = {"SMALLINT": 16, "INTEGER": 32, "BIGINT": 64}


def column_type(text: str) -> ColumnType:
    """The type that a column definition names."""
    found = _TYPE.match(" ".join(text.split()))
    if found is None:
        raise SqlError(f'type "{text.strip()}" does not exist')
    name = found.group(1).lower()
    arguments = [part.strip().lower() for part in (found.group(2) or "").split(",") if part.strip()]
    if name in _SIMPLE:
        duckdb, declared = _SIMPLE[name]
        return ColumnType(duckdb, declared)
    if name in _VARIABLE_TEXT:
        return _text_type("character varying", arguments, DEFAULT_VARCHAR_BYTES, MAX_VARCHAR_BYTES)
    if name in _FIXED_TEXT:
        default = DEFAULT_VARCHAR_BYTES if name == "bpchar" else 1
        return _text_type("character", arguments, default, MAX_CHAR_BYTES)
    if name in _DECIMAL:
        return _decimal_type(arguments)
    if name in _UNKNOWN_HERE:
        raise NotSupportedLocallyError(f"The data type {name.upper()}")
    raise SqlError(f'type "{name}" does not exist')


def _text_type(declared: str, arguments: list[str], default: int, limit: int) -> ColumnType:
    length = default
    if arguments:
        length = limit if arguments[0] == "max" else int(arguments[0])
    if not 0 < length <= limit:
        raise SqlError(f"length for type {declared} cannot exceed {limit}")
    return ColumnType("VARCHAR", f"{declared}({length})", length)


def _decimal_type(arguments: list[str]) -> ColumnType:
    precision = int(arguments[0]) if arguments else 18
    scale = int(arguments[1]) if len(arguments) > 1 else 0
    if not 0 < precision <= 38 or not 0 <= scale <= 37:
        raise SqlError(f"DECIMAL precision {precision} must be between 1 and 38")
    return ColumnType(f"DECIMAL({precision},{scale})", f"numeric({precision},{scale})")


_DECLARED = dict(_SIMPLE.values()) | {
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
    "TIME WITH TIME ZONE": "time with time zone",
}


def stored_type(duckdb_type: str) -> ColumnType:
    """The type of a column of which only DuckDB's type is known."""
    if duckdb_type == "VARCHAR":
        # Made by CREATE TABLE AS: DuckDB enforces no length, so none is claimed.
        return ColumnType("VARCHAR", f"character varying({DEFAULT_VARCHAR_BYTES})")
    declared = _DECLARED.get(duckdb_type, duckdb_type.lower().replace("decimal", "numeric"))
    return ColumnType(duckdb_type, declared)


# How DuckDB names the type of a result column -> (typeName in ColumnMetadata, precision, scale)
_RESULT_TYPES = {
    "BOOLEAN": ("bool", 1, 0),
    "TINYINT": ("int2", 5, 0),
    "UTINYINT": ("int2", 5, 0),
    "SMALLINT": ("int2", 5, 0),
    "USMALLINT": ("int4", 10, 0),
    "INTEGER": ("int4", 10, 0),
    "UINTEGER": ("int8", 19, 0),
    "BIGINT": ("int8", 19, 0),
    "UBIGINT": ("int8", 19, 0),
    "HUGEINT": ("int8", 19, 0),
    "FLOAT": ("float4", 8, 8),
    "DOUBLE": ("float8", 17, 17),
    "DATE": ("date", 13, 0),
    "TIME": ("time", 15, 6),
    "TIME WITH TIME ZONE": ("timetz", 21, 6),
    "TIMESTAMP": ("timestamp", 29, 6),
    "TIMESTAMP_NS": ("timestamp", 29, 6),
    "TIMESTAMP_MS": ("timestamp", 29, 6),
    "TIMESTAMP_S": ("timestamp", 29, 6),
    "TIMESTAMP WITH TIME ZONE": ("timestamptz", 35, 6),
    "VARIANT": ("super", 0, 0),
    "JSON": ("super", 0, 0),
    "BLOB": ("varbyte", 64_000, 0),
}


def result_type(duckdb_type: str) -> tuple[str, int, int]:
    """The typeName, precision and scale that describe a result column of this DuckDB type."""
    found = re.match(r"DECIMAL\((\d+),(\d+)\)", duckdb_type)
    if found:
        return "numeric", int(found.group(1)), int(found.group(2))
    return _RESULT_TYPES.get(duckdb_type, ("varchar", DEFAULT_VARCHAR_BYTES, 0))


def parquet_fits(source: str, target: ColumnType) -> bool:
    """Whether COPY of a Parquet column of DuckDB type `source` into `target` works on Redshift.

    Redshift does not convert while it reads columnar files: it only widens within one family.
    """
    wanted = target.duckdb
    if wanted in _INTEGER_RANGE:
        return source in _INTEGER_RANGE and _INTEGER_RANGE[source] <= _INTEGER_RANGE[wanted]
    if wanted in ("FLOAT", "DOUBLE"):
        return source == wanted or (source, wanted) == ("FLOAT", "DOUBLE")
    if target.is_decimal:
        return source.startswith("DECIMAL")
    if wanted.startswith("TIMESTAMP"):
        return source.startswith("TIMESTAMP")
    if wanted == "VARIANT":
        return source in ("VARCHAR", "JSON") or source in _RESULT_TYPES
    return source in (wanted, "JSON") if target.is_text else source == wanted
