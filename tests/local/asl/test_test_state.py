"""TestState: one state by itself, with its work mocked or done."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from tests.local.asl.api_world import ACCOUNT, REGION
from tests.local.asl.world import CALLBACK, GLUE, LAMBDA, ROLE, World

from penstock_local.asl.api import ApiError
from penstock_local.asl.errors import StateError
from penstock_local.asl.test_state import StateTests

INVOKE = {
    "Type": "Task",
    "Resource": LAMBDA,
    "Arguments": {"FunctionName": "f", "Payload": "{% $states.input %}"},
    "End": True,
}
INNER = {"StartAt": "Inner", "States": {"Inner": {"Type": "Pass", "End": True}}}
DISTRIBUTED = {**INNER, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
MAP = {"Type": "Map", "ItemProcessor": DISTRIBUTED, "End": True}
PARALLEL = {"Type": "Parallel", "Branches": [INNER], "End": True}
ERROR = {"errorOutput": {"error": "Bad", "cause": "because"}}


class StateTester:
    """Calls TestState as a client does, with Python values in the place of JSON texts."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tests = StateTests(world.engine, REGION, ACCOUNT)

    def __call__(self, state: Any, value: Any = None, **request: Any) -> dict[str, Any]:
        if "States" not in state:
            state = {"QueryLanguage": "JSONata", **state}
        for field in ("variables", "context"):
            if field in request and not isinstance(request[field], str):
                request[field] = json.dumps(request[field])
        text = json.dumps({} if value is None else value)
        return self.tests.test({"definition": json.dumps(state), "input": text, **request})

    def inspected(self, state: Any, value: Any = None, **request: Any) -> dict[str, Any]:
        """The inspectionData of level DEBUG."""
        answer = self(state, value, inspectionLevel="DEBUG", **request)
        data: dict[str, Any] = answer["inspectionData"]
        return data

    def refused(self, state: Any, value: Any = None, **request: Any) -> tuple[str, str]:
        """Code and message of what must be a refusal."""
        with pytest.raises(ApiError) as refusal:
            self(state, value, **request)
        return refusal.value.code, refusal.value.message

    def invalid(self, state: Any, value: Any = None, **request: Any) -> str:
        """The message of what must be a ValidationException."""
        code, message = self.refused(state, value, **request)
        assert code == "ValidationException"
        return message


@pytest.fixture
def tester(asl: World) -> StateTester:
    return StateTester(asl)


def mocked(result: Any, **more: Any) -> dict[str, Any]:
    return {"result": json.dumps(result), **more}


def out(answer: dict[str, Any]) -> Any:
    """The output of a test that must have succeeded."""
    assert answer["status"] == "SUCCEEDED", answer
    return json.loads(answer["output"])


# States that do their work at once


def test_a_pass_state_hands_its_input_on_and_names_the_next_state(tester: StateTester) -> None:
    answer = tester({"Type": "Pass", "Next": "Other"}, {"a": 1})
    assert answer == {"status": "SUCCEEDED", "output": '{"a":1}', "nextState": "Other"}


def test_the_input_is_an_empty_object_when_none_is_given(tester: StateTester) -> None:
    definition = json.dumps({"Type": "Succeed", "QueryLanguage": "JSONata"})
    assert tester.tests.test({"definition": definition})["output"] == "{}"


def test_a_choice_state_names_the_state_its_rule_leads_to(tester: StateTester) -> None:
    choices = [
        {"Condition": "{% $states.input.cost < 10 %}", "Next": "Cheap", "Output": "low"},
        {"Condition": "{% $states.input.cost < 100 %}", "Next": "Dear"},
    ]
    state = {"Type": "Choice", "Choices": choices, "Default": "Beyond"}
    assert tester(state, {"cost": 5}) == {
        "status": "SUCCEEDED",
        "output": '"low"',
        "nextState": "Cheap",
    }
    assert tester(state, {"cost": 500})["nextState"] == "Beyond"


def test_a_choice_state_without_a_fitting_rule_fails(tester: StateTester) -> None:
    state = {"Type": "Choice", "Choices": [{"Condition": False, "Next": "Never"}]}
    answer = tester(state)
    assert (answer["status"], answer["error"]) == ("FAILED", "States.NoChoiceMatched")


def test_a_wait_state_waits_and_goes_on(tester: StateTester) -> None:
    assert tester({"Type": "Wait", "Seconds": 3, "Next": "Later"})["nextState"] == "Later"


def test_a_fail_state_gives_error_and_cause(tester: StateTester) -> None:
    state = {"Type": "Fail", "Error": "{% $states.input.e %}", "Cause": "why"}
    assert tester(state, {"e": "Oops"}) == {"status": "FAILED", "error": "Oops", "cause": "why"}


def test_a_fail_state_with_neither_gives_neither(tester: StateTester) -> None:
    assert tester({"Type": "Fail"}) == {"status": "FAILED"}


