"""The engine: its thread, its fairness, its bugs, its memory."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from typing import Any

import pytest
from tests.local.asl.world import (
    CALLBACK,
    GLUE,
    LAMBDA,
    World,
    chain,
    details,
    machine,
    never,
    one,
    output,
    types,
    until,
    world,
)

from penstock_local.asl.execution import Status
from penstock_local.asl.history import EVENT_LIMIT, SHORT
from penstock_local.asl.integrations import Call

ENDLESS = machine("Turn", Turn={"Type": "Pass", "Next": "Turn"})


def test_it_runs_in_a_thread_of_its_own(asl: World) -> None:
    names: list[str] = []
    asl.services.answers[LAMBDA] = lambda _: names.append(threading.current_thread().name)
    asl.run(one({"Type": "Task", "Resource": LAMBDA}))
    assert names == ["asl"]


def test_a_closed_engine_leaves_no_thread() -> None:
    with world() as asl:
        asl.begin(one({"Type": "Task", "Resource": CALLBACK}))
    assert "asl" not in [thread.name for thread in threading.enumerate()]


def test_a_bug_fails_the_execution_and_is_logged(
    asl: World, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: Call) -> object:
        raise ZeroDivisionError("a bug of the engine")

    asl.services.answers[LAMBDA] = broken
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Only"}]
    with caplog.at_level(logging.ERROR):
        run = asl.run(one({"Type": "Task", "Resource": LAMBDA, "Catch": catch}))
    assert (run.status, run.error) == (Status.FAILED, "States.Runtime")
    assert "ZeroDivisionError" in (run.cause or "")
    assert "Traceback" in caplog.text


@pytest.mark.parametrize("kind", ["Parallel", "Map", "Distributed"])
def test_a_bug_in_a_branch_ends_the_execution_too(
    asl: World, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: Call) -> object:
        raise ZeroDivisionError("a bug of the engine")

    asl.services.answers[LAMBDA] = broken
    inner = one({"Type": "Task", "Resource": LAMBDA})
    states: dict[str, dict[str, Any]] = {
        "Parallel": {"Type": "Parallel", "Branches": [inner]},
        "Map": {"Type": "Map", "Items": [1], "ItemProcessor": inner},
        "Distributed": {
            "Type": "Map",
            "Items": [1],
            "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, **inner},
        },
    }
    run = asl.run(one(states[kind]))
    assert run.status is Status.FAILED
    assert "ZeroDivisionError" in caplog.text


def test_a_machine_without_end_meets_the_limit_of_its_history(asl: World) -> None:
    run = asl.run(ENDLESS)
    assert run.error == "States.Runtime"
    assert len(run.history.events) == EVENT_LIMIT
    assert run.cause == "The execution reached the maximum number of history events (25000)."


def test_a_machine_that_never_waits_does_not_hold_up_others(asl: World) -> None:
    endless = asl.begin(ENDLESS)
    assert asl.run(one({"Type": "Pass"})).status is Status.SUCCEEDED
    assert endless.status is Status.RUNNING
    asl.stop(endless)


def test_a_stop_is_effective_at_once(asl: World) -> None:
    asl.services.ends[GLUE] = never
    run = asl.begin(one({"Type": "Task", "Resource": GLUE}))
    until(lambda: "TaskSubmitted" in types(run))
    asl.engine.call(asl.engine.abort, run, "Mine", "enough")
    assert (run.status, run.error, run.cause) == (Status.ABORTED, "Mine", "enough")
    assert run.stopped is not None
    asl.ended(run)
    assert details(run, "ExecutionAborted") == {"error": "Mine", "cause": "enough"}
    assert len(asl.services.cancelled) == 1


def test_a_stop_ends_a_wait(asl: World) -> None:
    with world(wait_scale=1.0) as slow:
        run = slow.begin(one({"Type": "Wait", "Seconds": 3600}))
        until(lambda: "WaitStateEntered" in types(run))
        slow.stop(run)
        assert chain(run)[-1] == (3, "ExecutionAborted", 0)


def test_a_stop_ends_the_pause_before_a_retry() -> None:
    with world(wait_scale=1.0) as asl:
        retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 3600}]
        state = {"Type": "Task", "Resource": LAMBDA, "Output": "{% $nothing %}", "Retry": retry}
        run = asl.begin(one(state))
        until(lambda: "EvaluationFailed" in types(run))
        asl.stop(run)
        assert types(run)[-1] == "ExecutionAborted"


def test_a_machine_has_only_so_much_time(asl: World) -> None:
    run = asl.run({**one({"Type": "Task", "Resource": CALLBACK}), "TimeoutSeconds": 0.1})
    assert run.status is Status.TIMED_OUT
    assert (run.error, run.cause) == (None, None)
    assert types(run)[-1] == "ExecutionTimedOut"
    assert len(asl.engine.callbacks) == 0


def test_a_timeout_stops_the_job_under_way(asl: World) -> None:
    asl.services.answers[GLUE] = lambda _: {"JobRunId": "jr_1"}
    asl.services.ends[GLUE] = never
    asl.run({**one({"Type": "Task", "Resource": GLUE}), "TimeoutSeconds": 0.1})
    assert asl.services.cancelled == [{"JobRunId": "jr_1"}]


def test_every_change_of_status_is_told(asl: World) -> None:
    run = asl.run(one({"Type": "Pass"}))
    failed = asl.run(one({"Type": "Fail"}))
    asl.redrive(failed)
    assert asl.statuses == [
        (run.arn, "RUNNING"),
        (run.arn, "SUCCEEDED"),
        (failed.arn, "RUNNING"),
        (failed.arn, "FAILED"),
        (failed.arn, "RUNNING"),
        (failed.arn, "FAILED"),
    ]


def test_a_reset_aborts_and_forgets(asl: World) -> None:
    run = asl.begin(one({"Type": "Task", "Resource": CALLBACK}))
    until(lambda: "TaskSubmitted" in types(run))
    asl.engine.call(asl.engine.forget_all)
    asl.ended(run)
    assert run.status is Status.ABORTED
    assert asl.engine.executions == {}


def test_a_thousand_children_wait_without_a_thread_each(asl: World) -> None:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED"},
        **one({"Type": "Task", "Resource": CALLBACK}),
    }
    state = {"Type": "Map", "Items": "{% [1..1000] %}", "ItemProcessor": processor}
    threads = threading.active_count()
    run = asl.begin(one(state))
    until(lambda: len(asl.services.calls) == 1000, 60)
    assert threading.active_count() == threads
    before = time.monotonic()
    for call in list(asl.services.calls):
        assert call.token is not None
        waiter = asl.engine.callbacks.find(call.token)
        assert waiter is not None
        asl.engine.call(waiter.succeed, call.arguments)
    assert output(asl.ended(run)) == list(range(1, 1001))
    assert time.monotonic() - before < 30


def test_another_loop_can_wait_for_the_engine(asl: World) -> None:
    async def ask() -> int:
        return 42

    assert asyncio.run(asl.engine.call_async(ask)) == 42


def test_an_ended_history_survives_its_compression(asl: World) -> None:
    value = {"half": "\ud800", "text": "äöü €", "number": 0.1, "none": None}
    run = asl.run(one({"Type": "Pass", "Output": "{% $states.input %}"}), value)
    assert len(run.history) == 4
    assert output(run) == value
    assert details(run, "PassStateExited")["output"] == run.output


def test_a_long_history_is_kept_as_it_is(asl: World) -> None:
    items = list(range(SHORT))
    state = {"Type": "Map", "Items": items, "ItemProcessor": one({"Type": "Pass"})}
    run = asl.run(one(state))
    assert len(run.history) > SHORT
    assert [event.id for event in run.history.events] == list(range(1, len(run.history) + 1))
    assert run.history.closed
