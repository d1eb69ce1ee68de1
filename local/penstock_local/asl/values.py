"""JSON values as an execution carries them: their text, their size, their type names."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

Json = Any
"""A value that `json.loads` can return: None, bool, int, float, str, list or dict."""

PAYLOAD_LIMIT = 256 * 1024
"""Bytes of UTF-8 that a state's input, output or result may have."""


def compact(value: Json) -> str:
    """The value as JSON text without blanks, as the service writes it into events.

    Characters outside ASCII are kept; a float that is a whole number loses its fraction, because
    JSONata knows one kind of number only.
    """
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def size(value: Json) -> int:
    """Bytes of the value's compact text in UTF-8: what the 256 KiB limit counts."""
    return len(compact(value).encode("utf-8", "surrogatepass"))


def type_name(value: Json) -> str:
    """The name that the service's messages give to a value's type."""
    if value is None:
        return "null"
    for kind, name in _TYPE_NAMES:
        if isinstance(value, kind):
            return name
    raise TypeError(f"not a JSON value: {value!r}")


_TYPE_NAMES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "boolean"),
    ((int, float), "number"),
    (str, "string"),
    (list, "array"),
    (dict, "object"),
)


_EXACT_BELOW = 2**53
_LONG_BELOW = 2**63


def number(value: float) -> int | float:
    """The number as the service would carry it: whole numbers as int, and no negative zero.

    Whole numbers that no longer fit into 64 bits stay floats; those beyond the precision of a
    float have the digits of its shortest notation.
    """
    if not isinstance(value, float) or not value.is_integer() or abs(value) >= _LONG_BELOW:
        return value
    return int(value) if abs(value) < _EXACT_BELOW else int(Decimal(repr(value)))


def _plain(value: Json) -> Json:
    if isinstance(value, float):
        return number(value)
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    return value