def test_an_expression_that_fails_fails_the_state(tester: StateTester) -> None:
    answer = tester({"Type": "Pass", "Output": "{% $states.input.none %}", "End": True})
    assert answer["status"] == "FAILED"
    assert answer["error"] == "States.QueryEvaluationError"
    assert answer["cause"].endswith(
        "The JSONata expression '$states.input.none' specified for the field 'Output' returned"
        " nothing (undefined)."
    )


# Tasks


def test_a_task_really_calls_its_service_in_the_name_of_the_role(tester: StateTester) -> None:
    tester.world.services.answers[LAMBDA] = lambda call: {"Payload": call.arguments["Payload"]}
    state = {**INVOKE, "Output": "{% $states.result.Payload.n + 1 %}"}
    assert out(tester(state, {"n": 1}, roleArn=ROLE)) == 2
    assert tester.world.services.calls[0].role_arn == ROLE


def test_a_task_that_fails_without_handlers_has_failed(tester: StateTester) -> None:
    def fail(_: Any) -> Any:
        raise StateError("Lambda.Unknown", "gone")

    tester.world.services.answers[LAMBDA] = fail
    answer = tester(INVOKE, roleArn=ROLE)
    assert answer == {"status": "FAILED", "error": "Lambda.Unknown", "cause": "gone"}


def test_the_arguments_of_a_real_call_are_shown_as_they_were_sent(tester: StateTester) -> None:
    tester.world.services.answers[LAMBDA] = lambda _: {"Payload": 1}
    state = {**INVOKE, "Arguments": {"FunctionName": "{% $uuid() %}"}}
    data = tester.inspected(state, roleArn=ROLE)
    sent = tester.world.services.calls[0].arguments
    assert json.loads(data["afterArguments"]) == sent
    assert data["result"] == '{"Payload":1}'


def test_a_real_task_needs_a_role(tester: StateTester) -> None:
    assert tester.invalid(INVOKE) == "RoleArn must be specified when testing a Task state"


@pytest.mark.parametrize(
    "resource",
    [GLUE, CALLBACK, "arn:aws:states:eu-central-1:123456789012:activity:desk"],
)
def test_a_task_that_waits_needs_a_mock(tester: StateTester, resource: str) -> None:
    arguments = {"JobName": "j"} if resource == GLUE else {"FunctionName": "f"}
    state = {**INVOKE, "Resource": resource, "Arguments": arguments}
    assert "only when a mock is specified" in tester.invalid(state, roleArn=ROLE)


@pytest.mark.parametrize("state", [{**MAP, "Items": [1]}, PARALLEL])
def test_map_and_parallel_states_need_a_mock(tester: StateTester, state: Any) -> None:
    assert tester.refused(state, roleArn=ROLE) == (
        "InvalidDefinition",
        "TestState API does not support Map or Parallel states. Supported state types include:"
        " [Task, Wait, Pass, Succeed, Fail, Choice]",
    )


# Mocks


def test_a_mocked_task_calls_nobody_and_needs_no_role(tester: StateTester) -> None:
    state = {**INVOKE, "Output": "{% $states.result.Payload %}", "Assign": {"x": 1}}
    assert out(tester(state, mock=mocked({"Payload": "done"}))) == "done"
    assert tester.world.services.calls == []


@pytest.mark.parametrize("kind", ["Pass", "Succeed", "Fail", "Wait", "Choice"])
def test_states_that_call_nobody_take_no_mock(tester: StateTester, kind: str) -> None:
    state: dict[str, Any] = {"Type": kind}
    if kind in ("Pass", "Wait"):
        state["End"] = True
    if kind == "Wait":
        state["Seconds"] = 1
    if kind == "Choice":
        state["Choices"] = [{"Condition": True, "Next": "Other"}]
    assert tester.invalid(state, mock=mocked({})) == (
        f"State type '{kind}' is not supported when a mock is specified"
    )


@pytest.mark.parametrize("mock", [{**ERROR, "result": "{}"}, {}])
def test_a_mock_is_either_a_result_or_an_error(tester: StateTester, mock: Any) -> None:
    assert tester.invalid(INVOKE, mock=mock) == (
        "A test mock should have only one of the following fields: [result, errorOutput]."
    )


def test_secrets_cannot_be_revealed_of_a_mock(tester: StateTester) -> None:
    assert tester.invalid(INVOKE, mock=mocked({}), revealSecrets=True) == (
        "TestState does not support RevealSecrets when a mock is specified."
    )


def test_a_mocked_result_must_be_json_even_if_nothing_else_is_checked(tester: StateTester) -> None:
    mock = {"result": "not json", "fieldValidationMode": "NONE"}
    assert tester.invalid(INVOKE, mock=mock) == "Mocked result must be valid JSON"


