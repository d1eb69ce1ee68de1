"""A caller of TestState, and states for it to test."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.local.asl.api_world import ACCOUNT, REGION
from tests.local.asl.world import LAMBDA, World

from penstock_local.asl.api import ApiError
from penstock_local.asl.test_state import StateTests

INVOKE = {
    "Type": "Task",
    "Resource": LAMBDA,
    "Arguments": {"FunctionName": "f", "Payload": "{% $states.input %}"},
    "End": True,
}
INNER = {"StartAt": "Inner", "States": {"Inner": {"Type": "Pass", "End": True}}}
DISTRIBUTED = {**INNER, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
MAP = {"Type": "Map", "ItemProcessor": DISTRIBUTED, "End": True}
PARALLEL = {"Type": "Parallel", "Branches": [INNER], "End": True}
ERROR = {"errorOutput": {"error": "Bad", "cause": "because"}}


class StateTester:
    """Calls TestState as a client does, with Python values in the place of JSON texts."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tests = StateTests(world.engine, REGION, ACCOUNT)

    def __call__(self, state: Any, value: Any = None, **request: Any) -> dict[str, Any]:
        if "States" not in state:
            state = {"QueryLanguage": "JSONata", **state}
        for field in ("variables", "context"):
            if field in request and not isinstance(request[field], str):
                request[field] = json.dumps(request[field])
        text = json.dumps({} if value is None else value)
        return self.tests.test({"definition": json.dumps(state), "input": text, **request})

    def inspected(self, state: Any, value: Any = None, **request: Any) -> dict[str, Any]:
        """The inspectionData of level DEBUG."""
        answer = self(state, value, inspectionLevel="DEBUG", **request)
        data: dict[str, Any] = answer["inspectionData"]
        return data

    def refused(self, state: Any, value: Any = None, **request: Any) -> tuple[str, str]:
        """Code and message of what must be a refusal."""
        with pytest.raises(ApiError) as refusal:
            self(state, value, **request)
        return refusal.value.code, refusal.value.message

    def invalid(self, state: Any, value: Any = None, **request: Any) -> str:
        """The message of what must be a ValidationException."""
        code, message = self.refused(state, value, **request)
        assert code == "ValidationException"
        return message


def mocked(result: Any, **more: Any) -> dict[str, Any]:
    return {"result": json.dumps(result), **more}


def out(answer: dict[str, Any]) -> Any:
    """The output of a test that must have succeeded."""
    assert answer["status"] == "SUCCEEDED", answer
    return json.loads(answer["output"])
