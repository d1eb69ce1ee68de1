"""How COPY turns the text of a field into a value, and what it calls an error.

All of it is written as expressions over a column of text, so that DuckDB does the work.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from penstock_local.redshift.copy_options import CopyOptions
from penstock_local.redshift.errors import NotSupportedLocallyError
from penstock_local.redshift.relations import Column
from penstock_local.redshift.words import literal

_INTEGERS = ("SMALLINT", "INTEGER", "BIGINT")

# Redshift's format letters -> strftime's, longest first.
_FORMAT_PARTS = {
    "YYYY": "%Y",
    "MONTH": "%B",
    "HH24": "%H",
    "HH12": "%I",
    "MON": "%b",
    "YY": "%y",
    "MM": "%m",
    "DD": "%d",
    "HH": "%H",
    "MI": "%M",
    "SS": "%S",
    "MS": "%g",
    "US": "%f",
    "AM": "%p",
    "PM": "%p",
    "OF": "%z",
}
_FORMAT_PATTERN = re.compile("|".join(_FORMAT_PARTS), re.IGNORECASE)

# What DATEFORMAT and TIMEFORMAT 'auto' recognise besides ISO 8601.
_AUTO_DATES: tuple[str, ...] = (
    "%Y-%m-%d",
    "%Y%m%d",
    "%m/%d/%Y",
    "%d-%b-%Y",
    "%b %d, %Y",
    "%Y/%m/%d",
    "%m-%d-%Y",
)
_AUTO_TIMES: tuple[str, ...] = (
    "%Y%m%d %H:%M:%S",
    "%Y%m%d %H%M%S",
    "%m/%d/%Y %H:%M:%S",
    "%b %d %Y %H:%M:%S",
)


@dataclass(frozen=True, slots=True)
class Conversion:
    """Three steps over the field `c`: its cleaned text `t`, its value `v`, and what is wrong.

    The numbers behind the letters are the column's position. Each error is (condition, err_code,
    err_reason).
    """

    column: Column
    text: str
    value: str
    errors: tuple[tuple[str, int, str], ...]


def conversion(column: Column, position: int, options: CopyOptions) -> Conversion:
    """How the field at this position gets into the column."""
    text, value = f"t{position}", f"v{position}"
    errors = _conversion_errors(column, text, value, options)
    if column.not_null:
        errors.append((f"{value} IS NULL", 1213, "Missing data for not-null field"))
    return Conversion(
        column,
        text=_cleaned(column, f"c{position}", options),
        value=_value(column, text, options),
        errors=tuple(errors),
    )


def _cleaned(column: Column, source: str, options: CopyOptions) -> str:
    text = f"nullif({source}, {literal(options.null_as)})"
    if options.has("REMOVEQUOTES"):
        # Double quotes have gone with the splitting into fields.
        inside = f"substring({text}, 2, length({text}) - 2)"
        text = f"CASE WHEN {text} LIKE '''%''' THEN {inside} ELSE {text} END"
    if not column.type.is_text:
        return f"nullif(trim({text}), '')"
    if options.has("TRIMBLANKS"):
        text = f"rtrim({text}, ' ')"
    if options.has("BLANKSASNULL"):
        text = f"CASE WHEN trim({text}) <> '' OR {text} = '' THEN {text} END"
    if options.has("EMPTYASNULL"):
        text = f"nullif({text}, '')"
    return text


def _value(column: Column, text: str, options: CopyOptions) -> str:
    kind = column.type.duckdb
    if column.type.is_text:
        if options.has("TRUNCATECOLUMNS") and column.type.max_bytes is not None:
            return f"left({text}, {column.type.max_bytes})"
        return text
    if kind in _INTEGERS:
        digits = f"CASE WHEN regexp_full_match({text}, '[+-]?\\d+') THEN {text} END"
        return f"TRY_CAST({digits} AS {kind})"
    if column.type.is_decimal:
        return f"TRY_CAST({text} AS {kind})" if options.has("ROUNDEC") else _cut_off(text, kind)
    if kind.startswith(("DATE", "TIMESTAMP")):
        return _moment(text, kind, options)
    if kind == "VARIANT":
        return f"CAST(TRY_CAST({text} AS JSON) AS VARIANT)"
    if kind == "BLOB":
        return f"TRY(unhex({text}))"
    return f"TRY_CAST({text} AS {kind})"


def _cut_off(text: str, kind: str) -> str:
    """COPY cuts off the digits that a DECIMAL has no place for, unless ROUNDEC is given."""
    scale = int(kind.rstrip(")").rpartition(",")[2])
    digits = f"regexp_replace(trim({text}), '^([+-]?\\d*\\.\\d{{{scale}}})\\d+$', '\\1')"
    return f"TRY_CAST({digits} AS {kind})"


def _moment(text: str, kind: str, options: CopyOptions) -> str:
    form, automatic = options.time_format, _AUTO_TIMES + _AUTO_DATES
    if kind == "DATE":
        form, automatic = options.date_format, _AUTO_DATES
    plain = f"TRY_CAST({text} AS {kind})"
    if form is None:
        return plain
    if form == "auto":
        formats = ", ".join(map(literal, automatic))
        return f"coalesce({plain}, CAST(try_strptime({text}, [{formats}]) AS {kind}))"
    if form in ("epochsecs", "epochmillisecs"):
        factor = 1_000_000 if form == "epochsecs" else 1_000
        micros = f"CAST(TRY_CAST({text} AS DOUBLE) * {factor} AS BIGINT)"
        return f"CAST(make_timestamp({micros}) AS {kind})"
    return f"CAST(try_strptime({text}, {literal(strptime_format(form))}) AS {kind})"


def strptime_format(form: str) -> str:
    """A DATEFORMAT or TIMEFORMAT string in the letters of strptime."""
    left = _FORMAT_PATTERN.sub("", form)
    unknown = re.sub(r"[^A-Za-z]|T", "", left)
    if unknown:
        raise NotSupportedLocallyError(f"The date format '{form}'")
    return _FORMAT_PATTERN.sub(lambda found: _FORMAT_PARTS[found.group().upper()], form)


def _conversion_errors(
    column: Column, text: str, value: str, options: CopyOptions
) -> list[tuple[str, int, str]]:
    if column.type.is_text:
        if column.type.max_bytes is None:
            return []
        too_long = f"strlen({value}) > {column.type.max_bytes}"
        return [(too_long, 1204, "String length exceeds DDL length")]
    unread = f"{text} IS NOT NULL AND {value} IS NULL"
    kind = column.type.duckdb
    if kind.startswith(("DATE", "TIMESTAMP")) and options.has("ACCEPTANYDATE"):
        return []
    reasons = {
        "DATE": (1205, "Invalid Date Format - length must be 10 or more"),
        "TIMESTAMP": (1206, "Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]"),
        "TIMESTAMP WITH TIME ZONE": (
            1206,
            "Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SSOF]",
        ),
        "BOOLEAN": (1210, "Unknown boolean format"),
        "VARIANT": (1224, "Invalid JSON format"),
    }
    code, reason = reasons.get(kind, (1207, f"Invalid digit, Type: {column.type.declared}"))
    return [(unread, code, reason)]
