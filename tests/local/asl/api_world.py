"""The Step Functions API over programmed services, with state machines in ministack's stores."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import stepfunctions as sf
from tests.local.asl.world import ROLE, Services, until

from penstock_local.asl.execution import Execution, Status
from penstock_local.asl.service import StepFunctions

ACCOUNT, REGION = "123456789012", "eu-central-1"
STATES = f"arn:aws:states:{REGION}:{ACCOUNT}"


class RefusedError(Exception):
    """What the API answered instead of a result."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Api:
    """Calls actions as a client does, on an event loop that is not the engine's."""

    def __init__(self) -> None:
        self.services = Services()
        self.service = StepFunctions(self.services, wait_scale=0)
        self.engine = self.service.engine

    def __call__(self, action: str, **request: Any) -> dict[str, Any]:
        status, _, body = asyncio.run(self.service.perform(action, request))
        answer: dict[str, Any] = json.loads(body)
        if status != 200:
            raise RefusedError(answer["__type"], answer["message"])
        return answer

    def create(
        self, definition: dict[str, Any], name: str = "machine", kind: str = "STANDARD"
    ) -> str:
        """Put a state machine where CreateStateMachine puts it; return its ARN."""
        arn = f"{STATES}:stateMachine:{name}"
        text = json.dumps({"QueryLanguage": "JSONata", **definition})
        with request_scope(ACCOUNT, REGION):
            sf._state_machines[arn] = {
                "stateMachineArn": arn,
                "name": name,
                "definition": text,
                "roleArn": ROLE,
                "type": kind,
                "creationDate": "2026-11-21T05:00:00.000Z",
            }
        return arn

    def publish(self, arn: str, number: int, alias: str | None = None) -> str:
        """Publish a version, or an alias of it; return its ARN."""
        version = f"{arn}:{number}"
        with request_scope(ACCOUNT, REGION):
            record = sf._state_machines[arn]
            sf._state_machine_versions[version] = {**record, "stateMachineVersionArn": version}
            if alias is None:
                return version
            routes = [{"stateMachineVersionArn": version, "weight": 100}]
            sf._state_machine_aliases[f"{arn}:{alias}"] = {"routingConfiguration": routes}
        return f"{arn}:{alias}"

    def start(self, arn: str, **request: Any) -> str:
        """Start an execution; return its ARN."""
        answer: str = self("StartExecution", stateMachineArn=arn, **request)["executionArn"]
        return answer

    def execution(self, arn: str) -> Execution:
        return self.engine.executions[arn]

    def ended(self, arn: str) -> dict[str, Any]:
        """DescribeExecution, once nothing of the execution runs any more."""
        execution = self.execution(arn)
        until(lambda: execution.status is not Status.RUNNING)
        until(lambda: execution.task is None or execution.task.done())
        return self("DescribeExecution", executionArn=arn)


@contextmanager
def api() -> Iterator[Api]:
    """An API that is gone when the test is over, and its state machines with it."""
    made = Api()
    try:
        yield made
    finally:
        made.service.close()
        for store in (sf._state_machines, sf._state_machine_versions, sf._state_machine_aliases):
            store._data.clear()
