"""What the history of an execution says, event by event, as recordings of the service show it."""

from __future__ import annotations

import json
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
    types,
    until,
)

from penstock_local.asl.errors import StateError
from penstock_local.asl.execution import Status
from penstock_local.asl.integrations import Call

FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:f"
NOT_TRUNCATED = {"truncated": False}


def doubled(limit: int = 1) -> dict[str, Any]:
    return {
        "Type": "Map",
        "Items": "{% $states.input %}",
        "MaxConcurrency": limit,
        "ItemProcessor": one({"Type": "Pass", "Output": "{% $states.input * 2 %}"}, "Double"),
    }


def test_the_first_event_after_the_start_follows_event_0(asl: World) -> None:
    assert chain(asl.run(one({"Type": "Pass"}))) == [
        (1, "ExecutionStarted", 0),
        (2, "PassStateEntered", 0),
        (3, "PassStateExited", 2),
        (4, "ExecutionSucceeded", 3),
    ]


def test_a_state_follows_the_exit_of_the_one_before(asl: World) -> None:
    definition = machine("First", First={"Type": "Pass", "Next": "Last"}, Last={"Type": "Succeed"})
    assert chain(asl.run(definition))[2:] == [
        (3, "PassStateExited", 2),
        (4, "SucceedStateEntered", 3),
        (5, "SucceedStateExited", 4),
        (6, "ExecutionSucceeded", 5),
    ]


def test_input_and_output_come_with_their_details(asl: World) -> None:
    run = asl.run(one({"Type": "Pass"}), {"a": [1, 2]})
    started = details(run, "ExecutionStarted")
    assert started["inputDetails"] == NOT_TRUNCATED
    assert started["roleArn"] == run.machine.role_arn
    assert details(run, "PassStateEntered")["inputDetails"] == NOT_TRUNCATED
    assert details(run, "PassStateExited")["outputDetails"] == NOT_TRUNCATED
    assert details(run, "ExecutionSucceeded")["outputDetails"] == NOT_TRUNCATED


def test_the_callers_text_stays_and_what_the_engine_writes_is_compact(asl: World) -> None:
    definition = machine("First", First={"Type": "Pass", "Next": "Last"}, Last={"Type": "Succeed"})
    run = asl.run(definition, {"a": [1, 2]})
    assert details(run, "ExecutionStarted")["input"] == '{"a": [1, 2]}'
    assert details(run, "PassStateEntered")["input"] == '{"a": [1, 2]}'
    assert details(run, "PassStateExited")["output"] == '{"a":[1,2]}'
    assert details(run, "SucceedStateEntered")["input"] == '{"a":[1,2]}'


@pytest.mark.parametrize(
    "state",
    [
        {"Type": "Pass"},
        {"Type": "Wait", "Seconds": 0},
        {"Type": "Task", "Resource": LAMBDA},
        {"Type": "Parallel", "Branches": [one({"Type": "Pass"})]},
    ],
    ids=lambda state: state["Type"],
)
def test_assigned_variables_are_shown_as_json_texts(asl: World, state: dict[str, Any]) -> None:
    run = asl.run(one({**state, "Assign": {"x": 42, "name": "abc"}}))
    exited = details(run, f"{state['Type']}StateExited")
    assert exited["assignedVariables"] == {"x": "42", "name": '"abc"'}
    assert exited["assignedVariablesDetails"] == NOT_TRUNCATED


def test_a_state_that_assigns_nothing_shows_no_variables(asl: World) -> None:
    assert set(details(asl.run(one({"Type": "Pass"})), "PassStateExited")) == {
        "name",
        "output",
        "outputDetails",
    }


