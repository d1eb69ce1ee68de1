"""Writes DynamoDB expressions without fear of its reserved words."""

from __future__ import annotations

from typing import Any

from penstock.adapters.attribute_values import to_attribute


class Expression:
    """Collects the names and the values that the texts of one request refer to."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._values: dict[str, Any] = {}

    def name(self, attribute: str) -> str:
        """Return the placeholder of an attribute's name."""
        self._names[f"#{attribute}"] = attribute
        return f"#{attribute}"

    def value(self, value: Any) -> str:
        """Return the placeholder of a value."""
        placeholder = f":v{len(self._values)}"
        self._values[placeholder] = to_attribute(value)
        return placeholder

    def values(self, values: list[Any]) -> str:
        """Return the placeholders of some values, separated by commas."""
        return ", ".join(self.value(value) for value in values)

    def assignments(self, changes: dict[str, Any]) -> str:
        """Return `#A = :v0, #B = :v1` for all but the values that are None or empty."""
        return ", ".join(
            f"{self.name(name)} = {self.value(value)}"
            for name, value in changes.items()
            if value is not None and value != ""
        )

    def arguments(self) -> dict[str, Any]:
        """Return the members of the request that explain the placeholders."""
        arguments: dict[str, Any] = {"ExpressionAttributeNames": self._names}
        if self._values:
            arguments["ExpressionAttributeValues"] = self._values
        return arguments
