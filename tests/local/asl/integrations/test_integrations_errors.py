"""Names and causes of failed calls, as Step Functions reports them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from tests.local.asl.integrations.calls import ACCOUNT, REGION, failure
from tests.local.asl.integrations.conftest import Platform

from penstock_local.asl.integrations import Integrations, ParametersError

UUID = r"[0-9a-f-]{36}"


@pytest.fixture(scope="module")
def allowed(platform: Platform) -> str:
    return platform.role("errors-allowed", "*")


@pytest.fixture(scope="module")
def idle(platform: Platform) -> str:
    """A role that may do nothing."""
    return platform.role("errors-idle")


@pytest.fixture(scope="module")
def table(platform: Platform) -> str:
    platform.client("dynamodb").create_table(
        TableName="errors",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return "errors"


def test_an_optimised_integration_speaks_as_the_sdk_v1(
    integrations: Integrations, allowed: str
) -> None:
    arguments = {"TableName": "missing", "Key": {"id": {"S": "1"}}}
    error = failure(integrations, "dynamodb:getItem", arguments, allowed)
    assert error.error == "DynamoDB.ResourceNotFoundException"
    assert re.fullmatch(
        r"Requested resource not found \(Service: AmazonDynamoDBv2; Status Code: 400;"
        rf" Error Code: ResourceNotFoundException; Request ID: {UUID}; Proxy: null\)",
        error.cause or "",
    )


def test_an_aws_sdk_integration_speaks_as_the_sdk_v2(
    integrations: Integrations, allowed: str
) -> None:
    arguments = {"TableName": "missing", "Key": {"id": {"S": "1"}}}
    error = failure(integrations, "aws-sdk:dynamodb:getItem", arguments, allowed)
    assert error.error == "DynamoDb.ResourceNotFoundException"
    assert re.fullmatch(
        r"Requested resource not found"
        rf" \(Service: DynamoDb, Status Code: 400, Request ID: {UUID}\)",
        error.cause or "",
    )


def test_an_error_that_the_model_does_not_name_is_the_service_s_own(
    integrations: Integrations, allowed: str, table: str
) -> None:
    arguments = {"TableName": table, "Key": {"other": {"S": "1"}}}
    for resource, name in (
        ("dynamodb:getItem", "DynamoDB.AmazonDynamoDBException"),
        ("aws-sdk:dynamodb:getItem", "DynamoDb.DynamoDbException"),
    ):
        error = failure(integrations, resource, arguments, allowed)
        assert error.error == name
        assert (error.cause or "").startswith("The provided key element does not match the schema")


def test_a_condition_that_fails_can_be_caught_by_name(
    platform: Platform, integrations: Integrations, allowed: str, table: str
) -> None:
    key = {"id": {"S": "taken"}}
    platform.client("dynamodb").put_item(TableName=table, Item=key)
    arguments = {
        "TableName": table,
        "Item": key,
        "ConditionExpression": "attribute_not_exists(id)",
    }
    for resource, prefix in (
        ("dynamodb:putItem", "DynamoDB"),
        ("aws-sdk:dynamodb:putItem", "DynamoDb"),
    ):
        error = failure(integrations, resource, arguments, allowed)
        assert error.error == f"{prefix}.ConditionalCheckFailedException"


def test_s3_names_its_extended_request_id(
    platform: Platform, integrations: Integrations, allowed: str
) -> None:
    arguments = {"Bucket": "no-such-bucket-here", "Key": "k"}
    error = failure(integrations, "aws-sdk:s3:getObject", arguments, allowed)
    assert error.error == "S3.NoSuchBucketException"
    assert re.fullmatch(
        r"The specified bucket does not exist \(Service: S3, Status Code: 404,"
        r" Request ID: \S+, Extended Request ID: \S+\)",
        error.cause or "",
    )


def test_a_missing_key_is_the_same_error_by_get_and_by_head(
    platform: Platform, integrations: Integrations, allowed: str
) -> None:
    platform.client("s3").create_bucket(
        Bucket="errors-keys", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    arguments = {"Bucket": "errors-keys", "Key": "missing"}
    for action in ("getObject", "headObject"):
        error = failure(integrations, f"aws-sdk:s3:{action}", arguments, allowed)
        assert error.error == "S3.NoSuchKeyException"


def test_a_bad_token_is_told_with_the_number_of_attempts(
    integrations: Integrations, allowed: str
) -> None:
    arguments = {"TaskToken": "nobody waits for this", "Output": "{}"}
    error = failure(integrations, "aws-sdk:sfn:sendTaskSuccess", arguments, allowed)
    assert (error.error or "").startswith("Sfn.")
    assert (error.cause or "").endswith(") (SDK Attempt Count: 1)")


@pytest.mark.parametrize(
    ("resource", "arguments", "name"),
    [
        (
            "sqs:sendMessage",
            {
                "QueueUrl": f"http://localhost/{ACCOUNT}/missing",
                "MessageBody": "x",
            },
            "SQS.QueueDoesNotExistException",
        ),
        (
            "aws-sdk:sqs:getQueueUrl",
            {"QueueName": "missing"},
            "Sqs.QueueDoesNotExistException",
        ),
        (
            "sns:publish",
            {"TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:missing", "Message": "x"},
            "SNS.NotFoundException",
        ),
        ("lambda:invoke", {"FunctionName": "missing"}, "Lambda.ResourceNotFoundException"),
        (
            "states:startExecution",
            {"StateMachineArn": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:missing"},
            "StepFunctions.StateMachineDoesNotExistException",
        ),
        ("glue:startJobRun", {"JobName": "missing"}, "Glue.EntityNotFoundException"),
        (
            "aws-sdk:secretsmanager:getSecretValue",
            {"SecretId": "missing"},
            "SecretsManager.ResourceNotFoundException",
        ),
    ],
)
def test_what_does_not_exist_has_the_service_s_name_for_it(
    integrations: Integrations, allowed: str, resource: str, arguments: Any, name: str
) -> None:
    assert failure(integrations, resource, arguments, allowed).error == name


@pytest.mark.parametrize(
    ("resource", "arguments", "name", "action"),
    [
        (
            "lambda:invoke",
            {"FunctionName": "f"},
            "Lambda.AWSLambdaException",
            "lambda:InvokeFunction",
        ),
        (
            f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f",
            {},
            "Lambda.AWSLambdaException",
            "lambda:InvokeFunction",
        ),
        ("glue:startJobRun", {"JobName": "j"}, "Glue.AccessDeniedException", "glue:StartJobRun"),
        (
            "dynamodb:deleteItem",
            {"TableName": "errors", "Key": {"id": {"S": "1"}}},
            "DynamoDB.AmazonDynamoDBException",
            "dynamodb:DeleteItem",
        ),
        (
            "aws-sdk:dynamodb:query",
            {"TableName": "errors"},
            "DynamoDb.DynamoDbException",
            "dynamodb:Query",
        ),
        (
            "sqs:sendMessage",
            {"QueueUrl": f"http://localhost/{ACCOUNT}/q", "MessageBody": "x"},
            "SQS.AmazonSQSException",
            "sqs:SendMessage",
        ),
        (
            "states:startExecution.sync:2",
            {"StateMachineArn": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:m"},
            "StepFunctions.AWSStepFunctionsException",
            "states:StartExecution",
        ),
        (
            "events:putEvents",
            {"Entries": [{"Source": "s", "DetailType": "t", "Detail": {}}]},
            "EventBridge.AccessDeniedException",
            "events:PutEvents",
        ),
        (
            "aws-sdk:s3:listBuckets",
            {},
            "S3.S3Exception",
            "s3:ListAllMyBuckets",
        ),
        (
            "aws-sdk:secretsmanager:getSecretValue",
            {"SecretId": "s"},
            "SecretsManager.SecretsManagerException",
            "secretsmanager:GetSecretValue",
        ),
    ],
)
def test_a_missing_permission_names_the_action(
    integrations: Integrations, idle: str, resource: str, arguments: Any, name: str, action: str
) -> None:
    error = failure(integrations, resource, arguments, idle)
    assert error.error == name
    assert re.match(
        rf"User: arn:aws:sts::{ACCOUNT}:assumed-role/errors-idle/\S+"
        rf" is not authorized to perform: {action} ",
        error.cause or "",
    )


@pytest.mark.parametrize("service", ["sqs", "aws-sdk:sqs"])
def test_a_service_that_cannot_be_reached_is_an_sdk_client_exception(
    platform: Platform, idle: str, service: str
) -> None:
    nowhere = Integrations(Platform("http://127.0.0.1:1"))
    arguments = {"QueueUrl": "http://127.0.0.1:1/q", "MessageBody": "x"}
    error = failure(nowhere, f"{service}:sendMessage", arguments, idle)
    nowhere.close()
    prefix = "SQS" if service == "sqs" else "Sqs"
    assert error.error == f"{prefix}.SdkClientException"
    assert (error.cause or "").startswith("Unable to execute HTTP request: ")


def test_arguments_that_do_not_fit_end_the_execution(
    integrations: Integrations, allowed: str
) -> None:
    arguments = {"Jobname": "j", "Arguments": {"--x": "ä"}}
    error = failure(integrations, "glue:startJobRun.sync", arguments, allowed)
    assert isinstance(error, ParametersError)
    told = (
        f"The Parameters '{json.dumps(arguments, ensure_ascii=False, separators=(',', ':'))}'"
        ' could not be used to start the Task: [The field "Jobname" is not supported by Step'
        " Functions, The field 'JobName' is required but was missing]"
    )
    assert (error.error, error.cause) == ("States.Runtime", told)
    placed = error.within("Run Spark Job", 7)
    assert placed.cause == (
        "An error occurred while executing the state 'Run Spark Job'"
        f" (entered at the event id #7). {told}"
    )


@pytest.mark.parametrize("resource", ["lambda:invoke", "events:putEvents", "sqs:sendMessage"])
def test_arguments_are_shown_as_the_state_gave_them(
    integrations: Integrations, allowed: str, resource: str
) -> None:
    arguments = {"Payload": {"a": 1}, "Entries": [], "Unknown": 1}
    error = failure(integrations, resource, arguments, allowed)
    shown = json.dumps(arguments, separators=(",", ":"))
    assert (error.cause or "").startswith(f"The Parameters '{shown}' could not be used")


def test_a_service_that_is_not_performed_says_so(integrations: Integrations, allowed: str) -> None:
    error = failure(integrations, "eks:createCluster.sync", {}, allowed)
    assert error.error == "States.Runtime"
    assert "arn:aws:states:::eks:createCluster.sync" in (error.cause or "")


@pytest.mark.parametrize(
    ("resource", "arguments", "name"),
    [
        ("dynamodb:putItem", {"TableName": "t", "Item": None}, "DynamoDB.AmazonDynamoDBException"),
        (
            "aws-sdk:dynamodb:putItem",
            {"TableName": "t", "Item": None},
            "DynamoDb.DynamoDbException",
        ),
        (
            "sqs:sendMessage",
            {"QueueUrl": "http://localhost/q", "MessageBody": None},
            "SQS.AmazonSQSException",
        ),
    ],
)
def test_null_where_a_value_is_required_is_an_error_of_the_service(
    integrations: Integrations, allowed: str, resource: str, arguments: Any, name: str
) -> None:
    assert failure(integrations, resource, arguments, allowed).error == name


def test_a_queue_url_that_is_a_bare_name_is_a_host_that_does_not_exist(
    integrations: Integrations, allowed: str
) -> None:
    arguments = {"QueueUrl": "orders", "MessageBody": "m"}
    error = failure(integrations, "sqs:sendMessage", arguments, allowed)
    assert error.error == "SQS.SdkClientException"
    assert error.cause == "Unable to execute HTTP request: orders: Name or service not known"
