"""The errors of DuckDB and sqlglot in the words of Redshift."""

from __future__ import annotations

import re

import duckdb
from sqlglot.errors import ParseError, SqlglotError, TokenError

from penstock_local.redshift.errors import NotSupportedLocallyError, SqlError, syntax_error

# DuckDB's messages on the left, Redshift's on the right; the first that matches is taken.
_WORDINGS: tuple[tuple[str, str], ...] = (
    (r"(?:Table|View) with name (\S+) does not exist", r'relation "\1" does not exist'),
    (r"Schema with name (\S+) does not exist", r'schema "\1" does not exist'),
    (r"Catalog \"([^\"]+)\" does not exist", r'database "\1" does not exist'),
    (
        r"(?:Scalar|Aggregate|Table) Function with name (\S+) does not exist",
        r"function \1 does not exist, or is not supported by Penstock Local",
    ),
    (r"Referenced column \"([^\"]+)\"", r'column "\1" does not exist'),
    (r"Referenced table \"([^\"]+)\"", r'missing FROM-clause entry for table "\1"'),
    (
        r"Table \"([^\"]+)\" does not have a column (?:with name|named) \"([^\"]+)\"",
        r'column "\2" of relation "\1" does not exist',
    ),
    (
        r"Column name/value mismatch for insert|table \S+ has \d+ columns but \d+ values",
        "INSERT has a different number of expressions and target columns",
    ),
    (r"(?:Table|View) with name \"([^\"]+)\" already exists", r'Relation "\1" already exists'),
    (r"Schema with name \"([^\"]+)\" already exists", r'Schema "\1" already exists'),
    (
        r"NOT NULL constraint failed: (?:[^.]+\.)?\"?([^\s\"]+)",
        r"Cannot insert a NULL value into column \1",
    ),
    (r"strlen\(.*\) <= (\d+)", r"value too long for type character varying(\1)"),
    (r"Could not convert string '(.*?)' to INT", r'invalid input syntax for integer: "\1"'),
    (r"Could not convert string '(.*?)' to BOOL", r'invalid input syntax for boolean: "\1"'),
    (
        r"Could not convert string '(.*?)' to (?:DOUBLE|FLOAT)",
        r'invalid input syntax for type double precision: "\1"',
    ),
    (
        r"Could not convert string \"?'?(.*?)'?\"? to DECIMAL",
        r'invalid input syntax for type numeric: "\1"',
    ),
    (
        r"(?:date|timestamp) field value out of range: \"(.*?)\"",
        r'date/time field value out of range: "\1"',
    ),
    (
        r"[Ii]nvalid (?:date|timestamp) field format: \"(.*?)\"",
        r'invalid input syntax for type date or timestamp: "\1"',
    ),
    (r"Division by zero", "Divide by zero."),
    (r"out of range for the destination type (\w+)", r"Value out of range for \1"),
    (r"Overflow in", "Numeric data overflow (result precision)"),
    (r"cannot affect the same target row", "Found multiple matches to update the same tuple."),
    (r"Transaction conflict|write-write conflict", "1023 Serializable isolation violation"),
    (
        r"transaction is aborted",
        "current transaction is aborted, commands ignored until end of transaction block",
    ),
    (r"syntax error at or near \"(.*?)\"", r'syntax error at or near "\1"'),
    (
        r"column \"([^\"]+)\" must appear in the GROUP BY",
        r'column "\1" must appear in the GROUP BY clause or be used in an aggregate function',
    ),
)

_PREFIX = re.compile(r"^(?:[A-Z][\w ]*? )?Error: ")


def from_duckdb(error: duckdb.Error) -> SqlError:
    """What Redshift would say; its own first line where no wording is known."""
    text = str(error)
    for pattern, wording in _WORDINGS:
        found = re.search(pattern, text)
        if found:
            return SqlError(found.expand(wording))
    return SqlError(_PREFIX.sub("", text.partition("\n")[0]))


def from_sqlglot(error: SqlglotError) -> SqlError:
    """What Redshift would say about a text that the SQL translator cannot read."""
    if isinstance(error, ParseError) and error.errors:
        near = str(error.errors[0].get("highlight") or "").strip()
        return syntax_error(near or None)
    if isinstance(error, TokenError):
        return SqlError("unterminated quoted string or unreadable character")
    return NotSupportedLocallyError(str(error).partition("\n")[0].rstrip("."))
