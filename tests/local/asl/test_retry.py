"""Retry and Catch: which errors they cover, how long they wait, what they hand on."""

from __future__ import annotations

import pytest
from tests.local.asl.world import CALLBACK, LAMBDA, World, details, machine, one, output, types

from penstock_local.asl.errors import StateError
from penstock_local.asl.retry import (
    HeartbeatMissedError,
    Retries,
    catcher_for,
    error_output,
    interval,
    matches,
)

FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:f"


@pytest.mark.parametrize(
    ("names", "error", "covered"),
    [
        (["Mine"], "Mine", True),
        (["Mine"], "Other", False),
        (["Mine", "Other"], "Other", True),
        (["States.ALL"], "Mine", True),
        (["States.ALL"], None, True),
        (["States.ALL"], "States.Timeout", True),
        (["States.ALL"], "States.QueryEvaluationError", True),
        (["States.ALL"], "States.DataLimitExceeded", False),
        (["States.ALL"], "States.Runtime", False),
        (["States.DataLimitExceeded"], "States.DataLimitExceeded", True),
        (["States.Runtime"], "States.Runtime", True),
        (["States.TaskFailed"], "Mine", True),
        (["States.TaskFailed"], "States.TaskFailed", True),
        (["States.TaskFailed"], "States.Timeout", False),
        (["States.TaskFailed"], "States.DataLimitExceeded", False),
        (["States.TaskFailed"], "States.Runtime", False),
        (["States.HeartbeatTimeout"], "States.Timeout", False),
    ],
)
def test_which_errors_a_list_of_names_covers(
    names: list[str], error: str | None, covered: bool
) -> None:
    assert matches(names, StateError(error)) is covered


@pytest.mark.parametrize("name", ["States.Timeout", "States.HeartbeatTimeout", "States.ALL"])
def test_a_missed_heartbeat_goes_by_two_names(name: str) -> None:
    assert matches([name], HeartbeatMissedError())


def test_intervals_grow_by_the_backoff_rate() -> None:
    assert [interval({}, attempt) for attempt in range(4)] == [1, 2, 4, 8]
    retrier = {"IntervalSeconds": 3, "BackoffRate": 1.5}
    assert [interval(retrier, attempt) for attempt in range(3)] == [3, 4.5, 6.75]


def test_intervals_have_a_cap() -> None:
    retrier = {"IntervalSeconds": 5, "MaxDelaySeconds": 12}
    assert [interval(retrier, attempt) for attempt in range(4)] == [5, 10, 12, 12]
    assert interval({"MaxDelaySeconds": 60}, 5000) == 60


def test_full_jitter_takes_any_time_up_to_the_interval() -> None:
    retriers = [
        {
            "ErrorEquals": ["E"],
            "IntervalSeconds": 10,
            "BackoffRate": 1,
            "MaxAttempts": 200,
            "JitterStrategy": "FULL",
        }
    ]
    retries = Retries(retriers)
    delays = [retries.delay(StateError("E")) or 0.0 for _ in range(200)]
    assert min(delays) < 2
    assert max(delays) > 8
    assert all(0 <= delay <= 10 for delay in delays)


def test_three_attempts_unless_the_retrier_says_otherwise() -> None:
    retries = Retries([{"ErrorEquals": ["E"]}])
    assert [retries.delay(StateError("E")) for _ in range(4)] == [1, 2, 4, None]


def test_zero_attempts_mean_no_retry() -> None:
    retries = Retries([{"ErrorEquals": ["E"], "MaxAttempts": 0}, {"ErrorEquals": ["States.ALL"]}])
    assert retries.delay(StateError("E")) is None
    assert retries.delay(StateError("F")) == 1


def test_each_retrier_counts_its_own_attempts() -> None:
    retries = Retries(
        [
            {"ErrorEquals": ["A"], "MaxAttempts": 1, "IntervalSeconds": 7},
            {"ErrorEquals": ["B"], "MaxAttempts": 1, "IntervalSeconds": 9},
        ]
    )
    errors = [StateError(name) for name in "ABAB"]
    assert [retries.delay(error) for error in errors] == [7, 9, None, None]


def test_the_first_catcher_that_covers_the_error_counts() -> None:
    catchers = [{"ErrorEquals": ["A"]}, {"ErrorEquals": ["B"]}, {"ErrorEquals": ["States.ALL"]}]
    assert [catcher_for(catchers, StateError(name)) for name in "ABC"] == [0, 1, 2]
    assert catcher_for(catchers, StateError("States.Runtime")) is None


def test_a_timeout_has_an_empty_cause_in_the_error_output() -> None:
    assert error_output(StateError("States.Timeout")) == {"Error": "States.Timeout", "Cause": ""}
    assert error_output(StateError(None)) == {"Error": None, "Cause": None}


def failing(asl: World, *errors: StateError) -> None:
    """Let the task fail with these errors, one after the other, then succeed."""
    left = list(errors)

    def answer(_: object) -> object:
        if left:
            raise left.pop(0)
        return "done"

    asl.services.answers[LAMBDA] = answer