def test_an_inline_map_one_item_at_a_time(asl: World) -> None:
    assert chain(asl.run(one(doubled()), [1, 2]))[1:] == [
        (2, "MapStateEntered", 0),
        (3, "MapStateStarted", 2),
        (4, "MapIterationStarted", 3),
        (5, "PassStateEntered", 4),
        (6, "PassStateExited", 5),
        (7, "MapIterationSucceeded", 6),
        (8, "MapIterationStarted", 6),
        (9, "PassStateEntered", 8),
        (10, "PassStateExited", 9),
        (11, "MapIterationSucceeded", 10),
        (12, "MapStateSucceeded", 11),
        (13, "MapStateExited", 11),
        (14, "ExecutionSucceeded", 13),
    ]


def test_iterations_that_start_together_follow_the_start_of_the_map(asl: World) -> None:
    events = chain(asl.run(one(doubled(3)), [1, 2, 3]))
    assert events[2:6] == [
        (3, "MapStateStarted", 2),
        (4, "MapIterationStarted", 3),
        (5, "MapIterationStarted", 3),
        (6, "MapIterationStarted", 3),
    ]


def test_iterations_are_named_and_numbered(asl: World) -> None:
    run = asl.run(one(doubled()), [1, 2])
    assert details(run, "MapStateStarted") == {"length": 2}
    assert details(run, "MapIterationStarted", 1) == {"name": "Only", "index": 1}
    assert details(run, "MapIterationSucceeded", 1) == {"name": "Only", "index": 1}


def test_an_empty_map(asl: World) -> None:
    assert chain(asl.run(one(doubled()), []))[2:5] == [
        (3, "MapStateStarted", 2),
        (4, "MapStateSucceeded", 3),
        (5, "MapStateExited", 3),
    ]


def distributed(state: dict[str, Any], **fields: object) -> dict[str, Any]:
    return {
        "Type": "Map",
        "Items": "{% $states.input %}",
        "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, **one(state)},
        **fields,
    }


def test_a_distributed_map_shows_its_run_and_no_children(asl: World) -> None:
    run = asl.run(one(distributed({"Type": "Pass"})), [1, 2, 3])
    assert chain(run)[1:] == [
        (2, "MapStateEntered", 0),
        (3, "MapStateStarted", 2),
        (4, "MapRunStarted", 3),
        (5, "MapRunSucceeded", 4),
        (6, "MapStateSucceeded", 5),
        (7, "MapStateExited", 5),
        (8, "ExecutionSucceeded", 7),
    ]
    assert details(run, "MapStateStarted") == {"length": 3}
    assert set(details(run, "MapRunStarted")) == {"mapRunArn"}
    assert "mapRunSucceededEventDetails" not in run.history.events[4].as_answer()


def test_with_an_item_reader_the_length_is_0(asl: World) -> None:
    asl.services.s3.texts["items.json"] = "[1, 2]"
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"},
        "Arguments": {"Bucket": "b", "Key": "items.json"},
    }
    state = distributed({"Type": "Pass"}, ItemReader=reader)
    del state["Items"]
    run = asl.run(one(state))
    assert details(run, "MapStateStarted") == {"length": 0}
    assert run.output == "[1,2]"


def test_a_distributed_map_that_fails(asl: World) -> None:
    run = asl.run(one(distributed({"Type": "Fail", "Error": "Bad"})), [1])
    assert chain(run)[2:] == [
        (3, "MapStateStarted", 2),
        (4, "MapRunStarted", 3),
        (5, "MapRunFailed", 4),
        (6, "MapStateFailed", 5),
        (7, "ExecutionFailed", 6),
    ]
    assert (
        details(run, "MapRunFailed")
        == details(run, "ExecutionFailed")
        == {
            "error": "States.ExceedToleratedFailureThreshold",
            "cause": "The specified tolerated failure threshold was exceeded",
        }
    )


def test_a_failed_iteration(asl: World) -> None:
    state = {**doubled(), "ItemProcessor": one({"Type": "Fail", "Error": "Bad"}, "Give Up")}
    assert chain(asl.run(one(state), [1]))[3:] == [
        (4, "MapIterationStarted", 3),
        (5, "FailStateEntered", 4),
        (6, "MapIterationFailed", 5),
        (7, "MapStateFailed", 5),
        (8, "ExecutionFailed", 7),
    ]


