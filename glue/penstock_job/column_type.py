"""The eight types of data, and how a text is read as one of them.

Every dataset that a shipped job publishes has only these types, so that both engines read alike
what the other wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from penstock_job.errors import SpecificationError

TEXT, INTEGER, DECIMAL, DOUBLE = "text", "integer", "decimal", "double"
BOOLEAN, DATE, TIMESTAMP, BINARY = "boolean", "date", "timestamp", "binary"
SIMPLE = (TEXT, INTEGER, DOUBLE, BOOLEAN, DATE, TIMESTAMP, BINARY)
NUMERIC = (INTEGER, DECIMAL, DOUBLE)
GREATEST_PRECISION = 38  # of DuckDB, Spark, Redshift and DynamoDB alike

# Engines disagree on what a text means as a number or a date: 1.5 as an integer is 2 in DuckDB and
# nothing in Spark, 1d is a double in Java alone. So a text must first match one of these forms, on
# which they agree. A year 0000 is 1 BC to one engine and year 0 to the other.
YEAR = "([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
ISO_DATE = f"{YEAR}-[0-9]{{2}}-[0-9]{{2}}"
CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?"
INTEGER_FORM = "[+-]?[0-9]+"
DOUBLE_FORM = "[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{1,3})?"
TIMESTAMP_FORM = f"{ISO_DATE}([ T]{CLOCK}Z?)?"
# Java matches these in a third of the time: they have no alternatives and capture nothing.
_PLAIN_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
PLAIN_FORMS = {
    DATE: _PLAIN_DATE,
    TIMESTAMP: f"{_PLAIN_DATE}[ T][0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(?:[.][0-9]{{1,6}})?Z?",
}
GREATEST_DOUBLE = "1.7976931348623157E308"
TRUE_TEXTS = ("true", "t", "yes", "y", "1")
FALSE_TEXTS = ("false", "f", "no", "n", "0")

_DATE_TOKENS = {"yyyy": YEAR, "MM": "([0-9]{2})", "dd": "([0-9]{2})"}
_CLOCK_TOKENS = {"HH": "([01][0-9]|2[0-3])", "mm": "([0-5][0-9])", "ss": "([0-5][0-9])"}
_TOKEN = re.compile("yyyy|MM|dd|HH|mm|ss")
_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")


@dataclass(frozen=True)
class ColumnType:
    """One of the eight types; only decimals have a precision and a scale."""

    kind: str
    precision: int = 0
    scale: int = 0

    def __str__(self) -> str:
        if self.kind == DECIMAL:
            return f"decimal({self.precision},{self.scale})"
        return self.kind

    @property
    def spoken(self) -> str:
        """The type in a sentence such as "cases is not a whole number"."""
        words = {
            INTEGER: "a whole number of at most 64 bits",
            DECIMAL: f"a number of at most {self.precision - self.scale} digits before and "
            f"{self.scale} after the point",
            DOUBLE: "a number",
            BOOLEAN: "true or false",
            DATE: "a date",
            TIMESTAMP: "a date and time",
            BINARY: "bytes",
        }
        return words.get(self.kind, self.kind)


def read_type(text: object) -> ColumnType:
    """A type as a specification writes it: `integer`, `decimal(10,2)`, …"""
    name = str(text).strip().lower()
    if name in SIMPLE:
        return ColumnType(name)
    match = _DECIMAL.fullmatch(name)
    if match:
        precision, scale = int(match[1]), int(match[2])
        if 1 <= precision <= GREATEST_PRECISION and scale <= precision:
            return ColumnType(DECIMAL, precision, scale)
    raise SpecificationError(
        f"{text!r} is no type; the types are {', '.join(SIMPLE)} and decimal(precision,scale) "
        f"with a precision of at most {GREATEST_PRECISION}"
    )


def decimal_form(scale: int) -> str:
    """The texts that are decimals of this scale: more decimal places only if they are zeros.

    Rounding would change a value silently, so 12.345 is not a decimal(10,2).
    """
    after = f"[0-9]{{0,{scale}}}0*"
    return f"[+-]?([0-9]+([.]{after})?|[.][0-9]{after})" if scale else f"[+-]?[0-9]+([.]{after})?"


@dataclass(frozen=True)
class DateFormat:
    """A format such as `dd.MM.yyyy`: the texts it matches, and how to write one in ISO's order.

    `template` is made of texts and of numbers of the regular expression's groups.
    """

    form: str
    template: tuple[str | int, ...]


def read_date_format(text: str, kind: str = DATE) -> DateFormat:
    """The format made of `yyyy`, `MM` and `dd`, each once, with any separators.

    That of a timestamp may go on with `HH`, `mm` and `ss`; what it leaves out is zero.
    """
    tokens = _TOKEN.findall(text)
    clock = [token for token in ("HH", "mm", "ss") if token in tokens]
    days = [token for token in tokens if token not in clock]
    if sorted(days) != sorted(_DATE_TOKENS) or len(set(tokens)) != len(tokens):
        raise SpecificationError(f"date format {text!r} needs yyyy, MM and dd, each once")
    if clock != ["HH", "mm", "ss"][: len(clock)] or (clock and kind == DATE):
        raise SpecificationError(
            f"date format {text!r}: a timestamp has HH, then mm, then ss, and a date has none"
        )
    separators = [re.escape(part) for part in _TOKEN.split(text)]
    pattern = separators[0]
    for token, separator in zip(tokens, separators[1:]):
        pattern += {**_DATE_TOKENS, **_CLOCK_TOKENS}[token] + separator
    return DateFormat(pattern, tuple(_template(tokens, kind)))


def _template(tokens: list[str], kind: str) -> Iterator[str | int]:
    for token, mark in (("yyyy", "-"), ("MM", "-"), ("dd", "")):
        yield tokens.index(token) + 1
        yield mark
    if kind != DATE:
        for token, mark in (("HH", " "), ("mm", ":"), ("ss", ":")):
            yield mark
            yield tokens.index(token) + 1 if token in tokens else "00"


def plain_number(value: object) -> str:
    """A number of a specification as SQL writes it, without an exponent."""
    if isinstance(value, bool):
        raise SpecificationError(f"{value!r} is not a number")
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise SpecificationError(f"{value!r} is not a number") from None
    if not number.is_finite():
        raise SpecificationError(f"{value!r} is not a finite number")
    return format(number, "f")
