"""Whether every transition leads somewhere, every state can be reached and there is an end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from penstock_local.asl.definition import (
    STATE_TYPES,
    Located,
    all_states,
    states_of,
    sub_workflows,
)
from penstock_local.asl.validation.findings import Findings

_NO_TARGET = "MISSING_TRANSITION_TARGET"


class _Transition(NamedTuple):
    target: str
    location: str


def check_graph(workflow: dict[str, Any], findings: Findings) -> None:
    """Check the transitions of the whole definition.

    Only a whole machine needs an end; one without is not searched for states out of reach.
    """
    has_end = any(_may_end(found.state) for found in states_of(workflow))
    _check_scope(workflow, "", findings, search=has_end)
    if not has_end:
        findings.error("MISSING_END_STATE", "Workflow has no terminal state", None)


def _check_scope(workflow: Any, location: str, findings: Findings, *, search: bool) -> None:
    states = {found.name: found for found in states_of(workflow, location)}
    if not states:
        return
    start = workflow.get("StartAt")
    if isinstance(start, str):
        _check_target(_Transition(start, f"{location}/StartAt"), states, findings)
    for found in states.values():
        for transition in _transitions(found):
            _check_target(transition, states, findings)
        for inner in sub_workflows(found.state) if isinstance(found.state, dict) else ():
            where = f"{found.location}/{inner.path}"
            _check_scope(inner.definition, where, findings, search=True)
    if search and isinstance(start, str):
        _check_reach(start, states, findings)


def _check_target(transition: _Transition, states: dict[str, Located], findings: Findings) -> None:
    if transition.target not in states:
        message = f"Missing 'Next' target: {transition.target}"
        findings.error(_NO_TARGET, message, transition.location)


def _check_reach(start: str, states: dict[str, Located], findings: Findings) -> None:
    reached: set[str] = set()
    pending = [start]
    while pending:
        name = pending.pop()
        if name in states and name not in reached:
            reached.add(name)
            pending += [transition.target for transition in _transitions(states[name])]
    for name, found in states.items():
        if name not in reached:
            findings.error(_NO_TARGET, f'State "{name}" is not reachable.', found.location)


def _may_end(state: Any) -> bool:
    """Whether the state is an end, or so malformed that it may have been meant as one."""
    if not isinstance(state, dict) or state.get("Type") not in STATE_TYPES:
        return True
    return state["Type"] in ("Succeed", "Fail") or state.get("End") is True


def _transitions(found: Located) -> Iterator[_Transition]:
    if not isinstance(found.state, dict):
        return
    for field in ("Next", "Default"):
        if isinstance(found.state.get(field), str):
            yield _Transition(found.state[field], f"{found.location}/{field}")
    for field in ("Choices", "Catch"):
        entries = found.state.get(field)
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(entry, dict) and isinstance(entry.get("Next"), str):
                yield _Transition(entry["Next"], f"{found.location}/{field}[{index}]/Next")


def check_unique_names(workflow: dict[str, Any], findings: Findings) -> None:
    """Refuse names of states, and labels, that occur twice in the whole definition."""
    names: set[str] = set()
    labels: set[str] = set()
    for found in all_states(workflow):
        if found.name in names:
            message = f"Duplicate State name: {found.name}"
            findings.error("DUPLICATE_STATE_NAME", message, found.location)
        names.add(found.name)
        label = found.state.get("Label") if isinstance(found.state, dict) else None
        if isinstance(label, str):
            if label in labels:
                message = f"Duplicate Label name: {label}"
                findings.error("DUPLICATE_LABEL_NAME", message, f"{found.location}/Label")
            labels.add(label)