def test_a_failed_iteration_aborts_the_others(asl: World) -> None:
    def answer(call: Call) -> Any:
        if call.arguments == 1:
            raise StateError("Bad")
        return never(call)

    asl.services.answers[LAMBDA] = answer
    state = {**doubled(3), "ItemProcessor": one({"Type": "Task", "Resource": LAMBDA}, "Call")}
    events = chain(asl.run(one(state), [2, 1, 3]))
    failed = next(number for number, kind, _ in events if kind == "TaskFailed")
    first = next(number for number, kind, _ in events if kind == "MapIterationFailed")
    assert events[first - 1 :] == [
        (first, "MapIterationFailed", failed),
        (first + 1, "TaskStateAborted", failed),
        (first + 2, "MapIterationAborted", failed),
        (first + 3, "TaskStateAborted", failed),
        (first + 4, "MapIterationAborted", failed),
        (first + 5, "TaskStateAborted", failed),
        (first + 6, "MapStateFailed", failed),
        (first + 7, "ExecutionFailed", first + 6),
    ]


def test_a_retried_map_starts_again_after_the_last_inner_event(asl: World) -> None:
    state = {
        **doubled(),
        "ItemProcessor": one({"Type": "Fail", "Error": "Bad"}, "Give Up"),
        "Retry": [{"ErrorEquals": ["Bad"], "MaxAttempts": 1}],
    }
    events = chain(asl.run(one(state), [1]))
    assert events[4:9] == [
        (5, "FailStateEntered", 4),
        (6, "MapIterationFailed", 5),
        (7, "MapStateStarted", 5),
        (8, "MapIterationStarted", 7),
        (9, "FailStateEntered", 8),
    ]
    assert [kind for _, kind, _ in events].count("MapStateFailed") == 1


def test_a_retried_parallel_starts_again_after_the_last_inner_event(asl: World) -> None:
    state = {
        "Type": "Parallel",
        "Branches": [one({"Type": "Fail", "Error": "Bad"})],
        "Retry": [{"ErrorEquals": ["Bad"], "MaxAttempts": 1}],
    }
    assert chain(asl.run(one(state)))[2:6] == [
        (3, "ParallelStateStarted", 2),
        (4, "FailStateEntered", 3),
        (5, "ParallelStateStarted", 4),
        (6, "FailStateEntered", 5),
    ]


def test_a_caught_map_exits_with_what_the_catcher_makes_of_it(asl: World) -> None:
    state = {
        **doubled(),
        "ItemProcessor": one({"Type": "Fail", "Error": "Bad"}, "Give Up"),
        "Catch": [{"ErrorEquals": ["Bad"], "Next": "Go On", "Output": "caught"}],
        "End": True,
    }
    run = asl.run({"StartAt": "Map", "States": {"Map": state, "Go On": {"Type": "Succeed"}}}, [1])
    assert types(run)[4:9] == [
        "FailStateEntered",
        "MapIterationFailed",
        "MapStateFailed",
        "MapStateExited",
        "SucceedStateEntered",
    ]
    assert details(run, "MapStateExited")["output"] == '"caught"'


def test_a_parallel_state(asl: World) -> None:
    state = {
        "Type": "Parallel",
        "Branches": [one({"Type": "Pass", "Output": 1}), one({"Type": "Pass", "Output": 2})],
    }
    run = asl.run(one(state))
    assert chain(run)[1:] == [
        (2, "ParallelStateEntered", 0),
        (3, "ParallelStateStarted", 2),
        (4, "PassStateEntered", 3),
        (5, "PassStateExited", 4),
        (6, "PassStateEntered", 3),
        (7, "PassStateExited", 6),
        (8, "ParallelStateSucceeded", 7),
        (9, "ParallelStateExited", 7),
        (10, "ExecutionSucceeded", 9),
    ]
    assert run.output == "[1,2]"


