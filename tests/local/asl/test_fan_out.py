"""Parallel states and inline Maps: order, concurrency, failure, and nesting."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.local.asl.world import (
    CALLBACK,
    GLUE,
    LAMBDA,
    World,
    details,
    never,
    one,
    output,
    types,
    until,
)

from penstock_local.asl.errors import StateError
from penstock_local.asl.integrations import Call


def task(resource: str = LAMBDA, **fields: object) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource, **fields}


def mapped(
    inner: dict[str, Any], items: object = "{% $states.input %}", **fields: object
) -> dict[str, Any]:
    return {"Type": "Map", "Items": items, "ItemProcessor": one(inner, "Inner"), **fields}


class Gauge:
    """Counts how many calls are under way at once."""

    def __init__(self) -> None:
        self.now = self.most = 0

    async def __call__(self, call: Call) -> object:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.01)
        self.now -= 1
        return call.arguments


def test_results_have_the_order_of_the_items(asl: World) -> None:
    async def later_is_faster(call: Call) -> object:
        await asyncio.sleep(0.05 - 0.01 * call.arguments)
        return call.arguments

    asl.services.answers[LAMBDA] = later_is_faster
    assert output(asl.run(one(mapped(task())), [0, 1, 2, 3])) == [0, 1, 2, 3]


def test_results_have_the_order_of_the_branches(asl: World) -> None:
    async def slow_first(call: Call) -> object:
        await asyncio.sleep(0.05 if call.arguments == "a" else 0)
        return call.arguments

    asl.services.answers[LAMBDA] = slow_first
    branches = [one(task(Arguments=name)) for name in "abc"]
    assert output(asl.run(one({"Type": "Parallel", "Branches": branches}))) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("limit", "most"), [(3, 3), ("{% $count([1, 2]) %}", 2), (0, 40), (100, 40)]
)
def test_max_concurrency(asl: World, limit: object, most: int) -> None:
    gauge = asl.services.ends[GLUE] = Gauge()
    asl.run(one(mapped(task(GLUE), MaxConcurrency=limit)), list(range(60)))
    assert gauge.most == most


def test_a_map_without_items_takes_its_input(asl: World) -> None:
    state = mapped({"Type": "Pass"})
    del state["Items"]
    assert output(asl.run(one(state), [1, 2])) == [1, 2]


def test_the_processor_of_a_map_may_go_by_its_older_name(asl: World) -> None:
    state = {"Type": "Map", "Items": [1], "Iterator": one({"Type": "Pass"})}
    assert output(asl.run(one(state))) == [1]


def test_items_may_be_a_list_of_expressions(asl: World) -> None:
    items = ["{% $states.input.a %}", 2]
    assert output(asl.run(one(mapped({"Type": "Pass"}, items)), {"a": 1})) == [1, 2]


@pytest.mark.parametrize(
    ("expression", "found"),
    [("{% 1 %}", "'number' for value: 1"), ("{% {'a': 1} %}", """'object' for value: {"a":1}""")],
)
def test_items_must_be_a_list(asl: World, expression: str, found: str) -> None:
    run = asl.run(one(mapped({"Type": "Pass"}, expression)))
    failed = details(run, "EvaluationFailed")
    assert failed["location"] == "Items"
    assert f"Expected 'array', but was {found}" in failed["cause"]


def test_a_parallel_passes_its_arguments_to_every_branch(asl: World) -> None:
    state = {
        "Type": "Parallel",
        "Arguments": {"n": "{% $states.input + 1 %}"},
        "Branches": [one({"Type": "Pass", "Output": "{% $states.input.n %}"})] * 2,
        "Output": "{% $sum($states.result) %}",
    }
    assert output(asl.run(one(state), 1)) == 4


def test_the_first_failure_stops_the_jobs_of_the_others(asl: World) -> None:
    asl.services.answers[GLUE] = lambda _: {"JobRunId": "jr_1"}
    asl.services.ends[GLUE] = never

    async def fail_soon(_: Call) -> object:
        await asyncio.sleep(0.05)
        raise StateError("Bad", "because")

    asl.services.answers[LAMBDA] = fail_soon
    state = {"Type": "Parallel", "Branches": [one(task(GLUE)), one(task())]}
    run = asl.run(one(state))
    assert (run.error, run.cause) == ("Bad", "because")
    assert asl.services.cancelled == [{"JobRunId": "jr_1"}]
    assert types(run)[-5:] == [
        "TaskFailed",
        "TaskStateAborted",
        "TaskStateAborted",
        "ParallelStateFailed",
        "ExecutionFailed",
    ]


def test_a_failed_iteration_lets_no_further_one_start(asl: World) -> None:
    state = mapped({"Type": "Fail", "Error": "Bad"}, MaxConcurrency=1)
    run = asl.run(one(state), [1, 2, 3])
    assert types(run).count("MapIterationStarted") == 1


def test_maps_may_be_nested(asl: World) -> None:
    inner = mapped({"Type": "Pass", "Output": "{% $states.input * 10 %}"})
    assert output(asl.run(one(mapped(inner)), [[1, 2], [3]])) == [[10, 20], [30]]


def test_an_aborted_branch_tells_of_what_was_running_in_it(asl: World) -> None:
    def fail_when_the_other_waits(_: Call) -> object:
        raise StateError("Bad")

    asl.services.answers[LAMBDA] = fail_when_the_other_waits
    waiting = mapped(task(CALLBACK), [1])
    state = {
        "Type": "Parallel",
        "Branches": [
            one(waiting, "Waiting"),
            {
                "StartAt": "Pause",
                "States": {
                    "Pause": {"Type": "Wait", "Seconds": 0, "Next": "Break"},
                    "Break": task(End=True),
                },
            },
        ],
    }
    run = asl.run(one(state))
    told = types(run)
    assert "MapIterationAborted" in told
    assert "MapStateAborted" in told
    assert len(asl.engine.callbacks) == 0


def test_results_beyond_256_kib_fail_the_state(asl: World) -> None:
    state = mapped({"Type": "Pass", "Output": "x" * 100_000}, [1, 2, 3], Output=1)
    run = asl.run(one(state))
    assert run.error == "States.DataLimitExceeded"


def test_stopping_an_execution_stops_its_branches(asl: World) -> None:
    branch = one(task(CALLBACK))
    run = asl.begin(one({"Type": "Parallel", "Branches": [branch, branch]}))
    until(lambda: types(run).count("TaskSubmitted") == 2)
    asl.stop(run)
    assert types(run)[-1] == "ExecutionAborted"
    assert len(asl.engine.callbacks) == 0
