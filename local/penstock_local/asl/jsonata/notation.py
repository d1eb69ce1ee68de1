"""Values as text, written as JavaScript writes them."""

from __future__ import annotations

import json
import math
from typing import Any

from penstock_local.asl.jsonata.data import NULL, is_function, is_number

_DIGITS = 15
_EXPONENT_FROM, _EXPONENT_BELOW = 21, -6


def number_text(value: float) -> str:
    """The number in JavaScript's notation: 100000000000000000000, 1e+21, 1e-7, 0.5."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    digits, point = _shortest(abs(float(value)))
    if _EXPONENT_BELOW < point <= _EXPONENT_FROM:
        return sign + _positional(digits, point)
    exponent = point - 1
    mantissa = digits[0] + (f".{digits[1:]}" if len(digits) > 1 else "")
    return f"{sign}{mantissa}e{'+' if exponent > 0 else '-'}{abs(exponent)}"


def rounded(value: float) -> float:
    """The number with the 15 significant digits that $string keeps; may overflow to infinity."""
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else _rounded_int(value)


def json_text(value: Any, indent: int = 0) -> str:
    """The value as $string writes it, over several lines when `indent` is not 0."""
    return _written(value, indent, "\n" if indent else "")


def _rounded_int(value: int) -> float:
    return value if abs(value) < 10**_DIGITS else float(f"{float(value):.{_DIGITS}g}")


def _shortest(value: float) -> tuple[str, int]:
    """The fewest digits that read back as the number, and where its decimal point stands."""
    mantissa, _, exponent = f"{value!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    if fraction == "0":
        fraction = ""
    digits = whole + fraction
    point = len(whole) + int(exponent or 0)
    stripped = digits.lstrip("0")
    point -= len(digits) - len(stripped)
    return stripped.rstrip("0"), point


def _positional(digits: str, point: int) -> str:
    if point <= 0:
        return "0." + "0" * -point + digits
    if point >= len(digits):
        return digits + "0" * (point - len(digits))
    return f"{digits[:point]}.{digits[point:]}"


def _written(value: Any, indent: int, newline: str) -> str:
    if isinstance(value, dict):
        colon = ": " if indent else ":"
        pairs = [
            f"{_quoted(key)}{colon}{_written(member, indent, newline + ' ' * indent)}"
            for key, member in value.items()
        ]
        return _wrapped("{", pairs, "}", indent, newline)
    if isinstance(value, list):
        members = [_written(member, indent, newline + " " * indent) for member in value]
        return _wrapped("[", members, "]", indent, newline)
    return _scalar(value)


def _wrapped(opening: str, parts: list[str], closing: str, indent: int, newline: str) -> str:
    if not parts:
        return opening + closing
    inner = newline + " " * indent if newline else ""
    return f"{opening}{inner}{f',{inner}'.join(parts)}{newline}{closing}"


def _scalar(value: Any) -> str:
    if value is None or value is NULL:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if is_number(value):
        kept = rounded(value)
        return number_text(kept) if math.isfinite(kept) else "null"
    assert is_function(value)
    return '""'


def _quoted(text: str) -> str:
    escaped = json.dumps(text, ensure_ascii=False)
    return "".join(
        f"\\u{ord(char):04x}" if "\ud800" <= char <= "\udfff" else char for char in escaped
    )
