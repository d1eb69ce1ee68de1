"""The operators of the language, with the reference's checks, order and precision."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from jsonata.utils import Utils

from penstock_local.asl.jsonata.data import code_units, is_number, sequence
from penstock_local.asl.jsonata.errors import MEMORY_EXCEEDED, JsonataError, failure
from penstock_local.asl.jsonata.functions.values import is_true
from penstock_local.asl.values import number

_MEMBERS_LIMIT = 873_782
_MEMBERS_OF_THE_LANGUAGE = 10_000_000

_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": math.fmod,
}
_COMPARISON: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def arithmetic(lhs: Any, rhs: Any, op: str) -> float | None:
    """Arithmetic in double precision; a result beyond it is infinite or not a number."""
    if lhs is not None and not Utils.is_numeric(lhs):
        raise failure("T2001", token=op, value=lhs)
    if rhs is not None and not Utils.is_numeric(rhs):
        raise failure("T2002", token=op, value=rhs)
    if lhs is None or rhs is None:
        return None
    return _calculated(float(lhs), float(rhs), op)


def _calculated(lhs: float, rhs: float, op: str) -> float:
    try:
        return number(_ARITHMETIC[op](lhs, rhs))
    except ZeroDivisionError:
        return math.copysign(math.inf, lhs * math.copysign(1, rhs)) if lhs else math.nan
    except ValueError:
        return math.nan  # the remainder of a division by zero
    except OverflowError:
        return math.inf


def equal(lhs: Any, rhs: Any, op: str) -> bool:
    """Deep equality; of undefined values both = and != are false."""
    if lhs is None or rhs is None:
        return False
    if is_number(lhs) and is_number(rhs):
        lhs, rhs = float(lhs), float(rhs)
    return bool(Utils.is_deep_equal(lhs, rhs)) == (op == "=")


def compare(lhs: Any, rhs: Any, op: str) -> bool | None:
    """The order of two numbers or two texts."""
    if not (_comparable(lhs) and _comparable(rhs)):
        raise failure("T2010", token=op, value=rhs if _comparable(lhs) else lhs)
    if lhs is None or rhs is None:
        return None
    if isinstance(lhs, str) != isinstance(rhs, str):
        raise failure("T2009", value=lhs, value2=rhs, token=op)
    if isinstance(lhs, str):
        lhs, rhs = code_units(lhs), code_units(rhs)
    return _COMPARISON[op](lhs, rhs)


def _comparable(value: Any) -> bool:
    return value is None or isinstance(value, str) or is_number(value)


def includes(lhs: Any, rhs: Any) -> bool:
    """Whether the right side has the left as a member; objects and arrays are never equal."""
    if lhs is None or rhs is None:
        return False
    members = rhs if isinstance(rhs, list) else [rhs]
    if isinstance(lhs, (dict, list)):
        return any(member is lhs for member in members)
    return any(Utils.is_deep_equal(member, lhs) for member in members)


def range_between(lhs: Any, rhs: Any) -> Any:
    """The whole numbers from the left to the right side."""
    for value, code in ((lhs, "T2003"), (rhs, "T2004")):
        if value is not None and not (is_number(value) and float(value).is_integer()):
            raise failure(code, value=value)
    if lhs is None or rhs is None or lhs > rhs:
        return None
    members = range(int(lhs), int(rhs) + 1)
    if len(members) > _MEMBERS_OF_THE_LANGUAGE:
        raise failure("D2014", value=len(members))
    if len(members) > _MEMBERS_LIMIT:
        raise JsonataError(None, MEMORY_EXCEEDED)
    return sequence(members)


def member_at(members: list[Any], index: int) -> Any:
    """The member at that position, counted from the end when negative."""
    if not -len(members) <= index < len(members):
        return sequence()
    member = members[index]
    return member if isinstance(member, list) else sequence([member])


def selections(found: Any, index: int, count: int) -> int:
    """How many times a predicate that gave `found` selects the member at `index` of `count`."""
    positions = [found] if is_number(found) and Utils.is_numeric(found) else found
    if isinstance(positions, list) and all(is_number(position) for position in positions):
        places = [math.floor(position) for position in positions]
        return sum(place + count * (place < 0) == index for place in places)
    return int(is_true(found))


def order(first: Any, second: Any, descending: bool) -> int:
    """1 when the first comes after the second, -1 before; undefined comes last."""
    if first is None or second is None:
        return (first is None) - (second is None)
    for value in (first, second):
        if not isinstance(value, str) and not is_number(value):
            raise failure("T2008", value=value)
    if isinstance(first, str) != isinstance(second, str):
        raise failure("T2007", value=first, value2=second)
    if isinstance(first, str):
        first, second = code_units(first), code_units(second)
    ascending = int(first > second) - int(first < second)
    return -ascending if descending else ascending
