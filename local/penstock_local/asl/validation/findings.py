"""What is found wrong with a definition."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

SCHEMA = "SCHEMA_VALIDATION_FAILED"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding about a definition; `location` is like "/States/Run Jobs/Items", or unknown."""

    severity: Literal["ERROR", "WARNING"]
    code: str
    message: str
    location: str | None

    def as_answer(self) -> dict[str, str]:
        """The diagnostic as ValidateStateMachineDefinition answers it."""
        answer = {"severity": self.severity, "code": self.code, "message": self.message}
        return answer if self.location is None else {**answer, "location": self.location}

    def __str__(self) -> str:
        """The diagnostic as CreateStateMachine words it; an unknown location is "null"."""
        location = "null" if self.location is None else self.location
        return f"{self.code}: {self.message} at {location}"


class Findings:
    """Collects diagnostics, in the order in which they are found."""

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []

    def error(self, code: str, message: str, location: str | None) -> None:
        """Note an error."""
        self.diagnostics.append(Diagnostic("ERROR", code, message, location))

    def schema(self, message: str, location: str | None) -> None:
        """Note an error of the definition's form."""
        self.error(SCHEMA, message, location)

    def unsupported(self, field: str, location: str) -> None:
        """Note a field that does not belong to the object at that location."""
        self.schema(f"Field '{field}' is not supported", location)

    def required(self, fields: Iterable[str], location: str) -> None:
        """Note fields that are missing, if any."""
        missing = list(fields)
        if missing:
            self.schema(f"These fields are required: [{', '.join(missing)}]", location)

    def only_one_of(self, owner: dict[str, Any], fields: tuple[str, ...], location: str) -> bool:
        """Require exactly one of the fields; false, and noted, when that is not so."""
        present = [field for field in fields if field in owner]
        if len(present) == 1:
            return True
        begin = (
            "There should only be one of the following fields"
            if present
            else "This object should have only one of the following fields"
        )
        self.schema(f"{begin}: [{', '.join(fields)}]", location)
        return False

    def one_of(self, value: Any, allowed: tuple[str, ...], location: str) -> bool:
        """Require one of the values; false, and noted, when it is none."""
        if not isinstance(value, str):
            self.schema("Expected value of type [STRING]", location)
            return False
        if value not in allowed:
            values = ", ".join(allowed)
            self.schema(f"Value should be one of the following: [{values}]", location)
            return False
        return True
