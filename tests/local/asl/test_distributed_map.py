"""Distributed Maps: children, limits, readers, batches, writers, and what a stop reaches."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import pytest
from tests.local.asl.world import (
    CALLBACK,
    LAMBDA,
    World,
    chain,
    details,
    one,
    output,
    types,
    until,
)

from penstock_local.asl.errors import StateError
from penstock_local.asl.execution import Execution, Status
from penstock_local.asl.integrations import Call
from penstock_local.asl.map_run import MapRun

S3 = "arn:aws:states:::s3:"
FAIL_ODD = {
    "StartAt": "Ask",
    "States": {
        "Ask": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $states.input % 2 = 1 %}", "Next": "Bad"}],
            "Default": "Good",
        },
        "Good": {"Type": "Succeed"},
        "Bad": {"Type": "Fail", "Error": "Odd", "Cause": "{% $string($states.input) %}"},
    },
}


def distributed(
    processor: dict[str, Any], items: object = "{% $states.input %}", **fields: object
) -> dict[str, Any]:
    configuration = {"Mode": "DISTRIBUTED", "ExecutionType": fields.pop("kind", "STANDARD")}
    state = {
        "Type": "Map",
        "Items": items,
        "ItemProcessor": {"ProcessorConfig": configuration, **processor},
        **fields,
    }
    if "ItemReader" in fields:
        del state["Items"]
    return state


def only_run(asl: World) -> MapRun:
    [run] = asl.engine.map_runs.values()
    return run


def children(asl: World) -> list[Execution]:
    return [child for child in only_run(asl).children if child is not None]


PASS = one({"Type": "Pass"})


def test_every_item_is_an_execution(asl: World) -> None:
    run = asl.run(one(distributed(PASS, Label="jobs")), ["a", "b"])
    assert output(run) == ["a", "b"]
    first, second = children(asl)
    assert first.arn.startswith(f"{run.machine.arn.replace('stateMachine', 'execution')}/jobs:")
    assert first.machine.arn == f"{run.machine.arn}/jobs"
    assert types(first) == [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ]
    assert asl.engine.executions[second.arn] is second


def test_the_label_is_part_of_the_map_runs_arn(asl: World) -> None:
    run = asl.run(one(distributed(PASS, Label="jobs")), [1])
    arn = details(run, "MapRunStarted")["mapRunArn"]
    prefix = "arn:aws:states:eu-central-1:123456789012:mapRun:machine/jobs:"
    assert arn.startswith(prefix)
    assert uuid.UUID(arn.removeprefix(prefix))


def test_without_a_label_one_is_made_up(asl: World) -> None:
    run = asl.run(one(distributed(PASS)), [1])
    label = details(run, "MapRunStarted")["mapRunArn"].split("/")[1].split(":")[0]
    assert uuid.UUID(label)


def test_no_items_make_an_empty_result(asl: World) -> None:
    assert output(asl.run(one(distributed(PASS)), [])) == []


def test_an_item_selector_makes_the_childrens_input(asl: World) -> None:
    selector = {
        "n": "{% $states.context.Map.Item.Value %}",
        "from": "{% $states.context.Map.Item.Source %}",
    }
    run = asl.run(one(distributed(PASS, ItemSelector=selector)), [1])
    assert output(run) == [{"n": 1, "from": "STATE_DATA"}]
    assert children(asl)[0].input_text == '{"n":1,"from":"STATE_DATA"}'


def test_an_item_selector_that_fails_stops_the_map_run(asl: World) -> None:
    selector = "{% $states.context.Map.Item.Value = 2 ? $nothing : 1 %}"
    state = distributed(one({"Type": "Task", "Resource": CALLBACK}), ItemSelector=selector)
    run = asl.run(one(state), [1, 2, 3])
    assert details(run, "EvaluationFailed")["location"] == "ItemSelector"
    assert types(run)[-4:] == [
        "EvaluationFailed",
        "MapRunFailed",
        "MapStateFailed",
        "ExecutionFailed",
    ]
    assert [child.status for child in children(asl)] == [Status.ABORTED]
    assert only_run(asl).status is Status.FAILED


@pytest.mark.parametrize(
    ("tolerated", "status"),
    [
        ({}, Status.FAILED),
        ({"ToleratedFailureCount": 1}, Status.FAILED),
        ({"ToleratedFailureCount": 2}, Status.SUCCEEDED),
        ({"ToleratedFailurePercentage": 39}, Status.FAILED),
        ({"ToleratedFailurePercentage": 40}, Status.SUCCEEDED),
        ({"ToleratedFailurePercentage": "{% 50 %}"}, Status.SUCCEEDED),
        ({"ToleratedFailurePercentage": 100, "ToleratedFailureCount": 0}, Status.FAILED),
    ],
    ids=str,
)
def test_what_is_tolerated(asl: World, tolerated: dict[str, Any], status: Status) -> None:
    run = asl.run(one(distributed(FAIL_ODD, **tolerated)), [1, 2, 3, 4, 6])
    assert run.status is status
    if status is Status.SUCCEEDED:
        assert output(run) == [2, 4, 6]
    else:
        assert run.error == "States.ExceedToleratedFailureThreshold"


@pytest.mark.parametrize(
    ("field", "value", "cause"),
    [
        (
            "ToleratedFailurePercentage",
            110,
            "ToleratedFailurePercentage must be between 0 and 100.",
        ),
        ("ToleratedFailureCount", -1, "ToleratedFailureCount cannot be negative."),
    ],
)
def test_limits_that_make_no_sense(asl: World, field: str, value: int, cause: str) -> None:
    run = asl.run(one(distributed(PASS, **{field: f"{{% {value} %}}"})), [1])
    where = "An error occurred while executing the state 'Only' (entered at the event id #2). "
    assert (run.error, run.cause) == ("States.Runtime", where + cause)
    assert types(run)[1:] == ["MapStateEntered", "MapStateStarted", "ExecutionFailed"]


def test_a_state_around_the_map_fails_with_its_senseless_limit(asl: World) -> None:
    branch = one(distributed(PASS, Items=[1], ToleratedFailureCount="{% -1 %}"))
    run = asl.run(one({"Type": "Parallel", "Branches": [branch]}))
    assert "MapStateFailed" not in types(run)
    assert types(run)[-2:] == ["ParallelStateFailed", "ExecutionFailed"]


def test_too_many_failures_stop_the_other_children(asl: World) -> None:
    def answer(call: Call) -> object:
        if call.arguments == 3:
            raise StateError("Bad")
        return {}

    asl.services.answers[CALLBACK] = answer
    run = asl.run(one(distributed(one({"Type": "Task", "Resource": CALLBACK}))), [1, 2, 3])
    assert run.error == "States.ExceedToleratedFailureThreshold"
    assert [child.status for child in children(asl)] == [
        Status.ABORTED,
        Status.ABORTED,
        Status.FAILED,
    ]
    counts = only_run(asl).describe()["executionCounts"]
    assert (counts["failed"], counts["aborted"], counts["running"]) == (1, 2, 0)


@pytest.mark.parametrize("limit", [2, "{% 2 %}"])
def test_max_concurrency_limits_the_children(asl: World, limit: object) -> None:
    running = most = 0

    async def answer(call: Call) -> object:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return call.arguments

    asl.services.answers[LAMBDA] = answer
    task = one({"Type": "Task", "Resource": LAMBDA})
    run = asl.run(one(distributed(task, MaxConcurrency=limit)), list(range(7)))
    assert output(run) == list(range(7))
    assert most == 2


def test_limits_can_be_changed_while_the_run_goes_on(asl: World) -> None:
    task = one({"Type": "Task", "Resource": CALLBACK})
    run = asl.begin(one(distributed(task, MaxConcurrency=1)), list(range(5)))
    until(lambda: len(asl.engine.callbacks) == 1)
    asl.engine.call(only_run(asl).update, 3, None, None)
    until(lambda: len(asl.engine.callbacks) == 3)
    asl.stop(run)


def test_a_batch_is_a_child(asl: World) -> None:
    batcher = {"MaxItemsPerBatch": "{% 2 %}", "BatchInput": {"day": "{% $string(1) %}"}}
    run = asl.run(one(distributed(PASS, ItemBatcher=batcher)), [1, 2, 3])
    assert output(run) == [
        {"BatchInput": {"day": "1"}, "Items": [1, 2]},
        {"BatchInput": {"day": "1"}, "Items": [3]},
    ]
    run_shown = only_run(asl).describe()
    assert run_shown["itemCounts"]["total"] == 3
    assert run_shown["executionCounts"]["total"] == 2
    assert [child.items for child in children(asl)] == [2, 1]


def test_a_batch_holds_what_the_selector_makes(asl: World) -> None:
    state = distributed(
        PASS,
        ItemBatcher={"MaxItemsPerBatch": 5},
        ItemSelector={"n": "{% $states.context.Map.Item.Value %}"},
    )
    assert output(asl.run(one(state), [1, 2])) == [{"Items": [{"n": 1}, {"n": 2}]}]


def reader(kind: str, **config: object) -> dict[str, Any]:
    return {
        "Resource": f"{S3}getObject",
        "ReaderConfig": {"InputType": kind, **config},
        "Arguments": {"Bucket": "{% 'b' %}", "Key": "{% $states.input.key %}"},
    }


def test_items_are_read_from_json_lines(asl: World) -> None:
    asl.services.s3.texts["plan"] = '{"n": 1}\n{"n": 2}\n'
    state = distributed(
        PASS,
        ItemReader=reader("JSONL"),
        ItemSelector="{% $states.context.Map.Item.Source %}",
    )
    assert output(asl.run(one(state), {"key": "plan"})) == ["s3://b/plan"] * 2
    del state["ItemSelector"]
    assert output(asl.run(one(state), {"key": "plan"})) == [{"n": 1}, {"n": 2}]


def test_what_cannot_be_mapped_fails_the_map_run(asl: World) -> None:
    asl.services.s3.texts["plan"] = "5"
    state = distributed(PASS, ItemReader=reader("JSON"))
    run = asl.run(one(state), {"key": "plan"})
    failure = {
        "error": "States.ItemReaderFailed",
        "cause": "Attempting to map over non-iterable node.",
    }
    assert details(run, "MapRunFailed") == details(run, "ExecutionFailed") == failure
    assert types(run)[2:] == [
        "MapStateStarted",
        "MapRunStarted",
        "MapRunFailed",
        "MapStateFailed",
        "ExecutionFailed",
    ]


def test_results_are_written_to_s3(asl: World) -> None:
    writer = {"Resource": f"{S3}putObject", "Arguments": {"Bucket": "b", "Prefix": "runs"}}
    state = distributed(FAIL_ODD, ToleratedFailurePercentage=100, ResultWriter=writer)
    run = asl.run(one(state), [1, 2])
    arn = only_run(asl).arn
    folder = f"runs/{arn.rpartition(':')[2]}"
    assert output(run) == {
        "MapRunArn": arn,
        "ResultWriterDetails": {"Bucket": "b", "Key": f"{folder}/manifest.json"},
    }
    written = asl.services.s3.texts
    [failed] = json.loads(written[f"{folder}/FAILED_0.json"])
    assert (failed["Error"], failed["Cause"], failed["Input"]) == ("Odd", "1", "1")
    [succeeded] = json.loads(written[f"{folder}/SUCCEEDED_0.json"])
    assert succeeded["Output"] == "2"


def test_outputs_beyond_256_kib_need_a_result_writer(asl: World) -> None:
    state = distributed(one({"Type": "Pass", "Output": "x" * 100_000}))
    run = asl.run(one(state), [1, 2, 3])
    assert run.error == "States.DataLimitExceeded"


def test_a_stop_reaches_the_children(asl: World) -> None:
    task = one({"Type": "Task", "Resource": CALLBACK})
    run = asl.begin(one(distributed(task, MaxConcurrency=3)), list(range(5)))
    until(lambda: len(asl.engine.callbacks) == 3)
    asl.stop(run)
    assert [child.status for child in children(asl)] == [Status.ABORTED] * 3
    assert only_run(asl).status is Status.ABORTED
    assert chain(run)[-1] == (5, "ExecutionAborted", 0)
    assert len(asl.engine.callbacks) == 0
    counts = only_run(asl).describe()["executionCounts"]
    assert (counts["aborted"], counts["pending"], counts["running"]) == (3, 2, 0)


def test_a_timeout_of_the_machine_reaches_the_children(asl: World) -> None:
    state = distributed(one({"Type": "Task", "Resource": CALLBACK}))
    run = asl.run({**one(state), "TimeoutSeconds": 0.2}, [1, 2])
    assert run.status is Status.TIMED_OUT
    assert [child.status for child in children(asl)] == [Status.ABORTED] * 2


def test_a_child_can_be_stopped_alone(asl: World) -> None:
    task = one({"Type": "Task", "Resource": CALLBACK})
    run = asl.begin(one(distributed(task)), [1, 2])
    until(lambda: len(asl.services.calls) == 2)
    first, second = children(asl)
    asl.stop(first)
    assert run.status is Status.RUNNING
    waiter = asl.engine.callbacks.find(asl.token_of(second))
    assert waiter is not None
    asl.engine.call(waiter.succeed, "second")
    assert output(asl.ended(run)) == ["second"]


def test_express_children(asl: World) -> None:
    run = asl.run(one(distributed(PASS, kind="EXPRESS", Label="l")), [1])
    assert output(run) == [1]
    [child] = children(asl)
    assert child.arn.startswith("arn:aws:states:eu-central-1:123456789012:express:machine/l:")


def test_a_map_run_describes_itself(asl: World) -> None:
    asl.run(one(distributed(FAIL_ODD, MaxConcurrency=4, ToleratedFailureCount=2)), [1, 2])
    shown = only_run(asl).describe()
    counts = {
        "pending": 0,
        "running": 0,
        "succeeded": 1,
        "failed": 1,
        "timedOut": 0,
        "aborted": 0,
        "total": 2,
        "resultsWritten": 1,
        "failuresNotRedrivable": 0,
        "pendingRedrive": 0,
    }
    assert shown["itemCounts"] == shown["executionCounts"] == counts
    assert shown["maxConcurrency"] == 4
    assert shown["toleratedFailureCount"] == 2
    assert shown["toleratedFailurePercentage"] == 0.0
    assert shown["status"] == "SUCCEEDED"
    assert shown["redriveCount"] == 0
    assert shown["stopDate"] >= shown["startDate"]
