"""$boolean, $type, $exists and the other functions of values of any type."""

from __future__ import annotations

from typing import Any, NoReturn

from penstock_local.asl.jsonata.data import NULL, is_function, is_number
from penstock_local.asl.jsonata.errors import failure
from penstock_local.asl.jsonata.native import function
from penstock_local.asl.jsonata.regex import Matcher


@function("boolean", "<x-:b>")
def boolean(value: Any) -> bool | None:
    """The effective boolean value: nothing, null, 0, "", empty and functions are false."""
    if value is None:
        return None
    if isinstance(value, list):
        return _any_true(value)
    if value is NULL or is_function(value):
        return False
    return bool(value == value and value)


def _any_true(values: list[Any]) -> bool:
    return any(boolean(member) or False for member in values)


def is_true(value: Any) -> bool:
    """Whether a condition holds; undefined does not, a function does unless it is a regex."""
    return (is_function(value) and not isinstance(value, Matcher)) or boolean(value) or False


@function("not", "<x-:b>")
def negation(value: Any) -> bool | None:
    """The opposite of the effective boolean value."""
    return None if value is None else not boolean(value)


@function("exists", "<x:b>")
def exists(value: Any) -> bool:
    """Whether the value is anything at all; null is."""
    return value is not None


@function("type", "<x:s>")
def type_of(value: Any) -> str | None:
    """The name of the value's type."""
    if value is None:
        return None
    if value is NULL:
        return "null"
    if is_number(value):
        return "number"
    if is_function(value):
        return "function"
    names = {bool: "boolean", str: "string", list: "array"}
    return next((name for kind, name in names.items() if isinstance(value, kind)), "object")


@function("error", "<s?:x>")
def error(message: str | None = None) -> NoReturn:
    """Fail with the message."""
    raise failure("D3137", message=message or "$error() function evaluated")


@function("assert", "<bs?:x>")
def assertion(condition: bool | None, message: str | None = None) -> None:
    """Fail with the message unless the condition holds."""
    if not condition:
        raise failure("D3141", message=message or "$assert() statement failed")
