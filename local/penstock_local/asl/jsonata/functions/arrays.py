"""$map, $filter, $sort and the other functions of arrays."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from jsonata.functions import Functions
from jsonata.utils import Utils

from penstock_local.asl.jsonata.data import code_units, is_number, sequence
from penstock_local.asl.jsonata.errors import failure
from penstock_local.asl.jsonata.functions.values import boolean
from penstock_local.asl.jsonata.native import arity, call, call_with_as_many, function

_LEAST_TO_REDUCE = 2


@function("count", "<a:n>")
def count(values: list[Any] | None) -> int:
    """How many members the array has."""
    return len(values or ())


@function("append", "<xx:a>")
def append(first: Any, second: Any) -> Any:
    """The members of the first, then those of the second."""
    return Functions.append(first, second)


@function("reverse", "<a:a>")
def reverse(values: list[Any] | None) -> Any:
    """The members in opposite order."""
    return values if values is None or len(values) < _PAIR else values[::-1]


@function("shuffle", "<a:a>")
def shuffle(values: list[Any] | None) -> Any:
    """The members in a random order."""
    if values is None or len(values) < _PAIR:
        return values
    return random.sample(list(values), len(values))


_PAIR = 2


@function("distinct", "<x:x>")
def distinct(values: Any) -> Any:
    """The members without those that equal an earlier one."""
    if not isinstance(values, list) or len(values) < _PAIR:
        return values
    kept = sequence() if Utils.is_sequence(values) else []
    seen: set[Any] = set()
    for value in values:
        if isinstance(value, (str, int, float)):
            mark = (type(value) in (str, bool) and type(value), value)
            if mark in seen:
                continue
            seen.add(mark)
        elif any(Utils.is_deep_equal(value, other) for other in kept):
            continue
        kept.append(value)
    return kept


@function("zip", "<a+>")
def zip_arrays(*arrays: Any) -> list[list[Any]]:
    """The first members together, the second members together, … as far as all arrays go."""
    lists = [array if isinstance(array, list) else [] for array in arrays]
    return [list(members) for members in zip(*lists, strict=False)]


@function("map", "<af>")
def map_array(values: list[Any] | None, func: Any) -> Any:
    """What the function gives for each member; undefined is left out."""
    if values is None:
        return None
    mapped = (
        call_with_as_many(func, value, index, values) for index, value in enumerate(list(values))
    )
    return sequence([value for value in mapped if value is not None])


@function("filter", "<af>")
def filter_array(values: list[Any] | None, func: Any) -> Any:
    """The members for which the function is true."""
    if values is None:
        return None
    return sequence(
        [
            value
            for index, value in enumerate(list(values))
            if boolean(call_with_as_many(func, value, index, values))
        ]
    )


@function("single", "<af?>")
def single(values: list[Any] | None, func: Any) -> Any:
    """The one member for which the function is true; it fails unless there is exactly one."""
    if values is None:
        return None
    found: list[Any] = []
    for index, value in enumerate(list(values)):
        if func is None or boolean(call_with_as_many(func, value, index, values)):
            if found:
                raise failure("D3138")
            found.append(value)
    if not found:
        raise failure("D3139")
    return found[0]


@function("reduce", "<afj?:j>")
def reduce(values: list[Any] | None, func: Any, initial: Any) -> Any:
    """The members folded into one value, from the left."""
    if values is None:
        return None
    takes = arity(func)
    if takes < _LEAST_TO_REDUCE:
        raise failure("D3050")
    members = list(enumerate(values))
    result = initial
    if initial is None and members:
        result = members.pop(0)[1]
    for index, value in members:
        result = call(func, *(result, value, index, values)[:takes])
    return result


@function("sort", "<af?:a>")
def sort(values: list[Any] | None, comes_after: Any) -> Any:
    """The members in order; `comes_after` tells whether two of them stand the wrong way round."""
    if values is None or len(values) < _PAIR:
        return values
    if comes_after is not None:
        return merge_sorted(list(values), lambda a, b: boolean(call(comes_after, a, b)) or False)
    if all(is_number(value) for value in values):
        return sorted(values)
    if all(isinstance(value, str) for value in values):
        return sorted(values, key=code_units)
    raise failure("D3070")


def merge_sorted(values: list[Any], comes_after: Callable[[Any, Any], bool]) -> list[Any]:
    """The values merged in order, equal ones left as they stand.

    Pairs are compared in the order of the reference, so that a comparison that fails fails alike.
    """
    if len(values) < _PAIR:
        return values
    middle = len(values) // 2
    left = merge_sorted(values[:middle], comes_after)
    right = merge_sorted(values[middle:], comes_after)
    merged: list[Any] = []
    at_left = at_right = 0
    while at_left < len(left) and at_right < len(right):
        if comes_after(left[at_left], right[at_right]):
            merged.append(right[at_right])
            at_right += 1
        else:
            merged.append(left[at_left])
            at_left += 1
    return merged + left[at_left:] + right[at_right:]
