"""Redrive: what failed runs again, what had succeeded does not."""

from __future__ import annotations

from typing import Any

import pytest
from tests.local.asl.world import (
    CALLBACK,
    LAMBDA,
    World,
    chain,
    details,
    machine,
    one,
    output,
    types,
    until,
)

from penstock_local.asl.errors import StateError
from penstock_local.asl.execution import Execution, Status
from penstock_local.asl.integrations import Call
from penstock_local.asl.map_run import MapRun

TASK = {"Type": "Task", "Resource": LAMBDA}


class Repairable:
    """Fails for the arguments that are broken, until they are mended."""

    def __init__(self, *broken: object) -> None:
        self.broken = set(broken)
        self.calls: list[object] = []

    def __call__(self, call: Call) -> object:
        self.calls.append(call.arguments)
        if call.arguments in self.broken:
            raise StateError("Broken", str(call.arguments))
        return call.arguments

    def mend(self) -> None:
        self.broken.clear()
        self.calls.clear()


def repairable(asl: World, *broken: object) -> Repairable:
    answer = asl.services.answers[LAMBDA] = Repairable(*broken)
    return answer


def test_it_goes_on_from_the_state_that_failed(asl: World) -> None:
    answer = repairable(asl, 2)
    definition = machine(
        "First",
        First={**TASK, "Arguments": 1, "Assign": {"x": "kept"}, "Next": "Second"},
        Second={**TASK, "Arguments": 2, "Next": "Third"},
        Third={"Type": "Pass", "Output": "{% [$states.input, $x] %}", "End": True},
    )
    run = asl.run(definition)
    assert run.status is Status.FAILED
    answer.mend()
    asl.redrive(run)
    assert output(run) == [2, "kept"]
    assert answer.calls == [2]
    assert run.redrive_count == 1


def test_the_history_goes_on_where_it_ended(asl: World) -> None:
    answer = repairable(asl, 1)
    run = asl.run(one({**TASK, "Arguments": 1}))
    answer.mend()
    asl.redrive(run)
    assert chain(run)[4:] == [
        (5, "TaskFailed", 4),
        (6, "ExecutionFailed", 5),
        (7, "ExecutionRedriven", 6),
        (8, "TaskScheduled", 7),
        (9, "TaskStarted", 8),
        (10, "TaskSucceeded", 9),
        (11, "TaskStateExited", 10),
        (12, "ExecutionSucceeded", 11),
    ]
    assert details(run, "ExecutionRedriven") == {"redriveCount": 1}


def test_the_context_counts_redrives(asl: World) -> None:
    answer = repairable(asl, 0)
    run = asl.run(one({**TASK, "Arguments": "{% $states.context.Execution.RedriveCount %}"}))
    answer.mend()
    assert output(asl.redrive(run)) == 1


def test_retries_start_anew(asl: World) -> None:
    answer = repairable(asl, 1)
    retry = [{"ErrorEquals": ["Broken"], "MaxAttempts": 1}]
    run = asl.run(one({**TASK, "Arguments": 1, "Retry": retry}))
    answer.calls.clear()
    asl.redrive(run)
    assert answer.calls == [1, 1]
    assert run.status is Status.FAILED


def test_a_fail_state_fails_again(asl: World) -> None:
    run = asl.redrive(asl.run(one({"Type": "Fail", "Error": "Bad"})))
    assert (run.status, run.error, run.redrive_count) == (Status.FAILED, "Bad", 1)
    assert types(run)[-3:] == ["ExecutionRedriven", "FailStateEntered", "ExecutionFailed"]


def test_only_failed_branches_run_again(asl: World) -> None:
    answer = repairable(asl, "b")
    branches = [one({**TASK, "Arguments": name}) for name in "abc"]
    run = asl.run(one({"Type": "Parallel", "Branches": branches}))
    answer.mend()
    assert output(asl.redrive(run)) == ["a", "b", "c"]
    assert "a" not in answer.calls


def test_only_failed_iterations_run_again_and_from_where_they_failed(asl: World) -> None:
    answer = repairable(asl, 2)
    processor = machine(
        "Before",
        Before={"Type": "Pass", "Assign": {"n": "{% $states.input %}"}, "Next": "Call"},
        Call={**TASK, "Arguments": "{% $n %}", "End": True},
    )
    state = {"Type": "Map", "Items": [1, 2, 3], "MaxConcurrency": 1, "ItemProcessor": processor}
    run = asl.run(one(state))
    passes = types(run).count("PassStateEntered")
    answer.mend()
    assert output(asl.redrive(run)) == [1, 2, 3]
    assert answer.calls == [2, 3]
    assert types(run).count("PassStateEntered") == passes + 1


