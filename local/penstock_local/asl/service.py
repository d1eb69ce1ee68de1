"""Step Functions as ministack's clients see it: this engine's actions, and ministack's own.

Executions, task tokens, Map Runs and histories are this engine's. State machines, versions,
aliases, tags and activities stay in ministack's stores.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from botocore.model import OperationNotFoundError
from ministack.core.responses import error_response_json, json_response
from ministack.services import stepfunctions as sf

from penstock_local import pins
from penstock_local.asl import access
from penstock_local.asl.api import Answer, ApiError, Request, require_constraints
from penstock_local.asl.engine import Engine
from penstock_local.asl.execution_history import get_execution_history
from penstock_local.asl.executions import Executions
from penstock_local.asl.integrations import Integrations
from penstock_local.asl.machine_store import MachineStore
from penstock_local.asl.map_runs import MapRuns
from penstock_local.asl.services import CALLS_AT_ONCE
from penstock_local.asl.status_events import StatusEvents
from penstock_local.asl.task_tokens import TaskTokens

if TYPE_CHECKING:
    from penstock_local.asl.services import IntegrationsPort
    from penstock_local.settings import LocalSettings

log = logging.getLogger(__name__)

Response = Any  # status, headers and body, as ministack passes them on
Action = Callable[[Request], Answer]
WaitingAction = Callable[[Request], Awaitable[Answer]]


class StepFunctions:
    """The Step Functions API over one engine."""

    def __init__(self, integrations: IntegrationsPort, wait_scale: float = 1.0) -> None:
        self._status_events = StatusEvents()
        self.engine = Engine(integrations, wait_scale, self._status_events.publish)
        machines = MachineStore()
        self.engine.activities.exists = machines.has_activity
        self.executions = executions = Executions(self.engine, machines)
        tokens = TaskTokens(self.engine, machines)
        map_runs = MapRuns(self.engine)
        self._actions: dict[str, Action] = {
            "StartExecution": executions.start,
            "StopExecution": executions.stop,
            "DescribeExecution": executions.describe,
            "ListExecutions": executions.list,
            "DescribeStateMachineForExecution": executions.describe_state_machine,
            "GetExecutionHistory": lambda request: get_execution_history(self.engine, request),
            "SendTaskSuccess": tokens.succeed,
            "SendTaskFailure": tokens.fail,
            "SendTaskHeartbeat": tokens.beat,
            "ListMapRuns": map_runs.list,
            "DescribeMapRun": map_runs.describe,
            "UpdateMapRun": map_runs.update,
        }
        self._waiting_actions: dict[str, WaitingAction] = {
            "StartSyncExecution": executions.start_sync,
            "RedriveExecution": executions.redrive,
            "GetActivityTask": tokens.take_activity,
        }

    def knows(self, action: str) -> bool:
        """Whether the action is one of this engine's."""
        return action in self._actions or action in self._waiting_actions

    def refusal(self, action: str, body: bytes) -> Response | None:
        """The answer to a request for ministack that breaks a constraint of the API; else None."""
        try:
            require_constraints(action, json.loads(body) if body else {})
        except ApiError as error:
            return error_response_json(error.code, error.message, 400)
        except (OperationNotFoundError, ValueError):
            pass  # ministack has its own words for what is no action and no JSON
        return None

    async def perform(self, action: str, request: Request) -> Response:
        """Perform an action for a client on any event loop."""
        try:
            require_constraints(action, request)
            if action in self._waiting_actions:
                perform = self._waiting_actions[action]
                return json_response(await self.engine.call_async(perform, request))
            return json_response(
                await self.engine.call_async(_at_once, self._actions[action], request)
            )
        except ApiError as error:
            return error_response_json(error.code, error.message, 400)

    def start_execution(self, request: Request) -> Response:
        """StartExecution for ministack's own event sources, which call it as a plain function."""
        try:
            require_constraints("StartExecution", request)
            return json_response(self.engine.call(self.executions.start, request))
        except ApiError as error:
            log.warning("An event could not start %s: %s", request.get("stateMachineArn"), error)
            return error_response_json(error.code, error.message, 400)

    def close(self) -> None:
        """Abort what runs and end the threads."""
        self.engine.close()
        self._status_events.close()


async def _at_once(action: Action, request: Request) -> Answer:
    return action(request)


_installed: StepFunctions | None = None


def install(settings: LocalSettings) -> StepFunctions:
    """Put this engine in the place of ministack's."""
    global _installed
    integrations = Integrations(settings, CALLS_AT_ONCE, CALLS_AT_ONCE)
    service = StepFunctions(integrations, settings.wait_scale)
    others = pins.replace(sf, "handle_request", None)

    async def handle_request(
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query: dict[str, Any],
    ) -> Response:
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if not service.knows(action):
            refused = service.refusal(action, body)
            return refused or await others(method, path, headers, body, query)
        try:
            request = json.loads(body) if body else {}
        except ValueError:
            return error_response_json("SerializationException", "Invalid JSON", 400)
        return await service.perform(action, request)

    sf.handle_request = handle_request
    pins.replace(sf, "_start_execution", service.start_execution)  # EventBridge, Scheduler, Pipes
    reset = pins.replace(sf, "reset", None)

    def reset_all() -> None:
        service.engine.call(service.engine.forget_all)
        reset()

    sf.reset = reset_all
    access.install()
    _installed = service
    return service


def installed() -> StepFunctions:
    """The service of this process."""
    assert _installed is not None, "the engine has not been installed"
    return _installed
