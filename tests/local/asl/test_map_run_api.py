"""ListMapRuns, DescribeMapRun, UpdateMapRun, and the executions of a Map Run."""

from __future__ import annotations

from typing import Any

import pytest
from tests.local.asl.api_world import STATES, Api, RefusedError
from tests.local.asl.world import CALLBACK, one, until

TASK = one({"Type": "Task", "Resource": CALLBACK})


def distributed(processor: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return one(
        {
            "Type": "Map",
            "Items": [1, 2, 3],
            "Label": "jobs",
            "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, **processor},
            **fields,
        }
    )


@pytest.fixture
def parent(sfn: Api) -> str:
    """An execution whose Map Run has one child at work and two that wait."""
    arn = sfn.start(sfn.create(distributed(TASK, MaxConcurrency=1)))
    until(lambda: len(sfn.services.calls) == 1)
    return arn


def map_run(sfn: Api, parent: str) -> str:
    [run] = sfn("ListMapRuns", executionArn=parent)["mapRuns"]
    arn: str = run["mapRunArn"]
    return arn


def test_the_map_runs_of_an_execution(sfn: Api, parent: str) -> None:
    [run] = sfn("ListMapRuns", executionArn=parent)["mapRuns"]
    assert run["executionArn"] == parent
    assert run["stateMachineArn"] == f"{STATES}:stateMachine:machine/jobs"
    assert run["mapRunArn"].startswith(f"{STATES}:mapRun:machine/jobs:")
    assert "stopDate" not in run


def test_a_map_run_under_way(sfn: Api, parent: str) -> None:
    shown = sfn("DescribeMapRun", mapRunArn=map_run(sfn, parent))
    assert shown["status"] == "RUNNING"
    assert shown["maxConcurrency"] == 1
    counts = shown["executionCounts"]
    assert (counts["pending"], counts["running"], counts["total"]) == (2, 1, 3)


def test_its_children_are_listed(sfn: Api, parent: str) -> None:
    run = map_run(sfn, parent)
    [child] = sfn("ListExecutions", mapRunArn=run)["executions"]
    assert child["mapRunArn"] == run
    assert child["itemCount"] == 1
    assert child["stateMachineArn"] == f"{STATES}:stateMachine:machine/jobs"
    shown = sfn("DescribeExecution", executionArn=child["executionArn"])
    assert shown["mapRunArn"] == run
    machine = sfn("DescribeStateMachineForExecution", executionArn=child["executionArn"])
    assert machine["label"] == "jobs"
    assert machine["mapRunArn"] == run
    assert CALLBACK in machine["definition"]


def test_children_are_no_executions_of_the_parents_machine(sfn: Api, parent: str) -> None:
    machine = f"{STATES}:stateMachine:machine"
    [listed] = sfn("ListExecutions", stateMachineArn=machine)["executions"]
    assert listed["executionArn"] == parent


def test_more_children_at_once(sfn: Api, parent: str) -> None:
    run = map_run(sfn, parent)
    assert sfn("UpdateMapRun", mapRunArn=run, maxConcurrency=3) == {}
    until(lambda: len(sfn.engine.callbacks) == 3)
    assert sfn("DescribeMapRun", mapRunArn=run)["maxConcurrency"] == 3


def test_more_failures_tolerated(sfn: Api, parent: str) -> None:
    run = map_run(sfn, parent)
    sfn("UpdateMapRun", mapRunArn=run, toleratedFailureCount=3, maxConcurrency=3)
    until(lambda: len(sfn.services.calls) == 3)
    for call in list(sfn.services.calls):
        sfn("SendTaskFailure", taskToken=call.token, error="Bad")
    assert sfn.ended(parent)["status"] == "SUCCEEDED"


def test_less_tolerated_than_has_failed_ends_the_run(sfn: Api) -> None:
    state = distributed(TASK, ToleratedFailurePercentage=100)
    parent = sfn.start(sfn.create(state))
    until(lambda: len(sfn.services.calls) == 3)
    sfn("SendTaskFailure", taskToken=sfn.services.calls[0].token, error="Bad")
    run = map_run(sfn, parent)
    until(lambda: sfn("DescribeMapRun", mapRunArn=run)["itemCounts"]["failed"] == 1)
    sfn("UpdateMapRun", mapRunArn=run, toleratedFailurePercentage=10)
    assert sfn.ended(parent)["error"] == "States.ExceedToleratedFailureThreshold"


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({}, "ValidationException"),
        ({"maxConcurrency": -1}, "ValidationException"),
        ({"toleratedFailurePercentage": 101}, "ValidationException"),
        ({"toleratedFailureCount": -1}, "ValidationException"),
    ],
    ids=str,
)
def test_updates_that_make_no_sense(
    sfn: Api, parent: str, request_: dict[str, Any], code: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        sfn("UpdateMapRun", mapRunArn=map_run(sfn, parent), **request_)
    assert refused.value.code == code


def test_a_map_run_that_does_not_exist(sfn: Api) -> None:
    arn = f"{STATES}:mapRun:machine/jobs:none"
    with pytest.raises(RefusedError) as refused:
        sfn("DescribeMapRun", mapRunArn=arn)
    assert refused.value.code == "ResourceNotFound"
    assert refused.value.message == f"Map Run Does Not Exist: '{arn}'"


def test_a_child_is_redriven_by_its_map_run_only(sfn: Api) -> None:
    failing = distributed(one({"Type": "Fail", "Error": "Bad"}))
    parent = sfn.start(sfn.create(failing))
    sfn.ended(parent)
    children = sfn("ListExecutions", mapRunArn=map_run(sfn, parent))["executions"]
    failed = next(child for child in children if child["status"] == "FAILED")["executionArn"]
    shown = sfn("DescribeExecution", executionArn=failed)
    assert shown["redriveStatus"] == "REDRIVABLE_BY_MAP_RUN"
    with pytest.raises(RefusedError) as refused:
        sfn("RedriveExecution", executionArn=failed)
    assert refused.value.code == "ExecutionNotRedrivable"


def test_stopping_the_parent_aborts_the_run(sfn: Api, parent: str) -> None:
    run = map_run(sfn, parent)
    sfn("StopExecution", executionArn=parent)
    sfn.ended(parent)
    shown = sfn("DescribeMapRun", mapRunArn=run)
    assert shown["status"] == "ABORTED"
    assert shown["executionCounts"]["aborted"] == 1
    assert "stopDate" in shown
