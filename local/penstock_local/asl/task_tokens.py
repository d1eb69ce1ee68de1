"""The actions by which work outside reports back: SendTask*, GetActivityTask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock_local.asl.api import Answer, ApiError, Request
from penstock_local.asl.callbacks import Waiter, is_token
from penstock_local.asl.errors import StateError
from penstock_local.asl.execution_input import read_json

if TYPE_CHECKING:
    from penstock_local.asl.engine import Engine
    from penstock_local.asl.machine_store import MachineStore

ACTIVITY_PATIENCE_SECONDS = 60.0
"""How long GetActivityTask waits for work."""


class TaskTokens:
    """The actions, each a method that takes the request and returns the answer."""

    def __init__(self, engine: Engine, machines: MachineStore) -> None:
        self._engine = engine
        self._machines = machines

    def succeed(self, request: Request) -> Answer:
        """SendTaskSuccess: the output becomes the result of the task."""
        waiter = self._waiter(request)
        try:
            value = read_json(request["output"])
        except ValueError as error:
            raise ApiError("InvalidOutput", f"Invalid Output: '{error}'") from None
        waiter.succeed(value)
        return {}

    def fail(self, request: Request) -> Answer:
        """SendTaskFailure: the task fails with what is given of error and cause."""
        self._waiter(request).fail(StateError(request.get("error"), request.get("cause")))
        return {}

    def beat(self, request: Request) -> Answer:
        """SendTaskHeartbeat: the work is alive."""
        self._waiter(request).beat()
        return {}

    async def take_activity(self, request: Request) -> Answer:
        """GetActivityTask: the next work of an activity; an empty answer when none comes."""
        arn = request["activityArn"]
        if not self._machines.has_activity(arn):
            raise ApiError("ActivityDoesNotExist", f"Activity Does Not Exist: '{arn}'")
        worker = request.get("workerName", "")
        task = await self._engine.activities.take(arn, worker, ACTIVITY_PATIENCE_SECONDS)
        return {} if task is None else {"taskToken": task.token, "input": task.input_text}

    def _waiter(self, request: Request) -> Waiter:
        token = request["taskToken"]
        waiter = self._engine.callbacks.find(token)
        if waiter is not None:
            return waiter
        if is_token(token):
            raise ApiError("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
        raise ApiError("InvalidToken", "Invalid Token: 'Invalid token'")
