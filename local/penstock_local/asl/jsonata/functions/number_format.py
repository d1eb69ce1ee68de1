"""$formatNumber: numbers by a picture, as XPath Functions and Operators 3.1, 4.7, has it."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from penstock_local.asl.jsonata.errors import failure
from penstock_local.asl.jsonata.functions.numbers import round_half_even
from penstock_local.asl.jsonata.functions.picture_rules import broken_rule
from penstock_local.asl.jsonata.functions.pictures import Properties, SubPicture
from penstock_local.asl.jsonata.native import function

_PERCENT, _PER_MILLE = 100, 1000
_MOST_PICTURES = 2


@function("formatNumber", "<n-so?:s>")
def format_number(value: float | None, picture: str, options: dict[str, Any] | None) -> str | None:
    """The number as the picture shows it; a second sub-picture is for negative numbers."""
    if value is None:
        return None
    properties = Properties.of(options or {})
    texts = picture.split(properties.pattern_separator)
    if len(texts) > _MOST_PICTURES:
        raise failure("D3080")
    pictures = [SubPicture.of(text, properties) for text in texts]
    for part in pictures:
        if code := broken_rule(part, properties):
            raise failure(code)
    return _formatted(value, pictures, properties)


def _formatted(value: float, pictures: list[SubPicture], properties: Properties) -> str:
    chosen = pictures[-1] if value < 0 else pictures[0]
    sign = properties.minus_sign if value < 0 and len(pictures) == 1 else ""
    layout = _Layout.of(chosen, properties)
    scaled = abs(value) * _scale(chosen, properties)
    exponent = 0
    if layout.exponent_size:
        scaled, exponent = _with_exponent(scaled, layout.scaling)
    text = _mantissa(scaled, layout, properties)
    if layout.exponent_size:
        digits = str(abs(exponent)).rjust(layout.exponent_size, "0")
        minus = properties.minus_sign if exponent < 0 else ""
        text += properties.exponent_separator + minus + properties.in_family(digits)
    return sign + chosen.prefix + text + chosen.suffix


def _scale(picture: SubPicture, properties: Properties) -> int:
    if properties.percent in picture.text:
        return _PERCENT
    return _PER_MILLE if properties.per_mille in picture.text else 1


def _with_exponent(value: float, scaling: int) -> tuple[float, int]:
    """The number as mantissa and exponent, so many digits before the point."""
    if value == 0:
        return value, 0
    exponent = 0
    while value < 10 ** (scaling - 1):
        value *= 10
        exponent -= 1
    while value > 10**scaling:
        value /= 10
        exponent += 1
    return value, exponent


@dataclass(frozen=True, slots=True)
class _Layout:
    """How many digits a sub-picture asks for, and where it puts grouping separators."""

    least_integer: int
    least_fraction: int
    most_fraction: int
    exponent_size: int
    scaling: int
    integer_groups: tuple[int, ...]
    fraction_groups: tuple[int, ...]
    has_point: bool

    @classmethod
    def of(cls, picture: SubPicture, properties: Properties) -> _Layout:
        integer = scaling = properties.count_digits(picture.integer)
        fraction = properties.count_digits(picture.fraction)
        most = properties.count_places(picture.fraction)
        has_exponent = picture.exponent is not None
        if integer == 0 and most == 0:
            if has_exponent:
                fraction = most = 1
            else:
                integer = 1
        if has_exponent and integer == 0 and properties.digit in picture.integer:
            integer = 1
        if integer == 0 and fraction == 0:
            fraction = 1
        return cls(
            least_integer=integer,
            least_fraction=fraction,
            most_fraction=most,
            exponent_size=properties.count_digits(picture.exponent or ""),
            scaling=scaling,
            integer_groups=_groups(picture.integer, properties, from_right=True),
            fraction_groups=_groups(picture.fraction, properties, from_right=False),
            has_point=properties.decimal_separator in picture.text,
        )


def _groups(part: str, properties: Properties, *, from_right: bool) -> tuple[int, ...]:
    """How many digits stand between each separator and the decimal point."""
    separator = properties.grouping_separator
    return tuple(
        properties.count_places(part[index:] if from_right else part[:index])
        for index, char in enumerate(part)
        if char == separator
    )


def _mantissa(value: float, layout: _Layout, properties: Properties) -> str:
    rounded = round_half_even(value, layout.most_fraction) or 0
    if not math.isfinite(rounded):
        return properties.infinity
    whole, _, rest = f"{Decimal(repr(rounded)):f}".partition(".")
    integer = whole.lstrip("0").rjust(layout.least_integer, "0")
    fraction = rest.rstrip("0").ljust(layout.least_fraction, "0")
    text = _grouped_integer(properties.in_family(integer), layout, properties)
    if layout.has_point and fraction:
        digits = _grouped_fraction(properties.in_family(fraction), layout, properties)
        text += properties.decimal_separator + digits
    return text


def _grouped_integer(digits: str, layout: _Layout, properties: Properties) -> str:
    size = _regular(layout.integer_groups)
    if size:
        cuts = list(range(len(digits) % size or size, len(digits), size))
    else:
        cuts = sorted(len(digits) - group for group in layout.integer_groups)
    return _cut(digits, [cut for cut in cuts if cut >= 0], properties)


def _grouped_fraction(digits: str, layout: _Layout, properties: Properties) -> str:
    return _cut(digits, [cut for cut in layout.fraction_groups if cut < len(digits)], properties)


def _cut(digits: str, cuts: list[int], properties: Properties) -> str:
    bounds = [0, *cuts, len(digits)]
    return properties.grouping_separator.join(
        digits[start:end] for start, end in itertools.pairwise(bounds)
    )


def _regular(groups: tuple[int, ...]) -> int:
    """The size of all groups, if they are of one size; else 0."""
    if not groups:
        return 0
    size = math.gcd(*groups)
    return size if all(size * (n + 1) in groups for n in range(len(groups))) else 0
