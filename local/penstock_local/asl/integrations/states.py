"""Step Functions itself: a state machine that starts another."""

from __future__ import annotations

import json

from penstock_local.asl.errors import TASK_FAILED, TIMEOUT, StateError
from penstock_local.asl.integrations.call import Call
from penstock_local.asl.integrations.errors import SdkV1Service
from penstock_local.asl.integrations.optimized import Job
from penstock_local.asl.values import Json, compact

# What a finished child is reported with, of all that DescribeExecution says.
_REPORTED = (
    "Cause",
    "Error",
    "ExecutionArn",
    "Input",
    "InputDetails",
    "Name",
    "Output",
    "OutputDetails",
    "RedriveCount",
    "RedriveStatus",
    "RedriveStatusReason",
    "StartDate",
    "StateMachineArn",
    "Status",
    "StopDate",
)


class StepFunctions(Job):
    """`states:startExecution`; `.sync` gives Input and Output as texts, `.sync:2` as values."""

    sdk = SdkV1Service(
        "stepfunctions", "StepFunctions", "AWSStepFunctions", "AWSStepFunctionsException"
    )

    def prepare(self, call: Call) -> Json:
        if not isinstance(call.arguments, dict):
            return call.arguments
        given = call.arguments.get("Input")
        text = given if isinstance(given, str) else compact({} if given is None else given)
        return {**call.arguments, "Input": text}

    async def poll(self, call: Call, started: Json) -> Json | None:
        arguments = {"ExecutionArn": started["ExecutionArn"]}
        found = await self.look(call, "describeExecution", arguments)
        if found is None or found["Status"] in ("RUNNING", "PENDING_REDRIVE"):
            return None
        child = _reported(found, as_values=call.resource.pattern == "sync:2")
        if child["Status"] == "SUCCEEDED":
            return child
        raise StateError(TASK_FAILED, compact(child))

    async def stop(self, call: Call, started: Json) -> None:
        await self.request(call.caller, "stopExecution", {"ExecutionArn": started["ExecutionArn"]})


def _reported(found: dict[str, Json], *, as_values: bool) -> dict[str, Json]:
    child = {name: found[name] for name in _REPORTED if name in found}
    if child["Status"] == "TIMED_OUT":
        child.setdefault("Error", TIMEOUT)
        child = dict(sorted(child.items()))
    if as_values:
        for name in ("Input", "Output"):
            if isinstance(child.get(name), str):
                child[name] = json.loads(child[name])
    return child
