"""Amazon States Language, as this engine runs it: the walk from state to state.

A machine is walked by one Interpreter; so is every iteration of a Map and every branch of a
Parallel state, each with an Interpreter of its own inside the outer one. What the single state
types do is told in `states`, `task`, `parallel`, `inline_map` and `distributed_map`; what happens
when a state fails, in `retry`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from penstock_local.asl import template
from penstock_local.asl.errors import (
    QUERY_EVALUATION_ERROR,
    RUNTIME,
    EvaluationError,
    StateError,
)
from penstock_local.asl.limits import within_limit
from penstock_local.asl.map_state import perform_map
from penstock_local.asl.parallel import perform_parallel
from penstock_local.asl.retry import until_settled
from penstock_local.asl.states import (
    perform_choice,
    perform_fail,
    perform_pass,
    perform_succeed,
    perform_wait,
)
from penstock_local.asl.task import perform_task
from penstock_local.asl.values import compact
from penstock_local.asl.variables import Variables
from penstock_local.asl.visit import MapItem, Step, Visit, context_object

if TYPE_CHECKING:
    from penstock_local.asl.execution import Execution
    from penstock_local.asl.history import Trail
    from penstock_local.asl.progress import Progress
    from penstock_local.asl.services import Services
    from penstock_local.asl.values import Json

_AT_ONCE = {
    "Pass": perform_pass,
    "Choice": perform_choice,
    "Wait": perform_wait,
    "Succeed": perform_succeed,
    "Fail": perform_fail,
}
_IN_ATTEMPTS = {"Task": perform_task, "Map": perform_map, "Parallel": perform_parallel}


class Interpreter:
    """Runs the states of one scope: a whole machine, one Map iteration or one Parallel branch.

    `text` is the JSON text of what the scope's next state gets, or of the scope's output once it
    has run. `visit` is the state the scope is in.
    """

    __slots__ = (
        "definition",
        "execution",
        "item",
        "progress",
        "services",
        "text",
        "trail",
        "variables",
        "visit",
    )

    def __init__(
        self,
        services: Services,
        execution: Execution,
        definition: dict[str, Any],
        trail: Trail,
        progress: Progress,
        variables: Variables | None = None,
        item: MapItem | None = None,
    ) -> None:
        self.services = services
        self.execution = execution
        self.definition = definition
        self.trail = trail
        self.progress = progress
        self.variables = variables or Variables()
        self.item = item
        self.visit: Visit | None = None
        self.text: str | None = None

    def inner(
        self,
        definition: dict[str, Any],
        trail: Trail,
        progress: Progress,
        item: MapItem | None = None,
    ) -> Interpreter:
        """An interpreter for a scope inside this one: it reads this one's variables."""
        return Interpreter(
            self.services,
            self.execution,
            definition,
            trail,
            progress,
            self.variables.inner(),
            item or self.item,
        )

    async def run(self, value: Json, text: str | None = None) -> Json:
        """Walk from `StartAt`, or from where a redrive resumes, to the end; return the output.

        `text` is the input's own JSON text where it must appear unchanged. Raises StateError when
        a state fails and nothing catches it.
        """
        visit = self._first_visit(value)
        self.text = text
        while True:
            self._enter(visit)
            step = await self._perform(visit)
            self._leave(visit, step)
            if step.next is None:
                self.progress.finish(step.output)
                return step.output
            await asyncio.sleep(0)  # a machine that never waits must not hold up the others
            visit = self._visit(step.next, step.output)

    def _first_visit(self, value: Json) -> Visit:
        progress = self.progress
        if progress.state is None:
            return self._visit(self.definition["StartAt"], value)
        self.variables = self.variables.resumed(progress.variables)
        visit = self._visit(progress.state, progress.input)
        visit.again = visit.type in _IN_ATTEMPTS
        return visit

    def _visit(self, name: str, value: Json) -> Visit:
        state = self.definition["States"].get(name)
        if state is None:
            raise StateError(RUNTIME, f"The state '{name}' does not exist.")
        return Visit(name, state, value, self.variables.visible, before=self.trail.last)

    def _enter(self, visit: Visit) -> None:
        self.visit = visit
        if visit.again:
            visit.entered = self.progress.entered
            return
        self.progress.enter(visit.name, visit.input, visit.variables)
        text = self.text if self.text is not None else compact(visit.input)
        details = {"name": visit.name, "input": text}
        visit.entered = self.trail.record(f"{visit.type}StateEntered", details)
        self.progress.entered = visit.entered

    async def _perform(self, visit: Visit) -> Step:
        in_attempts = _IN_ATTEMPTS.get(visit.type)
        if in_attempts is not None:
            return await until_settled(self, visit, in_attempts)
        try:
            return await _AT_ONCE[visit.type](self, visit)
        except EvaluationError as fault:
            raise self.evaluation_failed(visit, fault) from fault

    def _leave(self, visit: Visit, step: Step) -> None:
        self.text = step.text
        details: dict[str, Any] = {"name": visit.name, "output": self.text}
        if step.assigned:
            details["assignedVariables"] = {
                name: compact(value) for name, value in step.assigned.items()
            }
        self.trail.record(f"{visit.type}StateExited", details)

    def expressions(
        self, visit: Visit, item: MapItem | None = None, **bound: Json
    ) -> template.Scope:
        """What the state's expressions see: its variables, and `$states` with what is `bound`."""
        context = context_object(self.execution, visit, item or self.item)
        return template.Scope(visit.variables, {"input": visit.input, "context": context, **bound})

    def conclude(
        self,
        visit: Visit,
        spec: dict[str, Any],
        default: Json,
        where: str = "",
        **bound: Json,
    ) -> Step:
        """The step out of a state, by the Output, Assign and Next of the state or of one rule.

        Output and Assign both see the values from before the state; `where` is the path of `spec`
        inside the state. Raises EvaluationError, and StateError when the output is too large.
        """
        scope = self.expressions(visit, **bound)
        assigned = template.render(spec.get("Assign", {}), scope, f"{where}Assign")
        output = default
        if "Output" in spec:
            output = template.render(spec["Output"], scope, f"{where}Output")
        text = within_limit(output, visit.name)
        if assigned:
            self.variables.assign(assigned)
        return Step(output, text, spec.get("Next"), assigned)

    def evaluation_failed(self, visit: Visit, fault: EvaluationError) -> StateError:
        """Tell the history of an expression that failed and return the error to go on with.

        The event follows the one *before* the state was entered; only that of a Wait state follows
        its own Entered event. So the service does it.
        """
        placed = fault.within(visit.name, visit.entered)
        details = {"error": placed.error, "cause": placed.cause, "state": visit.name}
        if fault.location is not None:
            details["location"] = fault.location
        self.trail.last = visit.entered if visit.type == "Wait" else visit.before
        self.trail.record("EvaluationFailed", details)
        return StateError(QUERY_EVALUATION_ERROR, placed.cause)
