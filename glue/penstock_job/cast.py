"""SQL that reads one column as its declared type, alike in both engines."""

from __future__ import annotations

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
    TEXT,
    TIMESTAMP,
    TIMESTAMP_FORM,
    TRUE_TEXTS,
    ColumnType,
    decimal_form,
)
from penstock_job.dialect import Dialect
from penstock_job.errors import SpecificationError
from penstock_job.specification import Column

# Conversions between types that lose nothing and read the same in both engines.
_WIDENINGS = {
    INTEGER: {DECIMAL, DOUBLE, TEXT},
    DECIMAL: {DECIMAL, DOUBLE},
    DATE: {TIMESTAMP, TEXT},
    BOOLEAN: {TEXT},
}


def read_as(column: Column, source_type: ColumnType, value: str, dialect: Dialect) -> str:
    """The value of an input column as the column's type; NULL where it cannot be read as such.

    Texts may have spaces around them; a blank text is a missing value in every type but text.
    """
    if source_type == column.type and column.date_format is None:
        return value
    if source_type.kind == TEXT:
        return _from_text(column, dialect.trimmed(value), dialect)
    target = column.type
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
    """Whether there is a value, but not one of the column's type."""
    if source_type == column.type and column.date_format is None:
        return "FALSE"
    if source_type.kind == TEXT:
        # An absent value makes the comparison NULL, which is not true.
        return f"coalesce({dialect.trimmed(value)} <> '' AND {typed} IS NULL, FALSE)"
    return f"({value} IS NOT NULL AND {typed} IS NULL)"


def _from_text(column: Column, text: str, dialect: Dialect) -> str:
    kind = column.type.kind
    if kind == BINARY:
        raise SpecificationError(f"column {column.name}: no text is read as binary")
    if kind == BOOLEAN:
        return _boolean(text, dialect)
    if kind == DOUBLE:
        number = _guarded(text, DOUBLE_FORM, text, column.type, dialect)
        # 1e999 is infinity to both engines, and no number to anybody else.
        return f"CASE WHEN abs({number}) <= {GREATEST_DOUBLE} THEN {number} END"
    if kind == TIMESTAMP:
        moment = f"replace(replace({text}, 'T', ' '), 'Z', '')"
        return _guarded(text, TIMESTAMP_FORM, moment, column.type, dialect)
    if kind == DATE and column.date_format:
        form = column.date_format
        iso = dialect.rearranged(text, form.form, form.groups, "-")
        return _guarded(text, form.form, iso, column.type, dialect)
    form_of_kind = {
        INTEGER: INTEGER_FORM,
        DATE: ISO_DATE,
        DECIMAL: decimal_form(column.type.scale),
    }
    return _guarded(text, form_of_kind[kind], text, column.type, dialect)


def _guarded(text: str, form: str, value: str, column_type: ColumnType, dialect: Dialect) -> str:
    matched = dialect.matches(text, form)
    return f"CASE WHEN {matched} THEN {dialect.try_cast(value, column_type)} END"


def _boolean(text: str, dialect: Dialect) -> str:
    def one_of(words: tuple[str, ...]) -> str:
        return f"lower({text}) IN ({', '.join(dialect.literal(word) for word in words)})"

    return f"CASE WHEN {one_of(TRUE_TEXTS)} THEN TRUE WHEN {one_of(FALSE_TEXTS)} THEN FALSE END"