def test_a_mocked_error_needs_a_name(tester: StateTester) -> None:
    message = tester.invalid(INVOKE, mock={"errorOutput": {"cause": "x"}})
    assert message == "The field 'error' is required in 'mock.errorOutput'"


def test_an_unknown_validation_mode_is_refused(tester: StateTester) -> None:
    message = tester.invalid(INVOKE, mock=mocked({}, fieldValidationMode="LENIENT"))
    assert "Member must satisfy enum value set: [STRICT, PRESENT, NONE]" in message


@pytest.mark.parametrize(
    ("resource", "arguments", "result", "problem"),
    [
        ("events:putEvents", {"Entries": [{}]}, {"Entries": 1}, "Field 'Entries' must be an array"),
        (
            "events:putEvents",
            {"Entries": [{}]},
            {"Entries": [{"EventId": 1}]},
            "Field 'EventId' must be a string",
        ),
        (
            "states:startExecution",
            {"StateMachineArn": "m"},
            {"StartDate": "2026-11-21T05:00:00Z"},
            "Required field 'ExecutionArn' is missing",
        ),
        (
            "states:startExecution",
            {"StateMachineArn": "m"},
            {"ExecutionArn": "", "StartDate": "2026-11-21T05:00:00Z"},
            "Field 'ExecutionArn' is smaller than the minimum length",
        ),
        (
            "states:startExecution",
            {"StateMachineArn": "m"},
            {"ExecutionArn": "arn", "StartDate": 5},
            "Field 'StartDate' must be a string",
        ),
        (
            "aws-sdk:s3:getObject",
            {"Bucket": "b", "Key": "k"},
            {"StorageClass": "LUKEWARM"},
            "Field 'StorageClass' is not an expected value",
        ),
        (
            "aws-sdk:kms:encrypt",
            {"KeyId": "k", "Plaintext": "p"},
            {"CiphertextBlob": ""},
            "Field 'CiphertextBlob' is smaller than the minimum length",
        ),
        (
            "aws-sdk:lambda:getFunction",
            {"FunctionName": "f"},
            {"Configuration": {"MemorySize": 1}},
            "Field 'MemorySize' is less than the minimum value",
        ),
        (
            "aws-sdk:lambda:getFunction",
            {"FunctionName": "f"},
            {"Configuration": {"MemorySize": 99_999}},
            "Field 'MemorySize' exceeds the maximum value",
        ),
        (
            "aws-sdk:lambda:getFunction",
            {"FunctionName": "f"},
            {"Configuration": "none"},
            "Field 'Configuration' must be an object",
        ),
        (
            "dynamodb:getItem",
            {"TableName": "t", "Key": {}},
            {"Item": {"done": {"BOOL": "true"}}},
            "Field 'BOOL' must be a boolean",
        ),
        (
            "dynamodb:getItem",
            {"TableName": "t", "Key": {}},
            {"Item": []},
            "Field 'Item' must be an object",
        ),
        (
            "lambda:invoke",
            {"FunctionName": "f"},
            {"StatusCode": "200"},
            "'StatusCode' must be a nu",
        ),
        ("dynamodb:getItem", {"TableName": "t", "Key": {}}, [], "Mock result must be an object"),
    ],
)
def test_a_mocked_result_must_fit_the_api(
    tester: StateTester, resource: str, arguments: Any, result: Any, problem: str
) -> None:
    state = {**INVOKE, "Resource": f"arn:aws:states:::{resource}", "Arguments": arguments}
    message = tester.invalid(state, mock=mocked(result))
    assert message.startswith("Mock result schema validation error: ")
    assert problem in message
    unchecked = mocked(result, fieldValidationMode="NONE")
    assert tester(state, mock=unchecked)["status"] == "SUCCEEDED"


def test_required_members_may_be_missing_when_only_present_ones_are_checked(
    tester: StateTester,
) -> None:
    state = {
        **INVOKE,
        "Resource": "arn:aws:states:::states:startExecution",
        "Arguments": {"StateMachineArn": "m"},
    }
    assert out(tester(state, mock=mocked({}, fieldValidationMode="PRESENT"))) == {}
    wrong = mocked({"ExecutionArn": 1}, fieldValidationMode="PRESENT")
    assert tester.invalid(state, mock=wrong).endswith("Field 'ExecutionArn' must be a string")


def test_members_that_the_api_does_not_have_pass(tester: StateTester) -> None:
    assert out(tester(INVOKE, mock=mocked({"SdkHttpMetadata": {}, "Anything": 1})))


def test_the_payload_of_a_function_can_be_anything(tester: StateTester) -> None:
    assert out(tester(INVOKE, mock=mocked({"Payload": {"body": [1]}})))