def test_a_task_that_fails_in_a_branch_is_also_aborted(asl: World) -> None:
    def fail(_: object) -> None:
        raise StateError("Bad", "because")

    asl.services.answers[LAMBDA] = fail
    state = {"Type": "Parallel", "Branches": [one({"Type": "Task", "Resource": LAMBDA})]}
    assert chain(asl.run(one(state)))[3:] == [
        (4, "TaskStateEntered", 3),
        (5, "TaskScheduled", 4),
        (6, "TaskStarted", 5),
        (7, "TaskFailed", 6),
        (8, "TaskStateAborted", 7),
        (9, "ParallelStateFailed", 7),
        (10, "ExecutionFailed", 9),
    ]


def test_a_retried_task_is_scheduled_again_after_its_failure(asl: World) -> None:
    answers = [StateError("Busy"), {"ok": True}]

    def answer(_: object) -> object:
        now = answers.pop(0)
        if isinstance(now, StateError):
            raise now
        return now

    asl.services.answers[LAMBDA] = answer
    state = {"Type": "Task", "Resource": LAMBDA, "Retry": [{"ErrorEquals": ["Busy"]}]}
    assert chain(asl.run(one(state)))[1:] == [
        (2, "TaskStateEntered", 0),
        (3, "TaskScheduled", 2),
        (4, "TaskStarted", 3),
        (5, "TaskFailed", 4),
        (6, "TaskScheduled", 5),
        (7, "TaskStarted", 6),
        (8, "TaskSucceeded", 7),
        (9, "TaskStateExited", 8),
        (10, "ExecutionSucceeded", 9),
    ]


def test_the_events_of_an_optimised_task(asl: World) -> None:
    run = asl.run(
        one(
            {
                "Type": "Task",
                "Resource": LAMBDA,
                "Arguments": {"FunctionName": "f"},
                "TimeoutSeconds": 30,
                "Credentials": {"RoleArn": "arn:aws:iam::123456789012:role/other"},
            }
        )
    )
    kind = {"resourceType": "lambda", "resource": "invoke"}
    assert details(run, "TaskScheduled") == {
        **kind,
        "region": "eu-central-1",
        "parameters": '{"FunctionName":"f"}',
        "timeoutInSeconds": 30,
        "taskCredentials": {"roleArn": "arn:aws:iam::123456789012:role/other"},
    }
    assert details(run, "TaskStarted") == kind
    assert details(run, "TaskSucceeded") == {
        **kind,
        "output": '{"FunctionName":"f"}',
        "outputDetails": NOT_TRUNCATED,
    }


def test_timeouts_appear_only_where_the_state_sets_them(asl: World) -> None:
    scheduled = details(asl.run(one({"Type": "Task", "Resource": LAMBDA})), "TaskScheduled")
    assert set(scheduled) == {"resourceType", "resource", "region", "parameters"}


def test_the_names_of_an_aws_sdk_task(asl: World) -> None:
    resource = "arn:aws:states:::aws-sdk:s3:getObject"
    started = details(asl.run(one({"Type": "Task", "Resource": resource})), "TaskStarted")
    assert started == {"resourceType": "aws-sdk:s3", "resource": "getObject"}


def test_a_job_is_submitted_after_its_start(asl: World) -> None:
    asl.services.answers[GLUE] = lambda _: {"JobRunId": "jr_1"}
    asl.services.ends[GLUE] = lambda _: {"JobRunState": "SUCCEEDED"}
    run = asl.run(one({"Type": "Task", "Resource": GLUE}))
    assert types(run)[2:7] == [
        "TaskScheduled",
        "TaskStarted",
        "TaskSubmitted",
        "TaskSucceeded",
        "TaskStateExited",
    ]
    assert details(run, "TaskSubmitted") == {
        "resourceType": "glue",
        "resource": "startJobRun.sync",
        "output": '{"JobRunId":"jr_1"}',
        "outputDetails": NOT_TRUNCATED,
    }