def test_an_aborted_execution_can_go_on(asl: World) -> None:
    run = asl.begin(one({"Type": "Task", "Resource": CALLBACK}))
    until(lambda: "TaskSubmitted" in types(run))
    asl.stop(run)
    asl.engine.call(asl.engine.start, run)
    until(lambda: len(asl.engine.callbacks) == 1)
    waiter = asl.engine.callbacks.find(asl.token_of(run))
    assert waiter is not None
    asl.engine.call(waiter.succeed, "done")
    assert output(asl.ended(run)) == "done"


def test_a_timed_out_execution_gets_its_time_again(asl: World) -> None:
    run = asl.run({**one({"Type": "Task", "Resource": CALLBACK}), "TimeoutSeconds": 0.1})
    assert run.status is Status.TIMED_OUT
    asl.redrive(run)
    assert run.status is Status.TIMED_OUT
    assert run.redrive_count == 1


def jobs(processor: dict[str, Any], kind: str = "STANDARD", **fields: object) -> dict[str, Any]:
    configuration = {"Mode": "DISTRIBUTED", "ExecutionType": kind}
    return one(
        {
            "Type": "Map",
            "Items": [1, 2, 3],
            "ItemProcessor": {"ProcessorConfig": configuration, **processor},
            **fields,
        }
    )


CALL = one({**TASK, "Arguments": "{% $states.input %}"})


def map_run(asl: World) -> tuple[MapRun, list[Execution]]:
    [run] = asl.engine.map_runs.values()
    return run, [child for child in run.children if child is not None]


def test_only_failed_children_run_again_under_their_own_arns(asl: World) -> None:
    answer = repairable(asl, 2)
    parent = asl.run(jobs(CALL))
    run, before = map_run(asl)
    arns = [child.arn for child in before]
    answer.mend()
    assert output(asl.redrive(parent)) == [1, 2, 3]
    _, after = map_run(asl)
    assert [child.arn for child in after] == arns
    assert [child.redrive_count for child in after] == [0, 1, 0]
    assert answer.calls == [2]
    assert run.redrive_count == 1
    assert run.status is Status.SUCCEEDED
    assert run.describe()["executionCounts"]["succeeded"] == 3


def test_the_parents_history_tells_of_the_redriven_map_run(asl: World) -> None:
    answer = repairable(asl, 2)
    parent = asl.run(jobs(CALL))
    answer.mend()
    asl.redrive(parent)
    assert types(parent)[6:] == [
        "ExecutionFailed",
        "ExecutionRedriven",
        "MapRunRedriven",
        "MapRunSucceeded",
        "MapStateSucceeded",
        "MapStateExited",
        "ExecutionSucceeded",
    ]
    run, _ = map_run(asl)
    assert details(parent, "MapRunRedriven") == {"mapRunArn": run.arn, "redriveCount": 1}


def test_children_that_never_started_run_too(asl: World) -> None:
    answer = repairable(asl, 1)
    parent = asl.run(jobs(CALL, MaxConcurrency=1))
    assert answer.calls == [1]
    answer.mend()
    assert output(asl.redrive(parent)) == [1, 2, 3]
    assert answer.calls == [1, 2, 3]


def test_express_children_start_anew(asl: World) -> None:
    answer = repairable(asl, 2)
    parent = asl.run(jobs(CALL, "EXPRESS"))
    _, before = map_run(asl)
    arn = before[1].arn
    answer.mend()
    assert output(asl.redrive(parent)) == [1, 2, 3]
    _, after = map_run(asl)
    assert after[1].arn != arn


def test_a_map_run_that_could_not_read_its_items_starts_anew(asl: World) -> None:
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"},
        "Arguments": {"Bucket": "b", "Key": "plan"},
    }
    definition = jobs(one({"Type": "Pass"}), ItemReader=reader)
    del definition["States"]["Only"]["Items"]
    asl.services.s3.texts["plan"] = "5"
    parent = asl.run(definition)
    assert parent.error == "States.ItemReaderFailed"
    asl.services.s3.texts["plan"] = "[5]"
    assert output(asl.redrive(parent)) == [5]
    assert len(asl.engine.map_runs) == 2


@pytest.mark.parametrize("times", [2, 3])
def test_an_execution_can_be_redriven_again_and_again(asl: World, times: int) -> None:
    repairable(asl, 1)
    run = asl.run(one({**TASK, "Arguments": 1}))
    for _ in range(times):
        asl.redrive(run)
    assert run.redrive_count == times
    assert types(run).count("TaskFailed") == times + 1


def test_branches_whose_results_did_not_fit_all_run_again(asl: World) -> None:
    size = 200_000

    def answer(call: Call) -> object:
        return call.arguments * size

    asl.services.answers[LAMBDA] = answer
    branches = [one({**TASK, "Arguments": name}) for name in "ab"]
    run = asl.run(one({"Type": "Parallel", "Branches": branches}))
    assert run.error == "States.DataLimitExceeded"
    size = 1
    assert output(asl.redrive(run)) == ["a", "b"]
