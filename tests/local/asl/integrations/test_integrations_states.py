"""Executions that start executions."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from tests.local.asl.integrations.calls import (
    call,
    run,
    start,
    to_the_end,
    without_metadata,
)
from tests.local.asl.integrations.conftest import Platform

from penstock_local.asl.errors import StateError
from penstock_local.asl.integrations import Integrations


@pytest.fixture(scope="module")
def role(platform: Platform) -> str:
    return platform.role("states", "*")


def machine(platform: Platform, name: str, definition: dict[str, Any]) -> str:
    created = platform.client("stepfunctions").create_state_machine(
        name=name,
        definition=json.dumps({"QueryLanguage": "JSONata", **definition}),
        roleArn=platform.role(f"states-{name}"),
    )
    arn: str = created["stateMachineArn"]
    return arn


def test_a_child_execution_is_waited_for(
    platform: Platform, integrations: Integrations, role: str
) -> None:
    passing = machine(
        platform, "passing", {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    )
    arguments = {"StateMachineArn": passing, "Input": {"a": 1}, "Name": "texts"}
    child = to_the_end(integrations, "states:startExecution.sync", arguments, role)
    assert set(child) >= {
        "ExecutionArn",
        "Input",
        "InputDetails",
        "Name",
        "Output",
        "OutputDetails",
        "StartDate",
        "StateMachineArn",
        "Status",
        "StopDate",
    }
    assert list(child) == sorted(child)
    assert (child["Input"], json.loads(child["Output"])) == ('{"a":1}', {"a": 1})
    assert child["InputDetails"] == {"Included": True}
    assert abs(child["StartDate"] / 1000 - time.time()) < 60
    arguments["Name"] = "values"
    child = to_the_end(integrations, "states:startExecution.sync:2", arguments, role)
    assert (child["Input"], child["Output"]) == ({"a": 1}, {"a": 1})


def test_a_child_without_input_gets_an_empty_object(
    platform: Platform, integrations: Integrations, role: str
) -> None:
    arn = machine(
        platform, "empty", {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    )
    for given in ({}, {"Input": None}):
        child = to_the_end(
            integrations,
            "states:startExecution.sync:2",
            {"StateMachineArn": arn, "Name": f"n{len(given)}", **given},
            role,
        )
        assert child["Input"] == {}


def test_starting_a_child_without_waiting_gives_its_arn(
    platform: Platform, integrations: Integrations, role: str
) -> None:
    arn = machine(
        platform, "unwatched", {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    )
    result = start(integrations, "states:startExecution", {"StateMachineArn": arn}, role)
    started = without_metadata(result)
    assert set(started) == {"ExecutionArn", "StartDate"}
    assert isinstance(started["StartDate"], int)


def test_a_failed_child_is_a_failed_task_with_the_child_as_cause(
    platform: Platform, integrations: Integrations, role: str
) -> None:
    failing = machine(
        platform,
        "failing",
        {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Broken", "Cause": "because"}}},
    )
    made = call("states:startExecution.sync:2", {"StateMachineArn": failing, "Input": {}}, role)

    async def both() -> Any:
        return await integrations.finish(made, await integrations.start(made))

    with pytest.raises(StateError) as raised:
        run(both())
    text = raised.value.cause or ""
    cause = json.loads(text)
    assert raised.value.error == "States.TaskFailed"
    assert (cause["Error"], cause["Cause"], cause["Status"]) == ("Broken", "because", "FAILED")
    assert cause["Input"] == {}
    assert list(cause) == sorted(cause)
    assert ": " not in text


def test_a_child_is_stopped_with_its_parent(
    platform: Platform, integrations: Integrations, role: str
) -> None:
    waiting = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 300, "End": True}}}
    arn = machine(platform, "waiting", waiting)
    made = call("states:startExecution.sync:2", {"StateMachineArn": arn}, role)

    async def started_and_cancelled() -> Any:
        started = await integrations.start(made)
        await integrations.cancel(made, started)
        return started

    started = run(started_and_cancelled())
    described = platform.client("stepfunctions").describe_execution(
        executionArn=started["ExecutionArn"]
    )
    assert described["status"] == "ABORTED"
