"""DynamoDB's typed JSON and Python values: `{"S": "x"}` and `"x"`.

boto3's own serializer refuses floats and answers with Decimals; the figures here are neither
money nor longer than a float is exact.
"""

from __future__ import annotations

from typing import Any


def to_attribute(value: Any) -> dict[str, Any]:
    """Return the value as DynamoDB writes it; a set of texts must not be empty."""
    match value:
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": str(value)}
        case int() | float():
            return {"N": repr(value)}
        case None:
            return {"NULL": True}
        case set() | frozenset():
            return {"SS": sorted(value)}
        case dict():
            return {"M": {str(name): to_attribute(member) for name, member in value.items()}}
        case list() | tuple():
            return {"L": [to_attribute(member) for member in value]}
        case _:
            return {"S": str(value)}


def from_attribute(attribute: dict[str, Any]) -> Any:
    """Return the value that DynamoDB wrote."""
    ((kind, value),) = attribute.items()
    match kind:
        case "N":
            return _number(value)
        case "NULL":
            return None
        case "SS":
            return set(value)
        case "NS":
            return {_number(member) for member in value}
        case "M":
            return from_item(value)
        case "L":
            return [from_attribute(member) for member in value]
        case _:
            return value


def to_item(values: dict[str, Any]) -> dict[str, Any]:
    """Return the item for these values; None and empty lists, maps and sets are left out."""
    return {
        name: to_attribute(value)
        for name, value in values.items()
        if value is not None and value not in ([], (), {}, set(), frozenset())
    }


def from_item(item: dict[str, Any]) -> dict[str, Any]:
    """Return the values of an item."""
    return {name: from_attribute(attribute) for name, attribute in item.items()}


def _number(text: str) -> int | float:
    number = float(text)
    return int(text) if text.lstrip("-").isdigit() else number
