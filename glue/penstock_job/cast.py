"""SQL that reads one column as its declared type, alike in both engines.

Most texts are written just as the engine itself writes the value: `12.50`, `2026-11-21`. So with
DuckDB a text is first cast and written back; only where that gives another text is it matched
against its form, which takes ten times as long. Spark writes whole numbers back quickly, but
matches sooner than it writes a time or a decimal: times it first matches against a shorter form.
"""

from __future__ import annotations

from collections.abc import Iterable

from penstock_job.column import Column
from penstock_job.column_type import (
    BINARY,
    BOOLEAN,
    DATE,
    DECIMAL,
    DOUBLE,
    DOUBLE_FORM,
    FALSE_TEXTS,
    GREATEST_DOUBLE,
    INTEGER,
    INTEGER_FORM,
    ISO_DATE,
    PLAIN_FORMS,
    TEXT,
    TIMESTAMP,
    TIMESTAMP_FORM,
    TRUE_TEXTS,
    ColumnType,
    DateFormat,
    decimal_form,
)
from penstock_job.dialect import Dialect
from penstock_job.errors import SpecificationError

# Conversions between types that lose nothing and read the same in both engines.
_WIDENINGS = {
    INTEGER: {DECIMAL, DOUBLE, TEXT},
    DECIMAL: {DECIMAL, DOUBLE},
    DATE: {TIMESTAMP, TEXT},
    BOOLEAN: {TEXT},
}
# The lengths of dates and times as engines write them: years of four digits, no fractions.
_PLAIN_LENGTHS = {DATE: 10, TIMESTAMP: 19}


def without_nulls(column: Column, source_type: ColumnType, value: str, dialect: Dialect) -> str:
    """The value of an input column, or NULL where its text stands for a missing one."""
    if not column.nulls or source_type.kind != TEXT:
        return value
    nulls = _listed(column.nulls, dialect)
    return f"CASE WHEN {trimmed(value, dialect)} IN ({nulls}) THEN NULL ELSE {value} END"


def plain_cast(column: Column, source_type: ColumnType, value: str, dialect: Dialect) -> str | None:
    """The engine's own cast of a text, to be compared with it; None where that is of no use."""
    if dialect.matches_quickly or source_type.kind != TEXT or column.formats:
        return None
    if column.type.kind in (TEXT, BOOLEAN, BINARY):
        return None
    return dialect.try_cast(value, column.type)


def read_as(
    column: Column, source_type: ColumnType, value: str, plain: str | None, dialect: Dialect
) -> str:
    """The value of an input column as the column's type; NULL where it cannot be read as such.

    `plain` is the name of the plain cast. Texts may have spaces around them; a blank text is a
    missing value in every type but text.
    """
    if source_type.kind == TEXT:
        return _from_text(column, value, plain, dialect)
    target = column.type
    if source_type == target:
        return value
    narrows = source_type.kind == DECIMAL == target.kind and target.scale < source_type.scale
    if target.kind not in _WIDENINGS.get(source_type.kind, set()) or narrows:
        raise SpecificationError(
            f"column {column.name}: {column.source} is {source_type} and cannot be read as "
            f"{target} without loss; cast it in the select"
        )
    return dialect.try_cast(value, target)


def is_unreadable(
    column: Column, source_type: ColumnType, value: str, typed: str, dialect: Dialect
) -> str:
    """Whether there is a value, but not one of the column's type; `typed` is its column."""
    if source_type == column.type:
        return "FALSE"
    if source_type.kind == TEXT:
        is_there = f"coalesce({dialect.trimmed(value)} <> '', FALSE)"
        return f"CASE WHEN {typed} IS NULL THEN {is_there} ELSE FALSE END"
    return f"({value} IS NOT NULL AND {typed} IS NULL)"


def trimmed(value: str, dialect: Dialect) -> str:
    """A text without spaces around it; quick where there are none."""
    spaced = f"{value} LIKE ' %' OR {value} LIKE '% '"
    return f"CASE WHEN {spaced} THEN {dialect.trimmed(value)} ELSE {value} END"


