"""Parallel: the same input for every branch, all branches at once, one list of their outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock_local.asl import template
from penstock_local.asl.fan_out import FanOut
from penstock_local.asl.limits import within_limit

if TYPE_CHECKING:
    from penstock_local.asl.interpreter import Interpreter
    from penstock_local.asl.values import Json
    from penstock_local.asl.visit import Visit


async def perform_parallel(scope: Interpreter, visit: Visit) -> Json:
    """Run the branches of one attempt; the result is their outputs in the order of the branches."""
    branches = visit.state["Branches"]
    value = visit.input
    if "Arguments" in visit.state:
        value = template.render(visit.state["Arguments"], scope.expressions(visit), "Arguments")
    scope.trail.record("ParallelStateStarted")
    fan_out = FanOut(scope, visit, "Parallel")
    done = {
        index: progress.output
        for index in range(len(branches))
        if (progress := scope.progress.branch(index)).finished
    }
    last = scope.trail.last

    async def lane(index: int) -> None:
        nonlocal last
        trail = scope.trail.fork()
        done[index] = await fan_out.branch(index, branches[index], value, trail)
        last = trail.last

    await fan_out.gather([lane(index) for index in range(len(branches)) if index not in done])
    scope.trail.last = last
    scope.trail.note("ParallelStateSucceeded")
    outputs = [done[index] for index in range(len(branches))]
    within_limit(outputs, visit.name)
    return outputs