def test_a_task_succeeds_after_retries(asl: World) -> None:
    failing(asl, StateError("A"), StateError("A"))
    state = {"Type": "Task", "Resource": LAMBDA, "Retry": [{"ErrorEquals": ["A"]}]}
    assert output(asl.run(one(state))) == "done"


def test_after_the_last_retry_the_catcher_has_its_turn(asl: World) -> None:
    failing(asl, *[StateError("A", "again")] * 5)
    state = {
        "Type": "Task",
        "Resource": LAMBDA,
        "Retry": [{"ErrorEquals": ["A"], "MaxAttempts": 2}],
        "Catch": [{"ErrorEquals": ["A"], "Next": "Caught"}],
        "End": True,
    }
    run = asl.run(machine("Call", Call=state, Caught={"Type": "Succeed"}))
    assert output(run) == {"Error": "A", "Cause": "again"}
    assert types(run).count("TaskFailed") == 3


def test_a_catcher_has_output_and_variables(asl: World) -> None:
    failing(asl, StateError("A", "why"))
    state = {
        "Type": "Task",
        "Resource": LAMBDA,
        "Assign": {"never": "assigned"},
        "Catch": [
            {
                "ErrorEquals": ["A"],
                "Next": "Caught",
                "Output": "{% $states.input & $states.errorOutput.Error %}",
                "Assign": {"why": "{% $states.errorOutput.Cause %}"},
            }
        ],
        "End": True,
    }
    caught = {"Type": "Pass", "Output": "{% [$states.input, $why, $exists($never)] %}", "End": True}
    run = asl.run(machine("Call", Call=state, Caught=caught), "in ")
    assert output(run) == ["in A", "why", False]
    assert details(run, "TaskStateExited")["assignedVariables"] == {"why": '"why"'}


def test_an_expression_that_fails_can_be_caught(asl: World) -> None:
    state = {
        "Type": "Task",
        "Resource": LAMBDA,
        "Output": "{% $nothing %}",
        "Catch": [{"ErrorEquals": ["States.QueryEvaluationError"], "Next": "Caught"}],
        "End": True,
    }
    run = asl.run(machine("Call", Call=state, Caught={"Type": "Succeed"}))
    assert output(run)["Error"] == "States.QueryEvaluationError"
    assert "EvaluationFailed" in types(run)


def test_a_catcher_whose_own_output_fails_fails_the_execution(asl: World) -> None:
    failing(asl, StateError("A"))
    catch = [{"ErrorEquals": ["A"], "Next": "Only", "Output": "{% $nothing %}"}]
    run = asl.run(one({"Type": "Task", "Resource": LAMBDA, "Catch": catch}))
    assert run.error == "States.QueryEvaluationError"
    assert details(run, "EvaluationFailed")["location"] == "Catch/0/Output"


@pytest.mark.parametrize("name", ["States.ALL", "States.DataLimitExceeded"])
@pytest.mark.parametrize("resource", [LAMBDA, FUNCTION])
def test_a_result_that_is_too_large_is_caught_like_any_error(
    asl: World, name: str, resource: str
) -> None:
    asl.services.answers[resource] = lambda _: "x" * 300_000
    state = {
        "Type": "Task",
        "Resource": resource,
        "Catch": [{"ErrorEquals": [name], "Next": "Caught"}],
        "End": True,
    }
    run = asl.run(machine("Call", Call=state, Caught={"Type": "Succeed"}))
    assert output(run)["Error"] == "States.DataLimitExceeded"


@pytest.mark.parametrize(
    ("name", "caught"), [("States.ALL", False), ("States.DataLimitExceeded", True)]
)
def test_too_large_an_output_is_caught_by_its_name_only(
    asl: World, name: str, caught: bool
) -> None:
    state = {
        "Type": "Task",
        "Resource": LAMBDA,
        "Output": "{% $pad('', 300000, 'x') %}",
        "Catch": [{"ErrorEquals": [name], "Next": "Caught"}],
        "End": True,
    }
    run = asl.run(machine("Call", Call=state, Caught={"Type": "Succeed"}))
    assert (run.status.value == "SUCCEEDED") is caught


def test_a_missed_heartbeat_is_caught_by_name(asl: World) -> None:
    state = {
        "Type": "Task",
        "Resource": CALLBACK,
        "HeartbeatSeconds": 0.05,
        "Catch": [{"ErrorEquals": ["States.HeartbeatTimeout"], "Next": "Caught"}],
        "End": True,
    }
    run = asl.run(machine("Call", Call=state, Caught={"Type": "Succeed"}))
    assert output(run) == {"Error": "States.Timeout", "Cause": ""}


def test_branches_that_fail_are_retried_from_the_beginning(asl: World) -> None:
    failing(asl, StateError("A"))
    state = {
        "Type": "Parallel",
        "Branches": [
            one({"Type": "Pass", "Output": 1}),
            one({"Type": "Task", "Resource": LAMBDA}),
        ],
        "Retry": [{"ErrorEquals": ["States.ALL"]}],
    }
    run = asl.run(one(state))
    assert output(run) == [1, "done"]
    assert types(run).count("PassStateEntered") == 2
