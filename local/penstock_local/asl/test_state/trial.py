"""One attempt of a state under test, and what the caller is told of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from penstock_local.asl import template
from penstock_local.asl.errors import TIMEOUT, EvaluationError, StateError
from penstock_local.asl.limits import within_limit
from penstock_local.asl.states import (
    perform_choice,
    perform_fail,
    perform_pass,
    perform_succeed,
    perform_wait,
)
from penstock_local.asl.task import perform_task
from penstock_local.asl.test_state.error_handling import Handlers
from penstock_local.asl.test_state.map_trial import MapTrial
from penstock_local.asl.values import Json, compact

if TYPE_CHECKING:
    from penstock_local.asl.api import Answer
    from penstock_local.asl.test_state.mock import Mock
    from penstock_local.asl.test_state.probe import Probe
    from penstock_local.asl.test_state.subject import Subject
    from penstock_local.asl.visit import Step, Visit

MOST_SECONDS = 300
"""How long a test may take."""

_AT_ONCE = {
    "Pass": perform_pass,
    "Choice": perform_choice,
    "Wait": perform_wait,
    "Succeed": perform_succeed,
    "Fail": perform_fail,
}
_TASK_NUMBERS = ("TimeoutSeconds", "HeartbeatSeconds")


class Trial:
    """Lets a state do its work once, or its mock in its place."""

    def __init__(
        self,
        probe: Probe,
        visit: Visit,
        subject: Subject,
        mock: Mock | None,
        configuration: dict[str, Any],
    ) -> None:
        self._probe = probe
        self._visit = visit
        self._subject = subject
        self._mock = mock
        self._configuration = configuration
        self._inspection: dict[str, Any] = {"input": compact(visit.input)}
        self._assigned: dict[str, Any] = {}

    async def run(self, *, inspected: bool) -> Answer:
        """The answer of the test; with `inspected` the data on the way, too."""
        try:
            async with asyncio.timeout(MOST_SECONDS):
                answer = self._succeeded(await self._perform())
        except EvaluationError as fault:
            answer = self._failed(self._probe.evaluation_failed(self._visit, fault))
        except StateError as failure:
            answer = self._failed(failure)
        except TimeoutError:
            answer = self._failed(StateError(TIMEOUT))
        if not inspected:
            return answer
        sent = self._probe.sent_arguments()
        if sent is not None and "Arguments" in self._subject.state:
            self._inspection["afterArguments"] = sent
        variables = {**self._visit.variables, **self._assigned}
        if variables:
            self._inspection["variables"] = compact(variables)
        return {**answer, "inspectionData": self._inspection}

    def _succeeded(self, step: Step) -> Answer:
        self._assigned = step.assigned or {}
        answer: Answer = {"status": "SUCCEEDED", "output": step.text}
        return answer if step.next is None else {**answer, "nextState": step.next}

    def _failed(self, error: StateError) -> Answer:
        handlers = Handlers(
            self._probe,
            self._visit,
            self._subject,
            self._configuration.get("retrierRetryCount", 0),
            self._configuration.get("mapIterationFailureCount", 0),
        )
        return handlers.handle(error, self._inspection)

    async def _perform(self) -> Step:
        at_once = _AT_ONCE.get(self._subject.type)
        if at_once is not None:
            return await at_once(self._probe, self._visit)
        result = await self._result()
        return self._probe.conclude(self._visit, self._subject.state, result, result=result)

    async def _result(self) -> Json:
        if self._mock is None:
            result = await perform_task(self._probe, self._visit)
        elif self._subject.type == "Map":
            return self._map_result(self._mock)
        else:
            self._evaluate_fields()
            result = self._mock.answer()
        if self._subject.type == "Task":
            self._inspection["result"] = compact(result)
        return result

    def _map_result(self, mock: Mock) -> Json:
        trial = MapTrial(
            self._probe,
            self._visit,
            self._inspection,
            self._configuration.get("mapItemReaderData"),
        )
        failed = self._configuration.get("mapIterationFailureCount", 0)
        trial.evaluate()
        trial.require_possible(failed)
        result = mock.answer()
        trial.require_tolerated(failed)
        return result

    def _evaluate_fields(self) -> None:
        """Evaluate what a Task or Parallel state evaluates before its work begins."""
        state, scope = self._subject.state, self._probe.expressions(self._visit)
        if "Arguments" in state:
            arguments = template.render(state["Arguments"], scope, "Arguments")
            self._inspection["afterArguments"] = within_limit(arguments, self._visit.name)
        for field in _TASK_NUMBERS:
            if field in state:
                template.render_as(state[field], scope, field, "number")
        if "Credentials" in state:
            role = state["Credentials"]["RoleArn"]
            template.render_as(role, scope, "Credentials/RoleArn", "string")
