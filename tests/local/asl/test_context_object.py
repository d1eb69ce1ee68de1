"""What `$states.context` says."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.local.asl.world import CALLBACK, GLUE, LAMBDA, ROLE, World, one, output, types, until

CONTEXT = "{% $states.context %}"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def test_execution_state_and_machine(asl: World) -> None:
    run = asl.run(one({"Type": "Pass", "Output": CONTEXT}, "Show"), {"a": 1})
    context = output(run)
    execution = context["Execution"]
    assert list(execution) == ["Id", "Input", "StartTime", "Name", "RoleArn", "RedriveCount"]
    assert MOMENT.fullmatch(execution.pop("StartTime"))
    assert execution == {
        "Id": run.arn,
        "Input": {"a": 1},
        "Name": run.name,
        "RoleArn": ROLE,
        "RedriveCount": 0,
    }
    assert context["StateMachine"] == {"Id": run.machine.arn, "Name": "machine"}
    assert MOMENT.fullmatch(context["State"].pop("EnteredTime"))
    assert context["State"] == {"Name": "Show"}
    assert "Task" not in context
    assert "Map" not in context


def test_an_express_execution_knows_nothing_of_redrives(asl: World) -> None:
    run = asl.run(one({"Type": "Pass", "Output": CONTEXT}), kind="EXPRESS")
    assert list(output(run)["Execution"]) == ["Id", "Input", "Name", "RoleArn", "StartTime"]


@pytest.mark.parametrize("kind", ["Map", "Parallel"])
def test_only_states_that_can_be_retried_count_retries(asl: World, kind: str) -> None:
    inner = one({"Type": "Pass", "Output": "{% 'RetryCount' in $keys($states.context.State) %}"})
    fields: dict[str, dict[str, Any]] = {
        "Map": {"Items": [1], "ItemProcessor": inner},
        "Parallel": {"Branches": [inner]},
    }
    shown = {"own": "{% $states.context.State.RetryCount %}", "inner": "{% $states.result %}"}
    state = {"Type": kind, **fields[kind], "Output": shown}
    assert output(asl.run(one(state))) == {"own": 0, "inner": [False]}


def test_an_iteration_knows_its_item(asl: World) -> None:
    state = {
        "Type": "Map",
        "Items": ["a", "b"],
        "ItemProcessor": one({"Type": "Pass", "Output": "{% $states.context.Map.Item %}"}),
    }
    assert output(asl.run(one(state))) == [
        {"Index": 0, "Value": "a"},
        {"Index": 1, "Value": "b"},
    ]


def test_an_item_selector_knows_the_item_and_the_state(asl: World) -> None:
    state = {
        "Type": "Map",
        "Items": "{% $states.input.list %}",
        "ItemSelector": {
            "item": "{% $states.context.Map.Item.Value %}",
            "number": "{% $states.context.Map.Item.Index %}",
            "all": "{% $count($states.input.list) %}",
        },
        "ItemProcessor": one({"Type": "Pass"}),
    }
    assert output(asl.run(one(state), {"list": ["a", "b"]})) == [
        {"item": "a", "number": 0, "all": 2},
        {"item": "b", "number": 1, "all": 2},
    ]


def test_a_retry_is_counted(asl: World) -> None:
    asl.services.ends[GLUE] = lambda call: call.arguments
    state = {
        "Type": "Task",
        "Resource": LAMBDA,
        "Arguments": "{% $states.context.State.RetryCount %}",
        "Output": "{% $states.result > 1 ? $states.result : $nothing %}",
        "Retry": [{"ErrorEquals": ["States.QueryEvaluationError"]}],
    }
    assert output(asl.run(one(state))) == 2


def test_a_callback_task_has_a_token(asl: World) -> None:
    state = {
        "Type": "Task",
        "Resource": CALLBACK,
        "Arguments": {"token": "{% $states.context.Task.Token %}"},
    }
    run = asl.begin(one(state))
    until(lambda: "TaskSubmitted" in types(run))
    [call] = asl.services.calls
    assert call.arguments == {"token": call.token}
    asl.stop(run)


def test_a_sync_task_has_a_token_too(asl: World) -> None:
    state = {
        "Type": "Task",
        "Resource": GLUE,
        "Arguments": {"token": "{% $states.context.Task.Token %}"},
    }
    assert len(output(asl.run(one(state)))["token"]) > 40


def test_a_plain_task_has_no_token(asl: World) -> None:
    state = {
        "Type": "Task",
        "Resource": LAMBDA,
        "Arguments": {"token": "{% $exists($states.context.Task) %}"},
    }
    assert output(asl.run(one(state))) == {"token": False}


def test_a_child_of_a_distributed_map_is_an_execution_of_its_own(asl: World) -> None:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED"},
        **one({"Type": "Pass", "Output": CONTEXT}),
    }
    state = {"Type": "Map", "Items": [{"n": 1}], "Label": "jobs", "ItemProcessor": processor}
    run = asl.run(one(state))
    [context] = output(run)
    assert context["StateMachine"] == {"Id": f"{run.machine.arn}/jobs", "Name": "machine/jobs"}
    assert context["Execution"]["Input"] == {"n": 1}
    assert context["Execution"]["Id"].startswith(
        "arn:aws:states:eu-central-1:123456789012:execution:machine/jobs:"
    )
    assert context["Execution"]["Id"] != run.arn
