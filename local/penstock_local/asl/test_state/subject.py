"""The state that a test is about: a definition of its own, or one of a whole state machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from penstock_local.asl.api import ApiError
from penstock_local.asl.definition import states_of, sub_workflows
from penstock_local.asl.validation import Diagnostic, InvalidDefinitionError, parse
from penstock_local.asl.validation.findings import SCHEMA
from penstock_local.asl.validation.machine import diagnose, read

NAME = "StateName"
"""What the service calls a state that is given without its machine."""

_NO_JSONATA = (
    "Penstock Local runs states whose QueryLanguage is 'JSONata', and this one's is 'JSONPath'"
)


@dataclass(frozen=True, slots=True)
class Subject:
    """A state, its name, and the Map and Parallel states around it, the outermost first."""

    name: str
    state: dict[str, Any]
    around: tuple[dict[str, Any], ...] = ()

    @property
    def type(self) -> str:
        """The state's Type."""
        kind: str = self.state["Type"]
        return kind

    def holds(self, name: str) -> bool:
        """Whether a state of that name is somewhere inside this one."""
        return _inside(self.state, name, ()) is not None


def find_subject(definition: str, name: str | None) -> Subject:
    """The state to test: that of the name in a machine, or else the definition itself.

    Raises ApiError: InvalidDefinition for what is no state or machine, ValidationException for a
    name that the machine does not have.
    """
    try:
        if name is None:
            return Subject(NAME, _single_state(definition))
        machine = parse(definition)
    except InvalidDefinitionError as error:
        raise ApiError("InvalidDefinition", str(error)) from None
    found = _find(machine, name, ())
    if found is None:
        raise ApiError("ValidationException", "State not found in definition")
    return found


def _single_state(definition: str) -> dict[str, Any]:
    """The state that the definition is, checked as the only one of a machine."""
    state = read(definition)
    if isinstance(state, Diagnostic):
        raise InvalidDefinitionError([state])
    if isinstance(state, dict) and state.get("QueryLanguage", "JSONPath") == "JSONPath":
        location = f"/States/{NAME}/QueryLanguage"
        raise InvalidDefinitionError([Diagnostic("ERROR", SCHEMA, _NO_JSONATA, location)])
    machine = {
        "QueryLanguage": "JSONata",
        "StartAt": NAME,
        "States": {**{target: {"Type": "Succeed"} for target in _targets(state)}, NAME: state},
    }
    errors = [found for found in diagnose(machine) if found.severity == "ERROR"]
    if errors:
        raise InvalidDefinitionError(errors)
    assert isinstance(state, dict)
    return state


def _targets(state: Any) -> set[str]:
    """Where the state, its rules and its catchers lead."""
    if not isinstance(state, dict):
        return set()
    places = [state]
    for field in ("Choices", "Catch"):
        rules = state.get(field)
        if isinstance(rules, list):
            places += [rule for rule in rules if isinstance(rule, dict)]
    named = [place.get(field) for place in places for field in ("Next", "Default")]
    return {target for target in named if isinstance(target, str) and target}


def _find(workflow: Any, name: str, around: tuple[dict[str, Any], ...]) -> Subject | None:
    for found in states_of(workflow):
        if found.name == name:
            return Subject(name, found.state, around)
        inner = _inside(found.state, name, around)
        if inner is not None:
            return inner
    return None


def _inside(state: dict[str, Any], name: str, around: tuple[dict[str, Any], ...]) -> Subject | None:
    for inner in sub_workflows(state):
        found = _find(inner.definition, name, (*around, state))
        if found is not None:
            return found
    return None
