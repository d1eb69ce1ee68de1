"""An interpreter that goes no further than one state."""

from __future__ import annotations

from typing import Any

from penstock_local.asl import template
from penstock_local.asl.execution import Execution
from penstock_local.asl.history import Trail
from penstock_local.asl.interpreter import Interpreter
from penstock_local.asl.progress import Progress
from penstock_local.asl.services import Services
from penstock_local.asl.values import Json
from penstock_local.asl.variables import Variables
from penstock_local.asl.visit import MapItem, Visit

_ARGUMENTS = {"TaskScheduled": "parameters", "LambdaFunctionScheduled": "input"}


class Probe(Interpreter):
    """Lets a state do its work without walking on; its expressions see the given context."""

    __slots__ = ("context",)

    def __init__(
        self,
        services: Services,
        execution: Execution,
        variables: dict[str, Any],
        context: dict[str, Any],
    ) -> None:
        super().__init__(
            services, execution, {}, Trail(execution.history), Progress(), Variables(variables)
        )
        self.context = context

    def expressions(
        self, visit: Visit, item: MapItem | None = None, **bound: Json
    ) -> template.Scope:
        """What the state's expressions see."""
        context = self.context if item is None else {**self.context, "Map": item.as_context()}
        return template.Scope(visit.variables, {"input": visit.input, "context": context, **bound})

    def sent_arguments(self) -> str | None:
        """The JSON text of the arguments that a task was started with, if it came to that."""
        for event in self.execution.history.events:
            if event.type in _ARGUMENTS and event.details is not None:
                arguments: str = event.details[_ARGUMENTS[event.type]]
                return arguments
        return None
