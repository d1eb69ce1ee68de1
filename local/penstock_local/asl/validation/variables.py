"""The variables that a definition assigns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from penstock_local.asl.definition import is_distributed, states_of, sub_workflows
from penstock_local.asl.validation.findings import Findings

LONGEST_NAME = 80

_RESERVED = "states"


class _Assignment(NamedTuple):
    name: str
    location: str


def check_assignments(workflow: Any, findings: Findings) -> None:
    """Check the names of variables, and that no inner scope assigns one of an outer scope."""
    _check_scope(workflow, "", frozenset(), findings)


def _check_scope(workflow: Any, location: str, outer: frozenset[str], findings: Findings) -> None:
    states = [found for found in states_of(workflow, location) if isinstance(found.state, dict)]
    here: set[str] = set()
    for found in states:
        for assignment in _assignments(found.state, found.location):
            _check_name(assignment, outer, findings)
            here.add(assignment.name)
    for found in states:
        # An item of a Distributed Map is an execution of its own, without the outer variables.
        visible = frozenset() if is_distributed(found.state) else outer | here
        for inner in sub_workflows(found.state):
            _check_scope(inner.definition, f"{found.location}/{inner.path}", visible, findings)


def _assignments(state: dict[str, Any], location: str) -> Iterator[_Assignment]:
    yield from _names(state.get("Assign"), f"{location}/Assign")
    for field in ("Choices", "Catch"):
        entries = state.get(field)
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(entry, dict):
                yield from _names(entry.get("Assign"), f"{location}/{field}[{index}]/Assign")


def _names(assign: Any, location: str) -> Iterator[_Assignment]:
    for name in assign if isinstance(assign, dict) else ():
        yield _Assignment(name, f"{location}/{name}")


def _check_name(assignment: _Assignment, outer: frozenset[str], findings: Findings) -> None:
    name, location = assignment
    if name == _RESERVED:
        message = "Cannot assign to reserved variable '$states'."
        findings.error("RESERVED_VARIABLE_NAME", message, location)
    elif not name.isidentifier() or name.startswith("_"):
        message = f"Invalid variable name '{name}': the variable name contains invalid characters."
        findings.error("INVALID_VARIABLE_NAME", message, location)
    elif len(name) > LONGEST_NAME:
        message = (
            f"Invalid variable name '{name}': the variable name exceeds the {LONGEST_NAME}"
            "-character limit."
        )
        findings.error("INVALID_VARIABLE_NAME", message, location)
    elif name in outer:
        message = f"The variable name '{name}' was already defined in a parent scope."
        findings.error("DUPLICATE_VARIABLE_NAME", message, location)
