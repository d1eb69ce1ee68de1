"""$number, $round, $sum and the other functions of numbers."""

from __future__ import annotations

import math
import random as randomness
import re
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

from penstock_local.asl.jsonata.errors import failure
from penstock_local.asl.jsonata.native import function
from penstock_local.asl.values import number as plain

_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?([Ee][-+]?[0-9]+)?")
_OTHER_BASE = re.compile(r"0[xX][0-9A-Fa-f]+|0[oO][0-7]+|0[bB][01]+")
_EXACT = Context(prec=2000, Emax=10**6, Emin=-(10**6))


@function("number", "<(nsb)-:n>")
def number(value: Any) -> float | None:
    """The number that the text, number or boolean stands for."""
    if value is None:
        return None
    if isinstance(value, bool):
        return int(value)
    if not isinstance(value, str):
        return _given(value)
    if _OTHER_BASE.fullmatch(value):
        return plain(float(int(value, 0)))
    if _DECIMAL.fullmatch(value) and math.isfinite(float(value)):
        return plain(float(value))
    raise failure("D3030", value=value)


def _given(value: Any) -> float:
    if isinstance(value, (int, float)):
        return value
    raise failure("D3030", value=value)


@function("abs", "<n-:n>")
def absolute(value: float | None) -> float | None:
    """The number without its sign."""
    return None if value is None else abs(value)


@function("floor", "<n-:n>")
def floor(value: float | None) -> float | None:
    """The greatest whole number that is not above."""
    return None if value is None else _whole(value, math.floor)


@function("ceil", "<n-:n>")
def ceil(value: float | None) -> float | None:
    """The least whole number that is not below."""
    return None if value is None else _whole(value, math.ceil)


def _whole(value: float, towards: Any) -> float:
    return towards(value) if math.isfinite(value) else value


@function("round", "<n-n?:n>")
def round_half_even(value: float | None, precision: float | None = None) -> float | None:
    """The number with so many decimals; a half goes to the even neighbour."""
    if value is None or not math.isfinite(value):
        return value
    places = int(precision or 0)
    shifted = _EXACT.scaleb(Decimal(repr(value)), places)
    whole = shifted.quantize(Decimal(1), rounding=ROUND_HALF_EVEN, context=_EXACT)
    return plain(float(_EXACT.scaleb(whole, -places)))


@function("sqrt", "<n-:n>")
def sqrt(value: float | None) -> float | None:
    """The square root."""
    if value is None:
        return None
    if value < 0:
        raise failure("D3060", value=value)
    return plain(math.sqrt(value))


@function("power", "<n-n:n>")
def power(base: float | None, exponent: float) -> float | None:
    """The base raised to the exponent."""
    if base is None:
        return None
    try:
        result = math.pow(base, exponent)
    except (ValueError, OverflowError):
        result = math.inf
    if not math.isfinite(result):
        raise failure("D3061", value=base, exp=exponent)
    return plain(result)


@function("formatBase", "<n-n?:s>")
def format_base(value: float | None, radix: float | None) -> str | None:
    """The number, rounded, in the notation of that radix."""
    if value is None:
        return None
    whole = int(round_half_even(value) or 0)
    base = 10 if radix is None else int(round_half_even(radix) or 0)
    if not _LEAST_RADIX <= base <= len(_DIGITS):
        raise failure("D3100", value=base)
    digits = ""
    rest = abs(whole)
    while rest:
        rest, digit = divmod(rest, base)
        digits = _DIGITS[digit] + digits
    return ("-" if whole < 0 else "") + (digits or "0")


_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_LEAST_RADIX = 2


@function("sum", "<a<n>:n>")
def total(values: list[float] | None) -> float | None:
    """The sum, 0 of none; added one by one in double precision, as JavaScript does."""
    if values is None:
        return None
    result = 0.0
    for value in values:
        result += value
    return plain(result)


@function("max", "<a<n>:n>")
def greatest(values: list[float] | None) -> float | None:
    """The greatest of the numbers."""
    return max(values) if values else None


@function("min", "<a<n>:n>")
def least(values: list[float] | None) -> float | None:
    """The least of the numbers."""
    return min(values) if values else None


@function("average", "<a<n>:n>")
def average(values: list[float] | None) -> float | None:
    """The mean of the numbers."""
    if not values:
        return None
    return plain(float(total(values) or 0) / len(values))


@function("random", "<n?:n>")
def random(seed: float | None = None) -> float:
    """A number from 0 up to 1; with a seed always the same, that of java.util.Random."""
    if seed is None:
        return randomness.random()  # noqa: S311
    return _java_random(math.trunc(seed))


def _java_random(seed: int) -> float:
    """The first double that Java's generator gives for the seed: AWS draws from it."""
    state = (seed ^ _MULTIPLIER) & _MASK
    state = (state * _MULTIPLIER + _INCREMENT) & _MASK
    high = state >> 22
    state = (state * _MULTIPLIER + _INCREMENT) & _MASK
    return ((high << 27) + (state >> 21)) / (1 << 53)


_MULTIPLIER = 0x5DEECE66D
_INCREMENT = 0xB
_MASK = (1 << 48) - 1
