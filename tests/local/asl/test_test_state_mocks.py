"""TestState: what may stand in for the work of a state."""

from __future__ import annotations

from typing import Any

import pytest
from tests.local.asl.state_tester import ERROR, INVOKE, StateTester, mocked, out
from tests.local.asl.world import CALLBACK, GLUE, World


@pytest.fixture
def tester(asl: World) -> StateTester:
    return StateTester(asl)


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
