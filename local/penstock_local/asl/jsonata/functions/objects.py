"""$keys, $merge, $sift and the other functions of objects."""

from __future__ import annotations

from typing import Any

from jsonata.functions import Functions

from penstock_local.asl.jsonata.data import sequence
from penstock_local.asl.jsonata.functions.values import boolean
from penstock_local.asl.jsonata.native import call_with_as_many, function


@function("keys", "<x-:a<s>>")
def keys(value: Any) -> Any:
    """The names of the object's members, or of all objects in the array."""
    return sequence(_names(value))


def _names(value: Any) -> dict[str, None]:
    if isinstance(value, list):
        return {name: None for member in value for name in _names(member)}
    return dict.fromkeys(value) if isinstance(value, dict) else {}


@function("lookup", "<x-s:x>")
def lookup(value: Any, key: str) -> Any:
    """The member of that name, of the object or of all objects in the array."""
    return Functions.lookup(value, key)


@function("spread", "<x-:a<o>>")
def spread(value: Any) -> Any:
    """One object for each member of the object, or of all objects in the array."""
    if isinstance(value, dict):
        return sequence([{key: member} for key, member in value.items()])
    if not isinstance(value, list):
        return value
    result = sequence()
    for member in value:
        result = Functions.append(result, spread(member))
    return result


@function("merge", "<a<o>:o>")
def merge(objects: list[dict[str, Any]] | None) -> dict[str, Any] | None:
    """The members of all objects in one; later ones win."""
    if objects is None:
        return None
    return {key: member for one in objects for key, member in one.items()}


@function("each", "<o-f:a>")
def each(value: dict[str, Any] | None, func: Any) -> Any:
    """What the function gives for each member; undefined is left out."""
    if value is None:
        return None
    found = [call_with_as_many(func, member, key, value) for key, member in value.items()]
    return sequence([member for member in found if member is not None])


@function("sift", "<o-f?:o>")
def sift(value: dict[str, Any] | None, func: Any) -> dict[str, Any] | None:
    """The object with the members for which the function is true; nothing when there is none."""
    if value is None:
        return None
    kept = {
        key: member
        for key, member in value.items()
        if boolean(call_with_as_many(func, member, key, value))
    }
    return kept or None


@function("clone", "<(oa)-:o>")
def clone(value: Any) -> Any:
    """A copy of the object or array."""
    return None if value is None else _copied(value)


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(member) for key, member in value.items()}
    return [_copied(member) for member in value] if isinstance(value, list) else value
