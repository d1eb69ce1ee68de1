"""The shape of a definition: scopes of states inside states."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

STATE_TYPES = ("Task", "Wait", "Pass", "Succeed", "Fail", "Choice", "Parallel", "Map")
"""In the order in which the service names them."""


class SubWorkflow(NamedTuple):
    """A scope inside a state: a branch of a Parallel, the item processor of a Map.

    `path` is where it stands in the state ("Branches[0]", "ItemProcessor").
    """

    path: str
    definition: Any


def sub_workflows(state: dict[str, Any]) -> Iterator[SubWorkflow]:
    """The scopes inside a state, if it is one that has any."""
    if state.get("Type") == "Parallel" and isinstance(state.get("Branches"), list):
        for index, branch in enumerate(state["Branches"]):
            yield SubWorkflow(f"Branches[{index}]", branch)
    elif state.get("Type") == "Map":
        for name in ("ItemProcessor", "Iterator"):
            if name in state:
                yield SubWorkflow(name, state[name])


class Located(NamedTuple):
    """A state, its name and its location ("/States/Run Jobs/ItemProcessor/States/Settle Job")."""

    location: str
    name: str
    state: Any


def states_of(workflow: Any, location: str = "") -> Iterator[Located]:
    """The states of one scope; none when it has no States."""
    states = workflow.get("States") if isinstance(workflow, dict) else None
    if isinstance(states, dict):
        for name, state in states.items():
            yield Located(f"{location}/States/{name}", name, state)


def all_states(workflow: Any, location: str = "") -> Iterator[Located]:
    """The states of a scope and of all scopes inside it, in the order of the text."""
    for found in states_of(workflow, location):
        yield found
        if isinstance(found.state, dict):
            for inner in sub_workflows(found.state):
                yield from all_states(inner.definition, f"{found.location}/{inner.path}")


def is_distributed(state: dict[str, Any]) -> bool:
    """Whether a Map state runs its items as executions of their own."""
    return _processor_config(state).get("Mode") == "DISTRIBUTED"


def child_type(state: dict[str, Any], machine_type: str) -> str:
    """The type of the workflow inside a Map or Parallel state: STANDARD or EXPRESS."""
    if not is_distributed(state):
        return machine_type
    return str(_processor_config(state).get("ExecutionType", machine_type))


def _processor_config(state: dict[str, Any]) -> dict[str, Any]:
    processor = state.get("ItemProcessor", state.get("Iterator"))
    config = processor.get("ProcessorConfig") if isinstance(processor, dict) else None
    return config if isinstance(config, dict) else {}
