"""ECS tasks: every call is checked against the API's model, every answer is made up."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.local.asl.integrations.calls import (
    EXECUTION,
    MILLISECONDS,
    STARTED,
    cancel,
    ends_badly,
    failure,
    start,
    to_the_end,
)
from tests.local.asl.integrations.conftest import Stubbed

ECS = "ecs:runTask.sync"
TASK = {"Cluster": "c", "TaskDefinition": "t:1", "LaunchType": "FARGATE"}
TASK_ON_THE_WIRE = {"cluster": "c", "taskDefinition": "t:1", "launchType": "FARGATE"}


def ecs_task(status: str, *exit_codes: int | None) -> dict[str, Any]:
    containers = [
        {"name": f"c{number}", **({} if code is None else {"exitCode": code})}
        for number, code in enumerate(exit_codes)
    ]
    facts = {"taskArn": "arn:task", "clusterArn": "arn:cluster", "lastStatus": status}
    return {**facts, "containers": containers, "createdAt": STARTED}


def ecs(stubbed: Stubbed, *tasks: dict[str, Any]) -> Any:
    started = {"tasks": [ecs_task("PROVISIONING")], "failures": []}
    answers = stubbed.answers("ecs").to("run_task", TASK_ON_THE_WIRE, started)
    for task in tasks:
        asked = {"cluster": "arn:cluster", "tasks": ["arn:task"]}
        answers.to("describe_tasks", asked, {"tasks": [task]})
    return answers


def test_the_result_of_an_ecs_task_is_the_stopped_task(stubbed: Stubbed) -> None:
    answers = ecs(stubbed, ecs_task("RUNNING"), ecs_task("STOPPED", 0, 0))
    result = to_the_end(stubbed.integrations, ECS, TASK)
    assert result == {
        "ClusterArn": "arn:cluster",
        "Containers": [{"ExitCode": 0, "Name": "c0"}, {"ExitCode": 0, "Name": "c1"}],
        "CreatedAt": MILLISECONDS,
        "LastStatus": "STOPPED",
        "TaskArn": "arn:task",
    }
    answers.all_given()


@pytest.mark.parametrize("codes", [(1,), (0, 137), (None,)])
def test_an_ecs_task_whose_container_failed_fails_the_task(
    stubbed: Stubbed, codes: tuple[int | None, ...]
) -> None:
    ecs(stubbed, ecs_task("STOPPED", *codes))
    error = ends_badly(stubbed.integrations, ECS, TASK)
    assert error.error == "States.TaskFailed"
    assert json.loads(error.cause or "")["TaskArn"] == "arn:task"


def test_an_ecs_task_that_found_no_room_has_the_failures_as_cause(stubbed: Stubbed) -> None:
    failures = [{"arn": "arn:instance", "reason": "RESOURCE:MEMORY"}]
    stubbed.answers("ecs").to("run_task", TASK_ON_THE_WIRE, {"tasks": [], "failures": failures})
    error = failure(stubbed.integrations, ECS, TASK)
    assert error.error == "AmazonECS.Unknown"
    told = json.loads(error.cause or "")
    assert told["Failures"] == [{"Arn": "arn:instance", "Reason": "RESOURCE:MEMORY"}]
    assert "SdkHttpMetadata" in told


def test_a_task_that_is_not_waited_for_tells_of_failures_in_its_result(stubbed: Stubbed) -> None:
    failures = [{"arn": "arn:instance", "reason": "RESOURCE:MEMORY"}]
    stubbed.answers("ecs").to("run_task", TASK_ON_THE_WIRE, {"tasks": [], "failures": failures})
    result = start(stubbed.integrations, "ecs:runTask", TASK)
    assert result["Failures"] == [{"Arn": "arn:instance", "Reason": "RESOURCE:MEMORY"}]


def test_an_ecs_error_has_the_prefix_of_the_optimised_integration(stubbed: Stubbed) -> None:
    stubbed.answers("ecs").error("run_task", "InvalidParameterException", "no such subnet")
    assert failure(stubbed.integrations, ECS, TASK).error == "ECS.InvalidParameterException"


def test_an_ecs_task_is_stopped_with_its_task(stubbed: Stubbed) -> None:
    expected = {
        "cluster": "arn:cluster",
        "task": "arn:task",
        "reason": f"Stopped by the execution {EXECUTION}",
    }
    answers = stubbed.answers("ecs").to("stop_task", expected, {})
    started = {"Tasks": [{"TaskArn": "arn:task", "ClusterArn": "arn:cluster"}]}
    cancel(stubbed.integrations, ECS, TASK, started)
    answers.all_given()