@pytest.mark.parametrize(
    ("resource", "arguments"),
    [
        ("arn:aws:states:::apigateway:invoke", {"ApiEndpoint": "x", "Method": "GET"}),
        ("arn:aws:states:::http:invoke", {"ApiEndpoint": "x", "Method": "GET"}),
        (CALLBACK, {"FunctionName": "f", "Payload": "{% $states.context.Task.Token %}"}),
        ("arn:aws:lambda:eu-central-1:123456789012:function:f", {}),
        ("arn:aws:states:eu-central-1:123456789012:activity:desk", {}),
    ],
)
def test_what_has_no_model_can_be_mocked_with_anything(
    tester: StateTester, resource: str, arguments: Any
) -> None:
    state = {**INVOKE, "Resource": resource, "Arguments": arguments}
    assert out(tester(state, mock=mocked([1]))) == [1]


def test_the_mock_of_a_job_is_what_the_service_is_asked_until_it_ends(tester: StateTester) -> None:
    state = {**INVOKE, "Resource": GLUE, "Arguments": {"JobName": "j"}}
    run = {"JobRun": {"JobRunState": "SUCCEEDED"}}
    assert out(tester(state, mock=mocked(run))) == run
    wrong = {"JobRun": {"JobRunState": "BAKED"}}
    assert "Field 'JobRunState' is not an expected" in tester.invalid(state, mock=mocked(wrong))


def test_the_mock_of_a_state_machine_is_its_description(tester: StateTester) -> None:
    state = {
        **INVOKE,
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Arguments": {"StateMachineArn": "m"},
    }
    started = {"ExecutionArn": "arn", "StartDate": "2026-11-21T05:00:00Z"}
    assert tester.invalid(state, mock=mocked(started)).endswith(
        "Required field 'StateMachineArn' is missing"
    )
    described = {**started, "StateMachineArn": "arn", "Status": "SUCCEEDED"}
    assert out(tester(state, mock=mocked(described)))


# Retry and Catch


def test_an_error_that_a_retrier_covers_is_retriable(tester: StateTester) -> None:
    retry = [{"ErrorEquals": ["Other"]}, {"ErrorEquals": ["Bad"], "IntervalSeconds": 2}]
    state = {**INVOKE, "Retry": retry}
    assert tester(state, mock=ERROR) == {
        "status": "RETRIABLE",
        "error": "Bad",
        "cause": "because",
    }
    data = tester.inspected(state, mock=ERROR, stateConfiguration={"retrierRetryCount": 1})
    assert data["errorDetails"] == {"retryIndex": 1, "retryBackoffIntervalSeconds": 4}


def test_retries_that_are_used_up_end_in_failure(tester: StateTester) -> None:
    retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 5, "BackoffRate": 2}]
    state = {**INVOKE, "Retry": retry}
    last = {"retrierRetryCount": 4}
    answer = tester(state, mock=ERROR, stateConfiguration=last, inspectionLevel="DEBUG")
    assert answer["status"] == "RETRIABLE"
    assert answer["inspectionData"]["errorDetails"]["retryBackoffIntervalSeconds"] == 16
    over = {"retrierRetryCount": 5}
    answer = tester(state, mock=ERROR, stateConfiguration=over, inspectionLevel="DEBUG")
    assert answer["status"] == "FAILED"
    assert answer["inspectionData"]["errorDetails"] == {"retryIndex": 0}


def test_an_error_that_a_catcher_covers_is_caught(tester: StateTester) -> None:
    catch = [
        {"ErrorEquals": ["Other"], "Next": "Elsewhere"},
        {"ErrorEquals": ["Bad"], "Next": "Repair", "Output": "{% $states.errorOutput %}"},
    ]
    state = {**INVOKE, "Catch": catch}
    answer = tester(state, mock=ERROR, inspectionLevel="DEBUG")
    assert answer["status"] == "CAUGHT_ERROR"
    assert answer["nextState"] == "Repair"
    assert (answer["error"], answer["cause"]) == ("Bad", "because")
    assert json.loads(answer["output"]) == {"Error": "Bad", "Cause": "because"}
    assert answer["inspectionData"]["errorDetails"] == {"catchIndex": 1}


