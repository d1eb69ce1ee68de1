"""JSON values on their way into an expression and out of it.

Inside an evaluation None is JSONata's *undefined*; JSON's null is the package's `NULL_VALUE`. Lists
that an expression builds carry marks (sequence, singleton kept); plain JSON lists carry none.
"""

from __future__ import annotations

import math
from typing import Any, Final

from jsonata import Jsonata
from jsonata.utils import Utils

from penstock_local.asl.jsonata.errors import UnsupportedResultError
from penstock_local.asl.values import Json, number

NULL: Final = Utils.NULL_VALUE


class Undefined:
    """The type of `UNDEFINED`: what an expression gives that selects nothing."""


UNDEFINED: Final = Undefined()


def to_jsonata(value: Json) -> Any:
    """A JSON value as expressions see it: a copy in which null is `NULL`.

    Whole numbers are exact as long as they fit into 64 bits, as on AWS.
    """
    if value is None:
        return NULL
    if isinstance(value, dict):
        return {key: to_jsonata(member) for key, member in value.items()}
    if isinstance(value, list):
        return [to_jsonata(member) for member in value]
    if isinstance(value, float):
        return number(value)
    if isinstance(value, int) and abs(value) >= _LONG_BELOW:
        return float(value)
    return value


_LONG_BELOW = 2**63


def to_json(value: Any) -> Json | Undefined:
    """The result of an evaluation as JSON; raises `UnsupportedResultError` for a function.

    JSON knows no infinity: as on AWS such a number becomes the text "Infinity", "-Infinity" or
    "NaN".
    """
    return UNDEFINED if value is None else _member(value)


def _member(value: Any) -> Json:
    if value is None or value is NULL:
        return None
    if isinstance(value, (str, bool)):
        return value
    if isinstance(value, (int, float)):
        return _finite(value)
    if isinstance(value, dict):
        return {key: _member(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_member(member) for member in value]
    raise UnsupportedResultError


def _finite(value: float) -> int | float | str:
    if isinstance(value, float) and not math.isfinite(value):
        if math.isnan(value):
            return "NaN"
        return "Infinity" if value > 0 else "-Infinity"
    return number(value)


def is_function(value: Any) -> bool:
    """Whether the value is a function of any kind: built in, written in the expression, a regex."""
    return isinstance(value, Jsonata.JFunction) or getattr(value, "_jsonata_lambda", False) is True


def is_number(value: Any) -> bool:
    """Whether the value is a number, infinite or not a number included."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def sequence(members: Any = ()) -> Any:
    """A list that JSONata unwraps when it has one member, and takes for nothing when empty."""
    return Utils.create_sequence_from_iter(members)


def code_units(text: str) -> bytes:
    """The text's UTF-16 code units, by which JavaScript, and so JSONata, orders texts."""
    return text.encode("utf-16-be", "surrogatepass")
