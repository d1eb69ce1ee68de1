"""Answers that no service gives at will: every call is checked against the API's model."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from botocore.response import StreamingBody
from tests.local.asl.integrations.calls import (
    EXECUTION,
    STARTED,
    ends_badly,
    failure,
    start,
)
from tests.local.asl.integrations.conftest import Stubbed

INVOKE = {"FunctionName": "f", "Payload": b"{}"}


def body(text: str) -> Any:
    return StreamingBody(io.BytesIO(text.encode()), len(text.encode()))


def test_a_function_that_dies_without_an_error_type_is_unknown(stubbed: Stubbed) -> None:
    told = '{"errorMessage":"2026-11-21T05:00:00Z 1 Task timed out after 3.00 seconds"}'
    answer = {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": body(told)}
    stubbed.answers("lambda").to("invoke", INVOKE, answer)
    error = failure(stubbed.integrations, "lambda:invoke", {"FunctionName": "f"})
    assert error.error == "Lambda.Unknown"
    assert error.cause == (
        "The cause could not be determined because Lambda did not return an error type."
        f" Returned payload: {told}"
    )


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("TooManyRequestsException", "Lambda.TooManyRequestsException"),
        ("ServiceException", "Lambda.ServiceException"),
        ("InvalidParameterValueException", "Lambda.InvalidParameterValueException"),
        ("ResourceConflictException", "Lambda.ResourceConflictException"),
        ("ExpiredTokenException", "Lambda.AWSLambdaException"),
    ],
)
def test_errors_of_lambda_itself_can_be_caught_by_name(
    stubbed: Stubbed, code: str, name: str
) -> None:
    stubbed.answers("lambda").error("invoke", code, "Rate Exceeded.", status=429)
    error = failure(stubbed.integrations, "lambda:invoke", {"FunctionName": "f"})
    assert error.error == name
    assert error.cause == (
        f"Rate Exceeded. (Service: AWSLambda; Status Code: 429; Error Code: {code};"
        " Request ID: request-1; Proxy: null)"
    )


def test_a_function_that_returns_no_json_gives_its_text(stubbed: Stubbed) -> None:
    stubbed.answers("lambda").to("invoke", INVOKE, {"StatusCode": 200, "Payload": body("plain")})
    result = start(stubbed.integrations, "lambda:invoke", {"FunctionName": "f"})
    assert result["Payload"] == "plain"


def test_an_event_that_the_bus_refuses_fails_the_task_with_the_whole_answer(
    stubbed: Stubbed,
) -> None:
    entry = {"Source": "s", "DetailType": "t", "Detail": "{}"}
    machine = "arn:aws:states:eu-central-1:123456789012:stateMachine:parent"
    wire = {"Entries": [{**entry, "Resources": [EXECUTION, machine]}]}
    entries = [{"ErrorCode": "InternalFailure", "ErrorMessage": "later"}]
    answer = {"FailedEntryCount": 1, "Entries": entries}
    stubbed.answers("events").to("put_events", wire, answer)
    error = failure(stubbed.integrations, "events:putEvents", {"Entries": [entry]})
    assert error.error == "EventBridge.FailedEntry"
    assert error.cause == (
        '{"Entries":[{"ErrorCode":"InternalFailure","ErrorMessage":"later"}],"FailedEntryCount":1}'
    )


CHILD = {"StateMachineArn": "arn:aws:states:eu-central-1:123456789012:stateMachine:m"}


def described(**more: Any) -> dict[str, Any]:
    return {
        "executionArn": "arn:child",
        "stateMachineArn": CHILD["StateMachineArn"],
        "name": "n",
        "startDate": STARTED,
        "input": '{"a":1}',
        "inputDetails": {"included": True},
        "redriveCount": 0,
        "redriveStatus": "REDRIVABLE",
        **more,
    }


def test_a_child_that_timed_out_has_the_error_and_no_cause(stubbed: Stubbed) -> None:
    answers = stubbed.answers("stepfunctions")
    wire = {"stateMachineArn": CHILD["StateMachineArn"], "input": "{}"}
    answers.to("start_execution", wire, {"executionArn": "arn:child", "startDate": STARTED})
    ended = described(status="TIMED_OUT", stopDate=STARTED)
    answers.to("describe_execution", {"executionArn": "arn:child"}, ended)
    error = ends_badly(stubbed.integrations, "states:startExecution.sync", CHILD)
    assert error.error == "States.TaskFailed"
    told = json.loads(error.cause or "")
    assert (told["Error"], "Cause" in told, told["Input"]) == ("States.Timeout", False, '{"a":1}')
    assert (told["RedriveCount"], told["RedriveStatus"]) == (0, "REDRIVABLE")
    assert list(told) == sorted(told)


def test_redshift_statements_have_the_names_of_java(stubbed: Stubbed) -> None:
    wire = {"WorkgroupName": "etl", "Database": "d", "Sqls": ["a", "b"], "ClientToken": "t"}
    answer = {"Id": "1", "CreatedAt": STARTED, "Database": "d"}
    stubbed.answers("redshift-data").to("batch_execute_statement", wire, answer)
    result = start(stubbed.integrations, "aws-sdk:redshiftdata:batchExecuteStatement", wire)
    assert result == {"CreatedAt": "2026-11-21T05:00:00.250Z", "Database": "d", "Id": "1"}


def test_redshift_errors_are_named_for_the_service(stubbed: Stubbed) -> None:
    answers = stubbed.answers("redshift-data")
    answers.error("execute_statement", "ActiveStatementsExceededException", "too many")
    arguments = {"Sql": "SELECT 1", "Database": "d", "WorkgroupName": "etl"}
    resource = "aws-sdk:redshiftdata:executeStatement"
    error = failure(stubbed.integrations, resource, arguments)
    assert error.error == "RedshiftData.ActiveStatementsExceededException"
    assert error.cause == (
        "too many (Service: RedshiftData, Status Code: 400, Request ID: request-1)"
    )


def test_a_schedule_can_be_made(stubbed: Stubbed) -> None:
    wire = {
        "Name": "n",
        "ScheduleExpression": "at(2026-11-21T05:00:00)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ClientToken": "t",
        "Target": {"Arn": "a", "RoleArn": "r", "Input": '{"a":1}'},
    }
    stubbed.answers("scheduler").to("create_schedule", wire, {"ScheduleArn": "arn:s"})
    given = {**wire, "Target": {**wire["Target"], "Input": {"a": 1}}}  # type: ignore[dict-item]
    result = start(stubbed.integrations, "aws-sdk:scheduler:createSchedule", given)
    assert result == {"ScheduleArn": "arn:s"}


def test_the_metadata_of_the_sdk_stand_in_the_alphabet_of_the_result(stubbed: Stubbed) -> None:
    answer = {"StatusCode": 200, "Payload": body("1"), "ExecutedVersion": "$LATEST"}
    stubbed.answers("lambda").to("invoke", INVOKE, answer)
    result = start(stubbed.integrations, "lambda:invoke", {"FunctionName": "f"})
    assert list(result) == [
        "ExecutedVersion",
        "Payload",
        "SdkHttpMetadata",
        "SdkResponseMetadata",
        "StatusCode",
    ]