def test_a_used_up_retrier_gives_way_to_the_catcher(tester: StateTester) -> None:
    state = {
        **INVOKE,
        "Retry": [{"ErrorEquals": ["Bad"], "MaxAttempts": 0}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Repair"}],
    }
    answer = tester(state, mock=ERROR)
    assert (answer["status"], answer["nextState"]) == ("CAUGHT_ERROR", "Repair")


def test_a_catcher_whose_output_cannot_be_evaluated_fails_the_state(tester: StateTester) -> None:
    catch = [{"ErrorEquals": ["Bad"], "Next": "Repair", "Output": "{% $none %}"}]
    answer = tester({**INVOKE, "Catch": catch}, mock=ERROR)
    assert (answer["status"], answer["error"]) == ("FAILED", "States.QueryEvaluationError")
    assert "'Catch[0]/Output'" in answer["cause"]


def test_an_output_that_fails_is_caught_like_any_error(tester: StateTester) -> None:
    state = {
        **INVOKE,
        "Output": "{% $states.result.none %}",
        "Catch": [{"ErrorEquals": ["States.QueryEvaluationError"], "Next": "Repair"}],
    }
    assert tester(state, mock=mocked({}))["status"] == "CAUGHT_ERROR"


# Inspection


def test_the_level_info_shows_nothing_on_the_way(tester: StateTester) -> None:
    assert "inspectionData" not in tester(INVOKE, mock=mocked({}))


@pytest.mark.parametrize("level", ["DEBUG", "TRACE"])
def test_the_other_levels_show_input_arguments_and_result(tester: StateTester, level: str) -> None:
    answer = tester(INVOKE, {"a": 1}, mock=mocked({"Payload": 2}), inspectionLevel=level)
    assert answer["inspectionData"] == {
        "input": '{"a":1}',
        "afterArguments": '{"FunctionName":"f","Payload":{"a":1}}',
        "result": '{"Payload":2}',
    }


def test_a_state_that_fails_shows_what_came_before(tester: StateTester) -> None:
    data = tester.inspected(INVOKE, mock=ERROR)
    assert data == {"input": "{}", "afterArguments": '{"FunctionName":"f","Payload":{}}'}


def test_a_pass_state_shows_its_input_only(tester: StateTester) -> None:
    assert tester.inspected({"Type": "Pass", "End": True}, 1) == {"input": "1"}


def test_variables_are_shown_with_those_that_the_state_assigns(tester: StateTester) -> None:
    state = {"Type": "Pass", "Assign": {"b": "{% $a + 1 %}"}, "Output": "{% $a %}", "End": True}
    answer = tester(state, variables={"a": 1}, inspectionLevel="DEBUG")
    assert out(answer) == 1
    assert json.loads(answer["inspectionData"]["variables"]) == {"a": 1, "b": 2}
    assert "variables" not in tester.inspected({"Type": "Succeed"}, variables={})


# Map and Parallel


def test_the_mock_of_a_map_is_the_list_of_its_results(tester: StateTester) -> None:
    state = {**MAP, "Items": "{% $states.input.v %}", "Output": "{% $sum($states.result) %}"}
    assert out(tester(state, {"v": [1, 2]}, mock=mocked([10, 20]))) == 30
    assert tester.invalid(state, mock=mocked({})) == "Mocked result must be an array."


def test_the_mock_of_a_map_with_a_result_writer_is_an_object(tester: StateTester) -> None:
    writer = {"Resource": "arn:aws:states:::s3:putObject", "Arguments": {"Bucket": "b"}}
    state = {**MAP, "Items": [1], "ResultWriter": writer}
    details = {"ResultWriterDetails": {"Bucket": "b", "Key": "k"}}
    assert out(tester(state, mock=mocked(details))) == details
    assert tester.invalid(state, mock=mocked([])) == "Mocked result must be a JSON object."


def test_a_map_shows_its_limits(tester: StateTester) -> None:
    state = {**MAP, "Items": [1, 2]}
    assert tester.inspected(state, mock=mocked([1])) == {"input": "{}", "maxConcurrency": 0}
    limits = {
        "MaxConcurrency": "{% 3 %}",
        "ToleratedFailureCount": 1,
        "ToleratedFailurePercentage": 1,
    }
    data = tester.inspected({**state, **limits}, mock=mocked([1]))
    assert data["maxConcurrency"] == 3
    assert data["toleratedFailureCount"] == 1
    assert isinstance(data["toleratedFailurePercentage"], float)


def test_a_map_shows_what_selector_and_batcher_make_of_the_items(tester: StateTester) -> None:
    state = {
        **MAP,
        "Items": [5, 6, 7],
        "ItemSelector": {
            "i": "{% $states.context.Map.Item.Index %}",
            "v": "{% $states.context.Map.Item.Value %}",
            "s": "{% $states.context.Map.Item.Source %}",
        },
        "ItemBatcher": {"MaxItemsPerBatch": 2, "BatchInput": {"k": 1}},
    }
    data = tester.inspected(state, mock=mocked([]))
    selected = [{"i": i, "v": i + 5, "s": "STATE_DATA"} for i in range(3)]
    assert json.loads(data["afterItemSelector"]) == selected
    assert json.loads(data["afterItemBatcher"]) == [
        {"BatchInput": {"k": 1}, "Items": selected[:2]},
        {"BatchInput": {"k": 1}, "Items": selected[2:]},
    ]


def test_a_map_whose_items_are_no_list_fails(tester: StateTester) -> None:
    answer = tester({**MAP, "Items": "{% 1 %}"}, mock=mocked([]))
    assert (answer["status"], answer["error"]) == ("FAILED", "States.QueryEvaluationError")


READER = {
    "ItemReader": {
        "Resource": "arn:aws:states:::s3:getObject",
        "Arguments": {"Bucket": "b", "Key": "k"},
        "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
    }
}


def test_the_data_of_an_item_reader_are_given_as_they_lie_in_their_source(
    tester: StateTester,
) -> None:
    state = {**MAP, **READER, "ItemSelector": "{% $states.context.Map.Item.Value.n %}"}
    configuration = {"mapItemReaderData": "n,m\n1,2\n3,4\n"}
    data = tester.inspected(state, mock=mocked([]), stateConfiguration=configuration)
    assert json.loads(data["afterItemSelector"]) == ["1", "3"]


def test_what_an_items_pointer_finds_is_shown(tester: StateTester) -> None:
    reader = {
        **READER["ItemReader"],
        "ReaderConfig": {"InputType": "JSON", "ItemsPointer": "/a/b"},
    }
    configuration = {"mapItemReaderData": '{"a":{"b":[1,2]}}'}
    state = {**MAP, "ItemReader": reader}
    data = tester.inspected(state, mock=mocked([]), stateConfiguration=configuration)
    assert data["afterItemsPointer"] == "[1,2]"


def test_reader_data_that_cannot_be_read_fail_the_state(tester: StateTester) -> None:
    reader = {**READER["ItemReader"], "ReaderConfig": {"InputType": "JSON"}}
    answer = tester(
        {**MAP, "ItemReader": reader},
        mock=mocked([]),
        stateConfiguration={"mapItemReaderData": "{}"},
    )
    assert answer["error"] == "States.ItemReaderFailed"


def test_a_map_with_a_reader_can_be_tested_without_its_data(tester: StateTester) -> None:
    assert out(tester({**MAP, **READER}, mock=mocked([7]))) == [7]


def test_more_failures_than_tolerated_fail_the_map(tester: StateTester) -> None:
    state = {
        **MAP,
        "Items": [1, 2, 3],
        "ToleratedFailureCount": 1,
        "Catch": [
            {"ErrorEquals": ["Bad"], "Next": "A"},
            {"ErrorEquals": ["States.ExceedToleratedFailureThreshold"], "Next": "B"},
        ],
    }
    mock = mocked([0, 0, 1])
    one = {"mapIterationFailureCount": 1}
    assert out(tester(state, mock=mock, stateConfiguration=one)) == [0, 0, 1]
    answer = tester(state, mock=mock, stateConfiguration={"mapIterationFailureCount": 2})
    assert (answer["status"], answer["nextState"]) == ("CAUGHT_ERROR", "B")
    assert answer["cause"] == "The specified tolerated failure threshold was exceeded"


def test_a_share_of_failures_above_the_tolerated_one_fails_the_map(tester: StateTester) -> None:
    state = {**MAP, "Items": [1, 2, 3, 4], "ToleratedFailurePercentage": 50}
    for failed, status in ((2, "SUCCEEDED"), (3, "FAILED")):
        configuration = {"mapIterationFailureCount": failed}
        answer = tester(state, mock=mocked([]), stateConfiguration=configuration)
        assert answer["status"] == status


def test_failures_do_not_fail_a_map_that_says_nothing_of_tolerance(tester: StateTester) -> None:
    state = {**MAP, "Items": [1, 2, 3]}
    configuration = {"mapIterationFailureCount": 2}
    assert out(tester(state, mock=mocked([1]), stateConfiguration=configuration)) == [1]


def test_no_more_items_can_fail_than_there_are(tester: StateTester) -> None:
    configuration = {"mapIterationFailureCount": 2}
    state = {**MAP, "Items": [1]}
    message = tester.invalid(state, mock=mocked([]), stateConfiguration=configuration)
    assert "exceeds the number of items" in message


def test_a_mocked_error_goes_before_failed_items(tester: StateTester) -> None:
    state = {**MAP, "Items": [1, 2, 3], "ToleratedFailureCount": 1}
    configuration = {"mapIterationFailureCount": 2, "errorCausedByState": "Inner"}
    answer = tester(state, mock=ERROR, stateConfiguration=configuration)
    assert (answer["status"], answer["error"]) == ("FAILED", "Bad")


def test_the_mock_of_a_parallel_state_has_one_result_for_each_branch(tester: StateTester) -> None:
    state = {
        **PARALLEL,
        "Branches": [INNER, {"StartAt": "B", "States": {"B": {"Type": "Succeed"}}}],
        "Arguments": "{% $states.input.p %}",
        "Output": {"in": "{% $states.input.p %}", "out": "{% $states.result %}"},
    }
    answer = tester(state, {"p": 1}, mock=mocked(["a", "b"]), inspectionLevel="DEBUG")
    assert out(answer) == {"in": 1, "out": ["a", "b"]}
    assert answer["inspectionData"] == {"input": '{"p":1}', "afterArguments": "1"}
    assert tester.invalid(state, mock=mocked(["a"])) == (
        "Mocked result must contain the same number of items as number of Parallel branches."
    )
    assert tester.invalid(state, mock=mocked("a")) == "Mocked result must be an array."


@pytest.mark.parametrize(
    ("state", "configuration"),
    [
        ({**MAP, "Items": [1]}, {"errorCausedByState": "Nobody"}),
        (INVOKE, {"errorCausedByState": "Inner"}),
        (INVOKE, {"mapIterationFailureCount": 1}),
        ({**MAP, "Items": [1]}, {"mapItemReaderData": "[]"}),
    ],
)
def test_a_configuration_that_has_nothing_to_act_on_is_refused(
    tester: StateTester, state: Any, configuration: Any
) -> None:
    tester.invalid(state, mock=ERROR, stateConfiguration=configuration)


# A state inside a state machine


def machine_around(catch: str, **limits: Any) -> dict[str, Any]:
    task = {**INVOKE, "Catch": [{"ErrorEquals": ["Minor"], "Next": "Aside"}]}
    inner = {"StartAt": "Work", "States": {"Work": task, "Aside": {"Type": "Succeed"}}}
    outer = {
        **MAP,
        **limits,
        "Items": [1],
        "ItemProcessor": {**DISTRIBUTED, **inner},
        "Catch": [{"ErrorEquals": [catch], "Next": "Repair"}],
        "Next": "Repair",
    }
    del outer["End"]
    states = {"Loop": outer, "Repair": {"Type": "Succeed"}}
    return {"QueryLanguage": "JSONata", "StartAt": "Loop", "States": states}


def test_a_state_of_a_machine_is_tested_by_its_name(tester: StateTester) -> None:
    first = {"Type": "Pass", "Next": "Second"}
    states = {"First": first, "Second": {"Type": "Fail", "Error": "E"}}
    machine = {"QueryLanguage": "JSONata", "StartAt": "First", "States": states}
    assert tester(machine, stateName="First")["nextState"] == "Second"
    assert tester(machine, stateName="Second")["error"] == "E"
    assert tester.invalid(machine, stateName="dne") == "State not found in definition"


def test_a_state_inside_a_map_is_tested_with_the_first_item(tester: StateTester) -> None:
    machine = machine_around("States.ALL")
    work = machine["States"]["Loop"]["ItemProcessor"]["States"]["Work"]
    work["Output"] = "{% $states.context.Map.Item %}"
    answer = tester(machine, {"a": 1}, stateName="Work", mock=mocked({}))
    assert out(answer) == {"Index": 0, "Value": {"a": 1}, "Source": "STATE_DATA"}


def test_an_error_goes_on_to_the_states_around(tester: StateTester) -> None:
    threshold = "States.ExceedToleratedFailureThreshold"
    answer = tester(machine_around(threshold), stateName="Work", mock=ERROR)
    assert answer["status"] == "CAUGHT_ERROR"
    assert (answer["error"], answer["nextState"]) == (threshold, "Repair")


def test_an_error_that_its_map_tolerates_stays_inside(tester: StateTester) -> None:
    machine = machine_around("States.ALL", ToleratedFailureCount=2)
    answer = tester(machine, stateName="Work", mock=ERROR)
    assert (answer["status"], answer["error"]) == ("FAILED", "Bad")
    configuration = {"mapIterationFailureCount": 2}
    answer = tester(machine, stateName="Work", mock=ERROR, stateConfiguration=configuration)
    assert answer["status"] == "CAUGHT_ERROR"


def test_an_error_that_nobody_catches_keeps_its_name(tester: StateTester) -> None:
    answer = tester(machine_around("Other"), stateName="Work", mock=ERROR)
    assert (answer["status"], answer["error"]) == ("FAILED", "Bad")


def test_an_error_of_a_branch_reaches_the_parallel_state_as_it_is(tester: StateTester) -> None:
    branch = {"StartAt": "Work", "States": {"Work": INVOKE}}
    catch = [{"ErrorEquals": ["Bad"], "Next": "End"}]
    both = {"Type": "Parallel", "Branches": [branch], "Catch": catch, "Next": "End"}
    states = {"Both": both, "End": {"Type": "Succeed"}}
    machine = {"QueryLanguage": "JSONata", "StartAt": "Both", "States": states}
    answer = tester(machine, stateName="Work", mock=ERROR)
    assert (answer["status"], answer["nextState"]) == ("CAUGHT_ERROR", "End")


# Definitions, inputs, variables


def test_a_definition_that_is_no_state_is_refused(tester: StateTester) -> None:
    code, message = tester.refused({"Type": "Tusk"})
    assert code == "InvalidDefinition"
    assert message == (
        "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: The field 'Type' should have"
        " one of these values: [Task, Wait, Pass, Succeed, Fail, Choice, Parallel, Map] at"
        " /States/StateName/Type'"
    )


@pytest.mark.parametrize("text", ["{", "[]", "null", '"x"'])
def test_a_definition_that_is_no_object_is_refused(tester: StateTester, text: str) -> None:
    with pytest.raises(ApiError, match="InvalidDefinition: Invalid State Machine Definition: '"):
        tester.tests.test({"definition": text})


def test_a_state_in_jsonpath_is_refused_with_a_clear_word(tester: StateTester) -> None:
    definition = json.dumps({"Type": "Pass", "End": True})
    with pytest.raises(ApiError, match="QueryLanguage is 'JSONata', and this one's is 'JSONPath'"):
        tester.tests.test({"definition": definition})


def test_a_state_name_needs_a_whole_machine(tester: StateTester) -> None:
    code, message = tester.refused({"Type": "Pass", "End": True}, stateName="Any")
    assert code == "InvalidDefinition"
    assert "StartAt" in message


def test_input_that_is_not_json_is_refused(tester: StateTester) -> None:
    code, _ = tester.refused({"Type": "Succeed"}, input="{")
    assert code == "InvalidExecutionInput"


@pytest.mark.parametrize("variables", ["{", "[]"])
def test_variables_must_be_a_json_object(tester: StateTester, variables: str) -> None:
    message = tester.invalid({"Type": "Succeed"}, variables=variables)
    assert message.startswith("Invalid variables provided: ")


# Context


def test_the_context_of_a_state_names_an_express_execution(tester: StateTester) -> None:
    state = {**INVOKE, "Output": "{% $states.context %}"}
    context = out(tester(state, {"a": 1}, mock=mocked({}), roleArn=ROLE))
    execution = context["Execution"]
    assert re.fullmatch(
        rf"arn:aws:states:{REGION}:{ACCOUNT}:express:[0-9a-f-]+:{execution['Name']}",
        execution["Id"],
    )
    assert list(execution) == ["Id", "Input", "Name", "RoleArn", "StartTime"]
    assert (execution["Input"], execution["RoleArn"]) == ({"a": 1}, ROLE)
    assert context["StateMachine"]["Id"].endswith(context["StateMachine"]["Name"])
    assert list(context["State"]) == ["Name", "EnteredTime", "RetryCount"]
    assert context["State"]["Name"] == "StateName"
    assert context["State"]["RetryCount"] == 0


def test_a_state_without_retries_has_no_retry_count_and_maybe_no_role(tester: StateTester) -> None:
    context = out(tester({"Type": "Pass", "Output": "{% $states.context %}", "End": True}))
    assert list(context["State"]) == ["Name", "EnteredTime"]
    assert context["Execution"]["RoleArn"] is None


def test_a_given_context_is_taken_as_it_is(tester: StateTester) -> None:
    state = {**INVOKE, "Output": "{% $states.context %}"}
    for context in ({}, {"Execution": {"Id": "e"}, "State": {}}):
        assert out(tester(state, mock=mocked({}), context=context)) == context


def test_the_token_of_a_task_that_waits_can_be_given(tester: StateTester) -> None:
    arguments = {"FunctionName": "f", "Payload": "{% $states.context.Task.Token %}"}
    state = {**INVOKE, "Resource": CALLBACK, "Arguments": arguments}
    data = tester.inspected(state, mock=mocked({}), context={"Task": {"Token": "mine"}})
    assert json.loads(data["afterArguments"])["Payload"] == "mine"


@pytest.mark.parametrize(
    ("context", "problem"),
    [
        ({"Execution": {"Id": 1}}, "Execution.Id must be a string"),
        ({"State": {"RetryCount": "1"}}, "State.RetryCount must be a number"),
        ({"State": "s"}, "State must be an object"),
        ({"Map": {}}, "'Map' field is not supported when mocking a Context object"),
        ({"pokemon": 1}, "Field 'pokemon' is not allowed"),
        ({"Execution": {"pokemon": 1}}, "Field 'pokemon' is not allowed"),
        (
            {"Task": {"Token": "t"}},
            "Context object contains 'Task' when state is not a Task state with a '.sync' or"
            " '.waitForTaskToken' service integration pattern",
        ),
        ([], "Context object must be a JSON object"),
        ("{", "Expecting property name"),
    ],
)
def test_a_context_that_is_none_is_refused(tester: StateTester, context: Any, problem: str) -> None:
    message = tester.invalid(INVOKE, mock=mocked({}), context=context)
    assert message.startswith(f"Invalid Context object provided: {problem}")


def test_a_context_needs_a_mock(tester: StateTester) -> None:
    tester.invalid({"Type": "Succeed"}, context={})
