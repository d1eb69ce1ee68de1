"""Tasks: the patterns, the clocks, the limits, and what reaches the service."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from tests.local.asl.world import (
    CALLBACK,
    GLUE,
    LAMBDA,
    ROLE,
    Answer,
    World,
    details,
    never,
    one,
    output,
    types,
    until,
)

from penstock_local.asl.errors import StateError
from penstock_local.asl.execution import Execution, Status
from penstock_local.asl.integrations import Call, ParametersError
from penstock_local.asl.integrations.errors import UnfitArgumentsError
from penstock_local.asl.services import CALLS_AT_ONCE

FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:f"
ACTIVITY = "arn:aws:states:eu-central-1:123456789012:activity:work"


def waiting(asl: World, **fields: object) -> Execution:
    """An execution that waits for its token."""
    run = asl.begin(one({"Type": "Task", "Resource": CALLBACK, **fields}))
    until(lambda: "TaskSubmitted" in types(run))
    return run


def answer(asl: World, run: Execution, value: object) -> Execution:
    waiter = asl.engine.callbacks.find(asl.token_of(run))
    assert waiter is not None
    report = waiter.fail if isinstance(value, StateError) else waiter.succeed
    asl.engine.call(report, value)
    return asl.ended(run)


def raising(error: StateError) -> Answer:
    def fail(_: Call) -> None:
        raise error

    return fail


def test_a_call_is_made_in_the_name_of_the_machines_role(asl: World) -> None:
    run = asl.run(one({"Type": "Task", "Resource": LAMBDA, "Arguments": {"a": "{% 1 + 1 %}"}}))
    [call] = asl.services.calls
    assert call.arguments == {"a": 2}
    assert (call.role_arn, call.region) == (ROLE, "eu-central-1")
    assert call.execution_arn == run.arn
    assert call.credentials_role_arn is None


def test_without_arguments_the_input_is_sent(asl: World) -> None:
    asl.run(one({"Type": "Task", "Resource": LAMBDA}), {"a": 1})
    assert asl.services.calls[0].arguments == {"a": 1}


def test_credentials_name_another_role(asl: World) -> None:
    other = "arn:aws:iam::123456789012:role/other"
    credentials = {"RoleArn": "{% $states.input.role %}"}
    asl.run(one({"Type": "Task", "Resource": LAMBDA, "Credentials": credentials}), {"role": other})
    assert asl.services.calls[0].credentials_role_arn == other


def test_a_functions_arn_gives_the_bare_payload(asl: World) -> None:
    asl.services.answers[FUNCTION] = lambda call: [call.arguments]
    assert output(asl.run(one({"Type": "Task", "Resource": FUNCTION}), 7)) == [7]


def test_an_unknown_resource_fails_the_execution(asl: World) -> None:
    run = asl.run(one({"Type": "Task", "Resource": "arn:aws:states:::dynamodb:query"}))
    assert (run.status, run.error) == (Status.FAILED, "States.Runtime")


def test_arguments_that_do_not_fit_the_api_are_a_runtime_error_of_the_state(asl: World) -> None:
    unfit = ParametersError({"A": 1}, UnfitArgumentsError(["The field 'A' is not supported"]))
    asl.services.answers[LAMBDA] = raising(unfit)
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Only"}]
    run = asl.run(one({"Type": "Task", "Resource": LAMBDA, "Catch": catch}, "Only"))
    assert run.error == "States.Runtime"
    assert (run.cause or "").startswith(
        "An error occurred while executing the state 'Only' (entered at the event id #2). The"
        " Parameters"
    )
    assert "TaskFailed" not in types(run)


def test_the_result_of_a_callback_task_is_what_is_sent_for_its_token(asl: World) -> None:
    run = waiting(asl)
    assert output(answer(asl, run, {"done": True})) == {"done": True}


def test_a_failure_can_be_sent_for_a_token(asl: World) -> None:
    run = answer(asl, waiting(asl), StateError("JobBlocked", "upstream X did not succeed"))
    assert (run.error, run.cause) == ("JobBlocked", "upstream X did not succeed")
    assert details(run, "TaskFailed")["error"] == "JobBlocked"


def test_a_failure_without_a_word_has_neither_error_nor_cause(asl: World) -> None:
    run = answer(asl, waiting(asl), StateError(None))
    assert set(details(run, "TaskFailed")) == {"resource", "resourceType"}
    assert details(run, "ExecutionFailed") == {}


def test_a_token_may_come_back_before_the_call_has_returned(asl: World) -> None:
    async def quick(call: Call) -> object:
        assert call.token is not None
        waiter = asl.engine.callbacks.find(call.token)
        assert waiter is not None
        waiter.succeed("early")
        await asyncio.sleep(0.05)
        return {}

    asl.services.answers[CALLBACK] = quick
    assert output(asl.run(one({"Type": "Task", "Resource": CALLBACK}))) == "early"


def test_when_the_called_function_fails_so_does_the_callback_task(asl: World) -> None:
    asl.services.answers[CALLBACK] = raising(StateError("Exception", '{"errorType":"Exception"}'))
    run = asl.run(one({"Type": "Task", "Resource": CALLBACK, "TimeoutSeconds": 60}))
    assert run.error == "Exception"
    assert types(run)[-2:] == ["TaskFailed", "ExecutionFailed"]
    assert len(asl.engine.callbacks) == 0


def test_a_callback_task_times_out(asl: World) -> None:
    run = asl.run(one({"Type": "Task", "Resource": CALLBACK, "TimeoutSeconds": 0.05}))
    assert run.error == "States.Timeout"
    assert types(run)[-3:] == ["TaskSubmitted", "TaskTimedOut", "ExecutionFailed"]
    assert len(asl.engine.callbacks) == 0


def test_a_task_that_falls_silent_times_out(asl: World) -> None:
    state = {"Resource": CALLBACK, "TimeoutSeconds": 60, "HeartbeatSeconds": 0.05}
    run = asl.run(one({"Type": "Task", **state}))
    assert details(run, "TaskTimedOut")["error"] == "States.Timeout"
    assert details(run, "TaskScheduled")["heartbeatInSeconds"] == 0.05
    assert details(run, "ExecutionFailed") == {"error": "States.Timeout"}


def test_a_call_that_does_not_return_does_not_hide_the_silence(asl: World) -> None:
    asl.services.answers[CALLBACK] = never
    run = asl.run(one({"Type": "Task", "Resource": CALLBACK, "HeartbeatSeconds": 0.05}))
    assert types(run)[-3:] == ["TaskStarted", "TaskTimedOut", "ExecutionFailed"]


def test_calls_take_turns_and_their_clocks_start_with_their_turn(asl: World) -> None:
    running = most = 0

    async def slow(call: Call) -> object:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.1)
        running -= 1
        return call.arguments

    asl.services.answers[LAMBDA] = slow
    inner = one({"Type": "Task", "Resource": LAMBDA, "TimeoutSeconds": 0.3})
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, **inner}
    many = list(range(5 * CALLS_AT_ONCE))
    run = asl.run(one({"Type": "Map", "Items": many, "ItemProcessor": processor}))
    assert output(run) == many
    assert most == CALLS_AT_ONCE


def test_heartbeats_keep_a_task_alive(asl: World) -> None:
    run = waiting(asl, HeartbeatSeconds=0.3)
    waiter = asl.engine.callbacks.find(asl.token_of(run))
    assert waiter is not None
    for _ in range(4):
        time.sleep(0.15)
        asl.engine.call(waiter.beat)
    assert run.status is Status.RUNNING
    assert answer(asl, run, 1).status is Status.SUCCEEDED


@pytest.mark.parametrize("limit", [0.05, "{% $states.input.limit %}"])
def test_a_timeout_may_be_an_expression(asl: World, limit: object) -> None:
    asl.services.answers[LAMBDA] = never
    state = {"Type": "Task", "Resource": LAMBDA, "TimeoutSeconds": limit}
    assert asl.run(one(state), {"limit": 0.05}).error == "States.Timeout"


def test_a_timeout_of_another_type_cannot_be_evaluated(asl: World) -> None:
    state = {"Type": "Task", "Resource": LAMBDA, "TimeoutSeconds": "{% 'soon' %}"}
    run = asl.run(one(state))
    assert details(run, "EvaluationFailed")["location"] == "TimeoutSeconds"
    assert asl.services.calls == []


def test_a_job_is_waited_for(asl: World) -> None:
    asl.services.answers[GLUE] = lambda _: {"JobRunId": "jr_1"}
    asl.services.ends[GLUE] = lambda _: {"JobRunState": "SUCCEEDED"}
    assert output(asl.run(one({"Type": "Task", "Resource": GLUE}))) == {"JobRunState": "SUCCEEDED"}


def test_a_job_that_fails_fails_the_task(asl: World) -> None:
    asl.services.ends[GLUE] = raising(StateError("States.TaskFailed", '{"JobRunState":"FAILED"}'))
    run = asl.run(one({"Type": "Task", "Resource": GLUE}))
    assert run.error == "States.TaskFailed"
    assert asl.services.cancelled == []


def test_a_job_that_takes_too_long_is_stopped(asl: World) -> None:
    asl.services.answers[GLUE] = lambda _: {"JobRunId": "jr_1"}
    asl.services.ends[GLUE] = never
    run = asl.run(one({"Type": "Task", "Resource": GLUE, "TimeoutSeconds": 0.05}))
    assert run.error == "States.Timeout"
    assert asl.services.cancelled == [{"JobRunId": "jr_1"}]


def test_a_job_whose_start_is_under_way_is_stopped_too(asl: World) -> None:
    release = threading.Event()

    async def slow(_: Call) -> object:
        await asyncio.to_thread(release.wait)
        return {"JobRunId": "jr_2"}

    asl.services.answers[GLUE] = slow
    run = asl.begin(one({"Type": "Task", "Resource": GLUE}))
    until(lambda: "TaskStarted" in types(run))
    asl.engine.call(asl.engine.abort, run, None, None)
    release.set()
    asl.ended(run)
    assert asl.services.cancelled == [{"JobRunId": "jr_2"}]


def test_a_result_beyond_256_kib_fails_the_task(asl: World) -> None:
    asl.services.answers[LAMBDA] = lambda _: "x" * 256 * 1024
    run = asl.run(one({"Type": "Task", "Resource": LAMBDA, "Output": 1}))
    assert run.error == "States.DataLimitExceeded"
    assert details(run, "TaskFailed")["cause"] == (
        "The state/task 'lambda' returned a result with a size exceeding the maximum number of"
        " bytes service limit."
    )


def test_the_cause_names_the_function_of_an_arn(asl: World) -> None:
    asl.services.answers[FUNCTION] = lambda _: "x" * 256 * 1024
    run = asl.run(one({"Type": "Task", "Resource": FUNCTION}))
    assert f"'{FUNCTION}'" in (run.cause or "")


def test_a_worker_does_the_work_of_an_activity(asl: World) -> None:
    run = asl.begin(one({"Type": "Task", "Resource": ACTIVITY, "Arguments": {"n": 1}}))
    until(lambda: "ActivityScheduled" in types(run))
    take = asl.engine.activities.take
    task = asyncio.run(asl.engine.call_async(take, ACTIVITY, "me", 5.0))
    assert task is not None
    assert task.input_text == '{"n":1}'
    until(lambda: asl.engine.callbacks.find(task.token) is not None)
    waiter = asl.engine.callbacks.find(task.token)
    assert waiter is not None
    asl.engine.call(waiter.succeed, 2)
    assert output(asl.ended(run)) == 2
    assert types(run)[2:5] == ["ActivityScheduled", "ActivityStarted", "ActivitySucceeded"]
    assert details(run, "ActivityStarted") == {"workerName": "me"}
    assert details(run, "ActivityScheduled") == {
        "resource": ACTIVITY,
        "input": '{"n":1}',
        "inputDetails": {"truncated": False},
    }


def test_an_activity_that_nobody_takes_times_out(asl: World) -> None:
    run = asl.run(one({"Type": "Task", "Resource": ACTIVITY, "TimeoutSeconds": 0.05}))
    assert types(run)[2:] == ["ActivityScheduled", "ActivityTimedOut", "ExecutionFailed"]
    take = asl.engine.activities.take
    assert asyncio.run(asl.engine.call_async(take, ACTIVITY, "", 0.05)) is None
