"""What Step Functions adds to JSONata: $parse, $partition, $range, $hash and $uuid."""

from __future__ import annotations

import hashlib
import json
import math
import uuid as identifiers
from typing import Any

from penstock_local.asl.jsonata.data import is_number, to_jsonata
from penstock_local.asl.jsonata.errors import MEMORY_EXCEEDED, JsonataError, failure
from penstock_local.asl.jsonata.native import function
from penstock_local.asl.values import number

_ALGORITHMS = {
    "SHA-1": "sha1",
    "SHA-384": "sha384",
    "SHA-256": "sha256",
    "SHA-512": "sha512",
    "MD5": "md5",
}
_MOST_IN_RANGE = 360_145


@function("parse", "<x?x?:x>")
def parse(text: Any, surplus: Any = None) -> Any:
    """The value that the JSON text stands for."""
    _refuse_surplus("parse", 2, surplus)
    if text is None:
        return None
    if not isinstance(text, str):
        raise _mismatch("parse", 1)
    try:
        value = json.loads(
            text, parse_constant=_refused, parse_float=_number, object_pairs_hook=_object
        )
    except ValueError:
        raise failure("D3137", message="Invalid JSON") from None
    return to_jsonata(value)


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return number(value)


def _refused(name: str) -> Any:
    raise ValueError(name)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key that appears twice")
    return result


@function("partition", "<x?x?x?:x>")
def partition(values: Any, size: Any, surplus: Any = None) -> list[list[Any]] | None:
    """The array in parts of that many members, the last one with what remains."""
    _refuse_surplus("partition", 3, surplus)
    if values is None:
        return None
    if not isinstance(values, list):
        raise JsonataError(
            "T0412", 'Argument 1 of function "partition" must be an array of undefined'
        )
    if not values:
        return None
    if size is None:
        return [list(values)]
    length = _towards_zero("partition", 2, size)
    if length < 0:
        raise failure("D3137", message="Second argument must be zero or greater")
    if length == 0:
        return None
    return [list(values[at : at + length]) for at in range(0, len(values), length)]


@function("range", "<x?x?x?x?:x>")
def range_of(start: Any, end: Any, step: Any, surplus: Any = None) -> Any:
    """The numbers from `start` to `end`, by steps; a single one is not an array."""
    _refuse_surplus("range", 4, surplus)
    first, last = _towards_zero("range", 1, start), _towards_zero("range", 2, end)
    if step is None:
        return None
    stride = _towards_zero("range", 3, step)
    if stride == 0 or (last - first) * stride < 0:
        return None
    if first == last:
        return first
    members = range(first, last + (1 if stride > 0 else -1), stride)
    if len(members) > _MOST_IN_RANGE:
        raise JsonataError(None, MEMORY_EXCEEDED)
    return list(members)


@function("hash", "<x?x?x?:x>")
def hash_of(text: Any, algorithm: Any, surplus: Any = None) -> str | None:
    """The digest of the text, in hexadecimal digits."""
    _refuse_surplus("hash", 3, surplus)
    if not isinstance(text, str):
        raise _mismatch("hash", 1)
    if algorithm is None:
        return None
    if not isinstance(algorithm, str):
        raise _mismatch("hash", 2)
    if algorithm not in _ALGORITHMS:
        known = ", ".join(_ALGORITHMS)
        raise failure("D3137", message=f"Hash algorithm '{algorithm}' must be one of {known}")
    return hashlib.new(_ALGORITHMS[algorithm], text.encode()).hexdigest()


@function("uuid", "<x?:x>")
def uuid(surplus: Any = None) -> str:
    """A random UUID, version 4."""
    _refuse_surplus("uuid", 1, surplus)
    return str(identifiers.uuid4())


def _refuse_surplus(name: str, position: int, argument: Any) -> None:
    if argument is not None:
        raise _mismatch(name, position)


def _towards_zero(name: str, position: int, argument: Any) -> int:
    if not is_number(argument):
        raise _mismatch(name, position)
    whole: int = math.trunc(argument)
    return whole


def _mismatch(name: str, position: int) -> JsonataError:
    return failure("T0410", index=position, token=name)
