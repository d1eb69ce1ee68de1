"""One stay of an execution in one state, and the context object that its expressions see."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from penstock_local.asl.execution import Execution
    from penstock_local.asl.values import Json

RETRYABLE = frozenset({"Task", "Map", "Parallel"})
"""State types that can have Retry; only their context object counts retries."""


@dataclass(frozen=True, slots=True)
class MapItem:
    """The item an iteration works on, as `$states.context.Map.Item` shows it.

    `source` says where a Distributed Map took its items from; an inline Map has none.
    """

    index: int
    value: Json
    source: str | None = None

    def as_context(self) -> dict[str, Any]:
        """The value of `$states.context.Map`."""
        item: dict[str, Any] = {"Index": self.index, "Value": self.value}
        if self.source is not None:
            item["Source"] = self.source
        return {"Item": item}


class Step(NamedTuple):
    """What a state hands on: its output, the next state (None at the end) and what it assigned.

    `text` is the output's JSON text.
    """

    output: Json
    text: str
    next: str | None
    assigned: dict[str, Any] | None = None


class Visit:
    """One stay in one state, from its Entered event to its Exited event.

    `before` is the event that led to the state and `entered` the id of its own Entered event:
    the service words and chains evaluation errors by them. `again` is true when a redrive resumes
    a state that was entered in an earlier attempt.
    """

    __slots__ = (
        "again",
        "before",
        "entered",
        "entered_at",
        "input",
        "name",
        "retry_count",
        "state",
        "token",
        "variables",
    )

    def __init__(
        self,
        name: str,
        state: dict[str, Any],
        value: Json,
        variables: dict[str, Any],
        *,
        before: int = 0,
        again: bool = False,
    ) -> None:
        self.name = name
        self.state = state
        self.input = value
        self.variables = variables
        self.before = before
        self.entered = before
        self.entered_at = time.time()
        self.retry_count = 0
        self.token: str | None = None
        self.again = again

    @property
    def type(self) -> str:
        """The state's Type."""
        kind: str = self.state["Type"]
        return kind


def context_object(execution: Execution, visit: Visit, item: MapItem | None) -> dict[str, Any]:
    """`$states.context`: what the execution, the state and the iteration are."""
    machine = execution.machine
    context: dict[str, Any] = {
        "Execution": _execution(execution),
        "StateMachine": {"Id": machine.arn, "Name": machine.name},
        "State": {"Name": visit.name, "EnteredTime": timestamp(visit.entered_at)},
    }
    if visit.type in RETRYABLE:
        context["State"]["RetryCount"] = visit.retry_count
    if visit.token is not None:
        context["Task"] = {"Token": visit.token}
    if item is not None:
        context["Map"] = item.as_context()
    return context


def _execution(execution: Execution) -> dict[str, Any]:
    """`$states.context.Execution`; an express execution knows nothing of redrives."""
    about: dict[str, Any] = {
        "Id": execution.arn,
        "Input": execution.input,
        "StartTime": timestamp(execution.started),
        "Name": execution.name,
        "RoleArn": execution.machine.role_arn,
    }
    if execution.machine.express:
        return dict(sorted(about.items()))
    about["RedriveCount"] = execution.redrive_count
    if execution.redriven is not None:
        about["RedriveTime"] = timestamp(execution.redriven)
    return about


def timestamp(seconds: float) -> str:
    """A moment as the context object writes it: UTC, milliseconds, Z."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
