"""The picture of $formatNumber taken apart, XPath Functions and Operators 3.1, 4.7.4."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Properties:
    """The characters that mean something in a picture; options may replace each."""

    decimal_separator: str = "."
    grouping_separator: str = ","
    exponent_separator: str = "e"
    infinity: str = "Infinity"
    minus_sign: str = "-"
    percent: str = "%"
    per_mille: str = "\u2030"
    zero_digit: str = "0"
    digit: str = "#"
    pattern_separator: str = ";"

    @classmethod
    def of(cls, options: dict[str, Any]) -> Properties:
        """The properties with those that the options name replaced."""
        named = {field.name: options.get(field.name.replace("_", "-")) for field in fields(cls)}
        return cls(**{name: value for name, value in named.items() if isinstance(value, str)})

    def is_digit(self, char: str) -> bool:
        """Whether the character is one of the ten digits of the family."""
        return ord(self.zero_digit) <= ord(char) < ord(self.zero_digit) + 10

    def is_active(self, char: str) -> bool:
        """Whether the character belongs to the number, not to the text around it."""
        return self.is_digit(char) or char in (
            self.decimal_separator,
            self.exponent_separator,
            self.grouping_separator,
            self.digit,
            self.pattern_separator,
        )

    def count_digits(self, part: str) -> int:
        """How many places must have a digit."""
        return sum(self.is_digit(char) for char in part)

    def count_places(self, part: str) -> int:
        """How many places may have a digit."""
        return sum(self.is_digit(char) or char == self.digit for char in part)

    def in_family(self, digits: str) -> str:
        """The decimal digits written with those of the family."""
        return "".join(chr(ord(digit) - ord("0") + ord(self.zero_digit)) for digit in digits)


@dataclass(frozen=True, slots=True)
class SubPicture:
    """One sub-picture: text before the number, the parts of the number, text after it."""

    text: str
    prefix: str
    suffix: str
    active: str
    mantissa: str
    integer: str
    fraction: str
    exponent: str | None

    @classmethod
    def of(cls, text: str, properties: Properties) -> SubPicture:
        """Take the sub-picture apart; nothing is checked."""
        bounds = [
            index
            for index, char in enumerate(text)
            if properties.is_active(char) and char != properties.exponent_separator
        ]
        start, end = (bounds[0], bounds[-1] + 1) if bounds else (0, len(text))
        active = text[start:end]
        mantissa, separator, exponent = active.partition(properties.exponent_separator)
        if not separator and text[end:].startswith(properties.exponent_separator):
            separator = properties.exponent_separator
        integer, _, fraction = mantissa.partition(properties.decimal_separator)
        return cls(
            text=text,
            prefix=text[:start],
            suffix=text[end:],
            active=active,
            mantissa=mantissa,
            integer=integer,
            fraction=fraction,
            exponent=exponent if separator else None,
        )
