"""The two SQL dialects, where they differ, and a job row's own SQL written in either.

A job row writes standard SQL: 'text' with '' for a quote inside, "names" in double quotes. Spark
reads both otherwise ('it''s' is `its` to Spark 3), so literals and names are written anew.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence

from penstock_job.column_type import (
    BINARY,
    BOOLEAN,
    DATE,
    DECIMAL,
    DOUBLE,
    INTEGER,
    TEXT,
    TIMESTAMP,
    ColumnType,
)
from penstock_job.errors import SpecificationError

_TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/|['"`;]""", re.DOTALL)
_TYPE_NAMES = {
    INTEGER: "BIGINT",
    DOUBLE: "DOUBLE",
    BOOLEAN: "BOOLEAN",
    DATE: "DATE",
    BINARY: "BINARY",
}


class Dialect(ABC):
    """How one engine writes what the other writes otherwise."""

    text_type: str
    timestamp_type: str
    matches_quickly = False
    """Whether to match a text takes no longer than to write its value back as a text."""

    @abstractmethod
    def literal(self, text: str) -> str:
        """A text as a SQL literal."""

    @abstractmethod
    def identifier(self, name: str) -> str:
        """A name, quoted."""

    @abstractmethod
    def trimmed(self, value: str) -> str:
        """A text without the spaces around it: spaces only, no tabs, no other blanks."""

    @abstractmethod
    def matches(self, value: str, pattern: str) -> str:
        """Whether a whole value matches a regular expression."""

    @abstractmethod
    def rearranged(self, value: str, pattern: str, template: Sequence[str | int]) -> str:
        """A whole match written anew: texts as they are, numbers for the groups of the match."""

    @abstractmethod
    def record(self, fields: Sequence[tuple[str, str]]) -> str:
        """A struct of (name, expression)."""

    @abstractmethod
    def record_text(self, record: str) -> str:
        """A struct as the text of a JSON object, with its nulls."""

    @abstractmethod
    def member(self, text: str, name: str) -> str:
        """A member of such an object as text; NULL where it is null or missing."""

    @abstractmethod
    def timestamp_text(self, value: str) -> str:
        """A timestamp as `2026-11-21T05:00:00.000000`."""

    def json_number(self, value: str) -> str:
        """A double for a JSON object; what JSON has no number for (NaN) as a text."""
        return value

    @abstractmethod
    def seconds(self, value: str) -> str:
        """The seconds from 1970 to a date or timestamp (UTC), as a whole number."""

    def type_name(self, column_type: ColumnType) -> str:
        """The engine's name of a type."""
        if column_type.kind == TEXT:
            return self.text_type
        if column_type.kind == TIMESTAMP:
            return self.timestamp_type
        if column_type.kind == DECIMAL:
            return f"DECIMAL({column_type.precision},{column_type.scale})"
        return _TYPE_NAMES[column_type.kind]

    def try_cast(self, value: str, column_type: ColumnType) -> str:
        """A value as another type, or NULL."""
        return f"TRY_CAST({value} AS {self.type_name(column_type)})"

    def sql(self, text: str) -> str:
        """A job row's own SQL in this dialect: one expression or select, without comments."""

        def written(match: re.Match[str]) -> str:
            token = match[0]
            if token.startswith(("--", "/*")):
                return " "
            if len(token) == 1:
                raise SpecificationError(f"{token} is out of place in the SQL {text!r}")
            if token.startswith("'"):
                return self.literal(token[1:-1].replace("''", "'"))
            return self.identifier(token[1:-1].replace('""', '"'))

        return _TOKEN.sub(written, text).strip()


class DuckDbDialect(Dialect):
    """DuckDB 1.4 and 2.0."""

    text_type = "VARCHAR"
    timestamp_type = "TIMESTAMP"

    def literal(self, text: str) -> str:
        return "'" + text.replace("'", "''") + "'"

    def identifier(self, name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    def trimmed(self, value: str) -> str:
        # Without the second argument DuckDB takes away no-break spaces, too, and Spark does not.
        return f"trim({value}, ' ')"

    def matches(self, value: str, pattern: str) -> str:
        return f"regexp_full_match({value}, {self.literal(pattern)})"

    def rearranged(self, value: str, pattern: str, template: Sequence[str | int]) -> str:
        written = "".join(f"\\{part}" if isinstance(part, int) else part for part in template)
        whole = self.literal(f"^{pattern}$")
        return f"regexp_replace({value}, {whole}, {self.literal(written)})"

    def record(self, fields: Sequence[tuple[str, str]]) -> str:
        members = ", ".join(f"{self.identifier(name)} := {value}" for name, value in fields)
        return f"struct_pack({members})"

    def record_text(self, record: str) -> str:
        return f"CAST(to_json({record}) AS VARCHAR)"

    def member(self, text: str, name: str) -> str:
        return f"CAST(CAST({text} AS JSON) AS MAP(VARCHAR, VARCHAR))[{self.literal(name)}]"

    def json_number(self, value: str) -> str:
        infinity = f"WHEN {value} > 0 THEN 'Infinity' WHEN {value} < 0 THEN '-Infinity'"
        text = f"CASE WHEN isnan({value}) THEN 'NaN' {infinity} END"
        return f"CASE WHEN isfinite({value}) THEN to_json({value}) ELSE to_json({text}) END"

    def timestamp_text(self, value: str) -> str:
        return f"strftime({value}, '%Y-%m-%dT%H:%M:%S.%f')"

    def seconds(self, value: str) -> str:
        return f"CAST(floor(epoch(CAST({value} AS TIMESTAMP))) AS BIGINT)"


class SparkDialect(Dialect):
    """Spark SQL 3.5."""

    text_type = "STRING"
    # A time without a zone, as DuckDB's TIMESTAMP is and as both engines write it to Parquet.
    timestamp_type = "TIMESTAMP_NTZ"
    matches_quickly = True

    def literal(self, text: str) -> str:
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def identifier(self, name: str) -> str:
        return "`" + name.replace("`", "``") + "`"

    def trimmed(self, value: str) -> str:
        return f"trim({value})"

    def matches(self, value: str, pattern: str) -> str:
        return f"({value} RLIKE {self.literal(f'^(?:{pattern})' + chr(92) + 'z')})"

    def rearranged(self, value: str, pattern: str, template: Sequence[str | int]) -> str:
        written = "".join(f"${part}" if isinstance(part, int) else part for part in template)
        whole = self.literal(f"^{pattern}$")
        return f"regexp_replace({value}, {whole}, {self.literal(written)})"

    def record(self, fields: Sequence[tuple[str, str]]) -> str:
        members = ", ".join(f"{self.literal(name)}, {value}" for name, value in fields)
        return f"named_struct({members})"

    def record_text(self, record: str) -> str:
        return f"to_json({record}, map('ignoreNullFields', 'false'))"

    def member(self, text: str, name: str) -> str:
        return f"from_json({text}, 'MAP<STRING, STRING>')[{self.literal(name)}]"

    def timestamp_text(self, value: str) -> str:
        pattern = self.literal("yyyy-MM-dd'T'HH:mm:ss.SSSSSS")
        return f"date_format({value}, {pattern})"

    def seconds(self, value: str) -> str:
        return f"unix_seconds(CAST({value} AS TIMESTAMP_LTZ))"


DUCKDB = DuckDbDialect()
SPARK = SparkDialect()
