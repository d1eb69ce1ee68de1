"""The action TestState."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from ministack.core.responses import (
    error_response_json,
    get_account_id,
    get_region,
    json_response,
)
from ministack.services import stepfunctions as sf

from penstock_local import pins
from penstock_local.asl import service
from penstock_local.asl.api import Answer, ApiError, Request, require_constraints
from penstock_local.asl.engine import Engine
from penstock_local.asl.execution import Execution, Machine
from penstock_local.asl.execution_input import read_input, read_json
from penstock_local.asl.test_state.context_object import given_context, made_up_context
from penstock_local.asl.test_state.mock import Mock, read_mock
from penstock_local.asl.test_state.probe import Probe
from penstock_local.asl.test_state.subject import Subject, find_subject
from penstock_local.asl.test_state.trial import Trial
from penstock_local.asl.visit import Visit
from penstock_local.settings import LocalSettings

Response = tuple[int, dict[str, str], bytes]


def install(_: LocalSettings) -> None:
    """Put this action in the place of ministack's."""
    pins.replace(sf, "_test_state", _test_state)


def _test_state(request: Request) -> Response:
    """TestState as ministack calls an action: on a thread of its own."""
    tests = StateTests(service.installed().engine, get_region(), get_account_id())
    try:
        response: Response = json_response(tests.test(request))
    except ApiError as error:
        response = error_response_json(error.code, error.message, 400)
    return response


class StateTests:
    """Tests single states in one region of one account, over the services of an engine."""

    def __init__(self, engine: Engine, region: str, account: str) -> None:
        self._engine = engine
        self._region = region
        self._account = account

    def test(self, request: Request) -> Answer:
        """TestState. Not to be called on an event loop: a real state takes its time."""
        require_constraints("TestState", request)
        subject = find_subject(request["definition"], request.get("stateName"))
        mock = read_mock(request, subject)
        configuration = _configuration(request, subject)
        text = request.get("input", "{}")
        execution = self._execution(text, request.get("roleArn"))
        variables = _variables(request)
        visit = Visit(subject.name, subject.state, execution.input, variables)
        context = _context(request, subject, mock)
        if context is None:
            context = made_up_context(execution, visit, subject, request.get("roleArn"))
        probe = Probe(self._engine.services, execution, variables, context)
        trial = Trial(probe, visit, subject, mock, configuration)
        inspected = request.get("inspectionLevel", "INFO") != "INFO"

        async def run() -> Answer:
            return await trial.run(inspected=inspected)

        if mock is not None:  # calls nobody, and need not hold up the engine's executions
            return asyncio.run(run())
        return asyncio.run(self._engine.call_async(run))

    def _execution(self, text: str, role_arn: str | None) -> Execution:
        name = str(uuid.uuid4())
        place = f"arn:aws:states:{self._region}:{self._account}"
        machine = Machine(
            arn=f"{place}:stateMachine:{name}",
            name=name,
            definition={},
            role_arn=role_arn or "",
            type="EXPRESS",
        )
        run = str(uuid.uuid4())
        return Execution(f"{place}:express:{name}:{run}", run, machine, text, read_input(text))


def _variables(request: Request) -> dict[str, Any]:
    try:
        variables = read_json(request.get("variables", "{}"))
    except ValueError as error:
        raise ApiError("ValidationException", f"Invalid variables provided: {error}") from None
    if not isinstance(variables, dict):
        raise ApiError(
            "ValidationException", "Invalid variables provided: they must be a JSON object"
        )
    return variables


def _context(request: Request, subject: Subject, mock: Mock | None) -> dict[str, Any] | None:
    if request.get("context") is None:
        return None
    if mock is None:
        raise ApiError(
            "ValidationException", "A Context object may only be specified together with a mock"
        )
    return given_context(request["context"], subject)


def _configuration(request: Request, subject: Subject) -> dict[str, Any]:
    """The stateConfiguration, every part of which must have something to act on."""
    configuration: dict[str, Any] = request.get("stateConfiguration") or {}
    origin = configuration.get("errorCausedByState")
    if origin is not None and not subject.holds(origin):
        raise ApiError(
            "ValidationException",
            f"The state '{origin}' of errorCausedByState is not part of the Map or Parallel state"
            " under test",
        )
    is_map = subject.type == "Map"
    in_map = any(state["Type"] == "Map" for state in subject.around)
    for field, fits in (
        ("mapIterationFailureCount", is_map or in_map),
        ("mapItemReaderData", is_map and "ItemReader" in subject.state),
    ):
        if field in configuration and not fits:
            raise ApiError(
                "ValidationException",
                f"The field '{field}' of stateConfiguration does not apply to the state under test",
            )
    return configuration
