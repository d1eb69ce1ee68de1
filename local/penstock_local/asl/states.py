"""The states that do their work in one go: Pass, Choice, Wait, Succeed and Fail."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

from penstock_local.asl import template
from penstock_local.asl.errors import NO_CHOICE_MATCHED, StateError

if TYPE_CHECKING:
    from penstock_local.asl.interpreter import Interpreter
    from penstock_local.asl.visit import Step, Visit


async def perform_pass(scope: Interpreter, visit: Visit) -> Step:
    """Pass: hand the input on, or the Output."""
    return scope.conclude(visit, visit.state, visit.input)


async def perform_succeed(scope: Interpreter, visit: Visit) -> Step:
    """Succeed: end the scope with the input, or the Output."""
    return scope.conclude(visit, visit.state, visit.input)


async def perform_choice(scope: Interpreter, visit: Visit) -> Step:
    """Choice: follow the first rule whose Condition is true, else the Default.

    A rule brings its own Output and Assign; those of the state count for the Default only.
    """
    expressions = scope.expressions(visit)
    for index, rule in enumerate(visit.state["Choices"]):
        where = f"Choices/{index}/"
        if template.render_as(rule["Condition"], expressions, f"{where}Condition", "boolean"):
            return scope.conclude(visit, rule, visit.input, where)
    if "Default" not in visit.state:
        raise StateError(
            NO_CHOICE_MATCHED,
            f"An error occurred while executing the state '{visit.name}' (entered at the event id"
            f" #{visit.entered}). Failed to transition out of the state. The state does not point"
            " to a next state.",
        )
    step = scope.conclude(visit, visit.state, visit.input)
    return step._replace(next=visit.state["Default"])


async def perform_wait(scope: Interpreter, visit: Visit) -> Step:
    """Wait: stay for the Seconds, or until the Timestamp."""
    expressions = scope.expressions(visit)
    if "Seconds" in visit.state:
        seconds = template.render_as(visit.state["Seconds"], expressions, "Seconds", "number")
    else:
        until = template.render_as(visit.state["Timestamp"], expressions, "Timestamp", "timestamp")
        seconds = datetime.fromisoformat(until).timestamp() - time.time()
    await scope.services.sleep(seconds)
    return scope.conclude(visit, visit.state, visit.input)


async def perform_fail(scope: Interpreter, visit: Visit) -> Step:
    """Fail: end the scope with Error and Cause; what is absent stays absent."""
    expressions = scope.expressions(visit)
    given = {
        field: template.render_as(visit.state[field], expressions, field, "string")
        for field in ("Error", "Cause")
        if field in visit.state
    }
    raise StateError(given.get("Error"), given.get("Cause"))