def _from_text(column: Column, value: str, plain: str | None, dialect: Dialect) -> str:
    if column.type.kind == TEXT:
        return trimmed(value, dialect) if column.trim else value
    if column.type.kind == BINARY:
        raise SpecificationError(f"column {column.name}: no text is read as binary")
    if column.type.kind == BOOLEAN:
        return _boolean(value, dialect)
    text = dialect.trimmed(value)
    if column.formats:
        tried = [_by_format(text, form, column.type, dialect) for form in column.formats]
        return f"coalesce({', '.join(tried)})" if len(tried) > 1 else tried[0]
    by_form = _by_form(text, column.type, dialect)
    if plain is None:
        test = _is_quickly_plain(value, column.type, dialect)
        cast = dialect.try_cast(value, column.type)
        return f"CASE WHEN {test} THEN {cast} ELSE {by_form} END" if test else by_form
    return (
        f"CASE WHEN {_is_plain(value, plain, column.type, dialect)} THEN {plain} ELSE {by_form} END"
    )


def _is_plain(value: str, plain: str, column_type: ColumnType, dialect: Dialect) -> str:
    text = dialect.type_name(ColumnType(TEXT))
    written = f"CAST({plain} AS {text}) = {value}"
    if column_type.kind == DOUBLE:  # nan and inf are written as they are read
        return f"{written} AND abs({plain}) <= {GREATEST_DOUBLE}"
    length = _PLAIN_LENGTHS.get(column_type.kind)
    if length:  # a year 0000 is written so by Spark, 10000 by both
        return f"{written} AND strlen({value}) = {length} AND {value} > '0001'"
    return written


def _is_quickly_plain(value: str, column_type: ColumnType, dialect: Dialect) -> str | None:
    """A quick test that Spark's own cast reads a text as its form has it; None without one."""
    if not dialect.matches_quickly:
        return None
    if column_type.kind == INTEGER:
        text = dialect.type_name(ColumnType(TEXT))
        return f"CAST({dialect.try_cast(value, column_type)} AS {text}) = {value}"
    form = PLAIN_FORMS.get(column_type.kind)
    # A year 0000 is one to Spark alone. An hour 25 is of this form, but the cast makes it NULL.
    return form and f"{value} >= '0001' AND {dialect.matches(value, form)}"


def _by_form(text: str, column_type: ColumnType, dialect: Dialect) -> str:
    kind = column_type.kind
    if kind == DOUBLE:
        number = _guarded(text, DOUBLE_FORM, text, column_type, dialect)
        # 1e999 is infinity to both engines, and no number to anybody else.
        return f"CASE WHEN abs({number}) <= {GREATEST_DOUBLE} THEN {number} END"
    if kind == TIMESTAMP:
        moment = f"replace(replace({text}, 'T', ' '), 'Z', '')"
        return _guarded(text, TIMESTAMP_FORM, moment, column_type, dialect)
    form_of_kind = {
        INTEGER: INTEGER_FORM,
        DATE: ISO_DATE,
        DECIMAL: decimal_form(column_type.scale),
    }
    return _guarded(text, form_of_kind[kind], text, column_type, dialect)


def _by_format(text: str, form: DateFormat, column_type: ColumnType, dialect: Dialect) -> str:
    iso = dialect.rearranged(text, form.form, form.template)
    return _guarded(text, form.form, iso, column_type, dialect)


def _guarded(text: str, form: str, value: str, column_type: ColumnType, dialect: Dialect) -> str:
    matched = dialect.matches(text, form)
    return f"CASE WHEN {matched} THEN {dialect.try_cast(value, column_type)} END"


def _boolean(value: str, dialect: Dialect) -> str:
    lowered = f"lower({dialect.trimmed(value)})"
    cases = [
        f"WHEN {text} IN ({_listed(words, dialect)}) THEN {truth}"
        for text in (value, lowered)
        for words, truth in ((TRUE_TEXTS, "TRUE"), (FALSE_TEXTS, "FALSE"))
    ]
    return f"CASE {' '.join(cases)} END"


def _listed(words: Iterable[str], dialect: Dialect) -> str:
    return ", ".join(dialect.literal(word) for word in words)
