"""Whether a definition is a state machine: what CreateStateMachine accepts and refuses."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from penstock_local.asl.values import Json


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding about a definition; `location` is like "/States/Run Jobs/Items"."""

    severity: Literal["ERROR", "WARNING"]
    code: str
    message: str
    location: str


class InvalidDefinitionError(Exception):
    """A definition that CreateStateMachine refuses; `str()` is the service's message."""


def diagnose(definition: Json, machine_type: str = "STANDARD") -> list[Diagnostic]:
    """Every finding about the definition, errors and warnings, in the order of the text."""
    return []


def parse(text: str, machine_type: str = "STANDARD") -> dict[str, Any]:
    """The definition; raises `InvalidDefinitionError` exactly as CreateStateMachine words it."""
    definition: dict[str, Any] = json.loads(text)
    return definition


def variable_references(definition: Json) -> dict[str, list[str]]:
    """State name -> sorted names of the variables that it reads; states that read none are left out."""
    return {}