def test_a_callback_task_is_submitted_after_its_start(asl: World) -> None:
    run = asl.begin(one({"Type": "Task", "Resource": CALLBACK}))
    until(lambda: "TaskSubmitted" in types(run))
    waiter = asl.engine.callbacks.find(asl.token_of(run))
    assert waiter is not None
    asl.engine.call(waiter.succeed, {"done": True})
    asl.ended(run)
    assert details(run, "TaskSubmitted")["resource"] == "invoke.waitForTaskToken"
    assert details(run, "TaskSucceeded")["output"] == '{"done":true}'


def test_a_task_that_fails(asl: World) -> None:
    def fail(_: object) -> None:
        raise StateError("Lambda.TooManyRequestsException", "slow down")

    asl.services.answers[LAMBDA] = fail
    run = asl.run(one({"Type": "Task", "Resource": LAMBDA}))
    assert details(run, "TaskFailed") == {
        "resourceType": "lambda",
        "resource": "invoke",
        "error": "Lambda.TooManyRequestsException",
        "cause": "slow down",
    }


def test_a_task_that_takes_too_long_has_no_cause(asl: World) -> None:
    asl.services.answers[LAMBDA] = never
    run = asl.run(one({"Type": "Task", "Resource": LAMBDA, "TimeoutSeconds": 0.05}))
    assert chain(run)[4:] == [(5, "TaskTimedOut", 4), (6, "ExecutionFailed", 5)]
    assert details(run, "TaskTimedOut") == {
        "resourceType": "lambda",
        "resource": "invoke",
        "error": "States.Timeout",
    }
    assert details(run, "ExecutionFailed") == {"error": "States.Timeout"}


def test_a_functions_arn_has_events_of_its_own(asl: World) -> None:
    asl.services.answers[FUNCTION] = lambda _: [1]
    run = asl.run(
        one(
            {
                "Type": "Task",
                "Resource": FUNCTION,
                "Arguments": {"a": 1},
                "TimeoutSeconds": 5,
            }
        )
    )
    assert types(run)[2:5] == [
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionSucceeded",
    ]
    assert details(run, "LambdaFunctionScheduled") == {
        "resource": FUNCTION,
        "input": '{"a":1}',
        "inputDetails": NOT_TRUNCATED,
        "timeoutInSeconds": 5,
    }
    assert "lambdaFunctionStartedEventDetails" not in run.history.events[3].as_answer()
    assert details(run, "LambdaFunctionSucceeded") == {
        "output": "[1]",
        "outputDetails": NOT_TRUNCATED,
    }


@pytest.mark.parametrize(
    ("answer", "event", "expected"),
    [
        (StateError("Oops", "text"), "LambdaFunctionFailed", {"error": "Oops", "cause": "text"}),
        (never, "LambdaFunctionTimedOut", {"error": "States.Timeout"}),
    ],
)
def test_a_functions_arn_that_fails(
    asl: World, answer: object, event: str, expected: dict[str, Any]
) -> None:
    def fail(call: Call) -> Any:
        if isinstance(answer, StateError):
            raise answer
        return never(call)

    asl.services.answers[FUNCTION] = fail
    run = asl.run(one({"Type": "Task", "Resource": FUNCTION, "TimeoutSeconds": 0.05}))
    assert details(run, event) == expected


def test_a_fail_state_leads_straight_to_the_end(asl: World) -> None:
    run = asl.run(one({"Type": "Fail", "Error": "Bad", "Cause": "because"}))
    assert chain(run)[1:] == [(2, "FailStateEntered", 0), (3, "ExecutionFailed", 2)]
    assert details(run, "ExecutionFailed") == {"error": "Bad", "cause": "because"}


@pytest.mark.parametrize("fields", [{}, {"Error": "Bad"}, {"Cause": "because"}], ids=str)
def test_what_a_fail_state_does_not_say_is_absent(asl: World, fields: dict[str, Any]) -> None:
    run = asl.run(one({"Type": "Fail", **fields}))
    answer = run.history.events[-1].as_answer()
    assert answer["executionFailedEventDetails"] == {
        name.lower(): value for name, value in fields.items()
    }


def test_a_caught_error_has_no_event_of_its_own(asl: World) -> None:
    def fail(_: object) -> None:
        raise StateError("Bad")

    asl.services.answers[LAMBDA] = fail
    state = {
        "Type": "Task",
        "Resource": LAMBDA,
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Go On"}],
        "End": True,
    }
    run = asl.run({"StartAt": "Call", "States": {"Call": state, "Go On": {"Type": "Succeed"}}})
    assert chain(run)[4:7] == [
        (5, "TaskFailed", 4),
        (6, "TaskStateExited", 5),
        (7, "SucceedStateEntered", 6),
    ]


def test_a_stopped_execution_ends_with_an_event_that_follows_nothing(asl: World) -> None:
    run = asl.begin(one({"Type": "Task", "Resource": CALLBACK}))
    until(lambda: "TaskSubmitted" in types(run))
    asl.stop(run)
    assert chain(run)[-1] == (6, "ExecutionAborted", 0)
    assert run.history.events[-1].as_answer()["executionAbortedEventDetails"] == {}
    assert run.status is Status.ABORTED


def test_a_failing_expression_follows_the_event_before_its_state(asl: World) -> None:
    definition = machine(
        "First",
        First={"Type": "Pass", "Next": "Second"},
        Second={"Type": "Pass", "Output": {"result": "{% $nothing %}"}, "End": True},
    )
    run = asl.run(definition)
    assert chain(run)[2:] == [
        (3, "PassStateExited", 2),
        (4, "PassStateEntered", 3),
        (5, "EvaluationFailed", 3),
        (6, "ExecutionFailed", 5),
    ]
    failed = details(run, "EvaluationFailed")
    assert failed["state"] == "Second"
    assert failed["location"] == "Output/result"
    assert failed["error"] == "States.QueryEvaluationError"
    assert failed["cause"] == (
        "An error occurred while executing the state 'Second' (entered at the event id #4). The"
        " JSONata expression '$nothing' specified for the field 'Output/result' returned nothing"
        " (undefined)."
    )
    assert details(run, "ExecutionFailed") == {
        "error": failed["error"],
        "cause": failed["cause"],
    }


def test_a_failing_expression_of_a_wait_follows_its_entered_event(asl: World) -> None:
    run = asl.run(one({"Type": "Wait", "Timestamp": "{% 'tomorrow' %}"}))
    assert chain(run)[1:] == [
        (2, "WaitStateEntered", 0),
        (3, "EvaluationFailed", 2),
        (4, "ExecutionFailed", 3),
    ]
    failed = details(run, "EvaluationFailed")
    assert failed["location"] == "Timestamp"
    assert failed["cause"].endswith(
        "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format"
        " string: tomorrow"
    )


def test_a_map_without_a_list_fails_without_a_location(asl: World) -> None:
    state = {"Type": "Map", "ItemProcessor": one({"Type": "Pass"})}
    run = asl.run(one(state), {"foo": "bar"})
    assert types(run)[1:] == [
        "MapStateEntered",
        "EvaluationFailed",
        "MapStateFailed",
        "ExecutionFailed",
    ]
    failed = details(run, "EvaluationFailed")
    assert "location" not in failed
    assert failed["cause"].endswith('Map state input must be an array but was: {"foo":"bar"}')


def test_events_can_be_had_without_their_data(asl: World) -> None:
    run = asl.run(one({"Type": "Task", "Resource": LAMBDA, "Assign": {"x": 1}}), {"secret": 1})
    shown = json.dumps([event.as_answer(include_data=False) for event in run.history.events])
    assert "secret" not in shown
    assert "assignedVariables" not in shown
