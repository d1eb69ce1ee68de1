"""Results of calls to services that really answer."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from tests.local.asl.integrations.calls import (
    ACCOUNT,
    EXECUTION,
    REGION,
    failure,
    run,
    start,
    without_metadata,
)
from tests.local.asl.integrations.conftest import Platform

from penstock_local.asl.integrations import Integrations

ECHO = """
class OrderRefusedError(Exception):
    pass


def handler(event, context):
    if event == {"fail": True}:
        raise OrderRefusedError("no such order: é")
    return {"got": event}
"""


@pytest.fixture(scope="module")
def role(platform: Platform) -> str:
    return platform.role("calls", "*")


@pytest.fixture(scope="module")
def bucket(platform: Platform) -> str:
    platform.client("s3").create_bucket(
        Bucket="calls-bucket", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    return "calls-bucket"


@pytest.fixture(scope="module")
def function(platform: Platform) -> str:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", ECHO)
    made = platform.client("lambda").create_function(
        FunctionName="calls-echo",
        Runtime="python3.11",
        Role=platform.role("calls-function", trusts="lambda.amazonaws.com"),
        Handler="app.handler",
        Code={"ZipFile": code.getvalue()},
    )
    arn: str = made["FunctionArn"]
    return arn


def test_dynamodb_items_go_in_and_come_out(
    platform: Platform, integrations: Integrations, role: str
) -> None:
    platform.client("dynamodb").create_table(
        TableName="calls",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    item = {"id": {"S": "1"}, "flag": {"BOOL": True}, "none": {"NULL": True}, "n": {"N": "1.5"}}
    put = start(integrations, "dynamodb:putItem", {"TableName": "calls", "Item": item}, role)
    assert without_metadata(put) == {}
    key = {"TableName": "calls", "Key": {"id": {"S": "1"}}}
    assert without_metadata(start(integrations, "dynamodb:getItem", key, role)) == {"Item": item}
    found = start(integrations, "aws-sdk:dynamodb:getItem", key, role)
    assert found == {"Item": {**item, "flag": {"Bool": True}, "none": {"Nul": True}}}


def test_an_aws_sdk_result_has_no_metadata_and_names_of_java(
    integrations: Integrations, role: str, bucket: str
) -> None:
    put = start(
        integrations,
        "aws-sdk:s3:putObject",
        {"Bucket": bucket, "Key": "dir/a.txt", "Body": "hällo"},
        role,
    )
    assert set(put) == {"ETag"}
    got = start(integrations, "aws-sdk:s3:getObject", {"Bucket": bucket, "Key": "dir/a.txt"}, role)
    assert got.pop("LastModified").endswith("Z")
    assert got == {
        "AcceptRanges": "bytes",
        "Body": '"hällo"',  # as measured: a text is stored with its quotes
        "ContentLength": 8,
        "ContentType": "text/plain; charset=UTF-8",
        "ETag": put["ETag"],
        "Metadata": {},
    }


def test_a_json_body_is_stored_as_compact_json(
    platform: Platform, integrations: Integrations, role: str, bucket: str
) -> None:
    body = {"list": [1, 2.5, None, True], "text": "é"}
    arguments = {"Bucket": bucket, "Key": "b.json", "Body": body, "ContentType": "text/json"}
    start(integrations, "aws-sdk:s3:putObject", arguments, role)
    stored = platform.client("s3").get_object(Bucket=bucket, Key="b.json")
    assert stored["Body"].read().decode() == '{"list":[1,2.5,null,true],"text":"é"}'
    assert stored["ContentType"] == "text/json"


def test_a_message_may_be_json(platform: Platform, integrations: Integrations, role: str) -> None:
    sqs = platform.client("sqs")
    queue = sqs.create_queue(QueueName="calls")["QueueUrl"]
    for body, text in (({"a": [1]}, '{"a":[1]}'), ("plain", "plain")):
        arguments = {"QueueUrl": queue, "MessageBody": body}
        sent = without_metadata(start(integrations, "sqs:sendMessage", arguments, role))
        assert set(sent) == {"MD5OfMessageBody", "MessageId"}
        message = sqs.receive_message(QueueUrl=queue)["Messages"][0]
        assert message["Body"] == text
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


def test_a_notification_may_be_json(
    platform: Platform, integrations: Integrations, role: str
) -> None:
    sns, sqs = platform.client("sns"), platform.client("sqs")
    allowed = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    queue = sqs.create_queue(QueueName="calls-topic", Attributes={"Policy": policy})["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:calls-topic"
    topic = sns.create_topic(Name="calls")["TopicArn"]
    sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
    )
    arguments = {"TopicArn": topic, "Message": {"done": True}, "Subject": "s"}
    sent = without_metadata(start(integrations, "sns:publish", arguments, role))
    assert set(sent) == {"MessageId"}
    messages = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
    assert messages[0]["Body"] == '{"done":true}'


def test_an_event_tells_which_execution_put_it(
    platform: Platform, integrations: Integrations, role: str
) -> None:
    events, sqs = platform.client("events"), platform.client("sqs")
    queue = sqs.create_queue(QueueName="calls-bus")["QueueUrl"]
    target = {"Id": "q", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:calls-bus"}
    events.put_rule(Name="calls", EventPattern=json.dumps({"source": ["calls"]}))
    events.put_targets(Rule="calls", Targets=[target])
    entry = {"Source": "calls", "DetailType": "t", "Detail": {"a": 1}, "Resources": ["r"]}
    answer = start(integrations, "events:putEvents", {"Entries": [entry]}, role)
    assert answer["FailedEntryCount"] == 0
    assert set(answer) == {"Entries", "FailedEntryCount"}
    message = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"][0]
    event = json.loads(message["Body"])
    assert event["detail"] == {"a": 1}
    machine = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:parent"
    assert event["resources"] == ["r", EXECUTION, machine]


def test_a_function_is_invoked_with_its_payload(
    integrations: Integrations, role: str, function: str
) -> None:
    arguments = {"FunctionName": function, "Payload": {"a": "é"}}
    result = without_metadata(start(integrations, "lambda:invoke", arguments, role))
    assert result == {
        "ExecutedVersion": "$LATEST",
        "Payload": {"got": {"a": "é"}},
        "StatusCode": 200,
    }


@pytest.mark.parametrize("payload", [{}, {"Payload": None}, {"Payload": {}}])
def test_no_payload_reaches_a_function_as_an_empty_object(
    integrations: Integrations, role: str, function: str, payload: Any
) -> None:
    arguments = {"FunctionName": "calls-echo", **payload}
    result = start(integrations, "lambda:invoke", arguments, role)
    assert result["Payload"] == {"got": {}}


@pytest.mark.parametrize("payload", [0, "text", [1], False])
def test_a_payload_may_be_any_json(
    integrations: Integrations, role: str, function: str, payload: Any
) -> None:
    arguments = {"FunctionName": "calls-echo", "Payload": payload}
    result = start(integrations, "lambda:invoke", arguments, role)
    assert result["Payload"] == {"got": payload}


def test_a_function_s_arn_as_resource_gives_the_bare_payload(
    integrations: Integrations, role: str, function: str
) -> None:
    assert start(integrations, function, {"x": 1}, role) == {"got": {"x": 1}}
    assert start(integrations, function, None, role) == {"got": {}}


def test_an_invocation_that_nobody_waits_for_has_no_answer(
    integrations: Integrations, role: str, function: str
) -> None:
    arguments = {"FunctionName": "calls-echo", "InvocationType": "Event", "Payload": {}}
    result = without_metadata(start(integrations, "lambda:invoke", arguments, role))
    assert (result["StatusCode"], result["Payload"]) == (202, {})


def test_a_function_s_exception_is_an_error_that_catch_can_name(
    integrations: Integrations, role: str, function: str
) -> None:
    arguments = {"FunctionName": "calls-echo", "Payload": {"fail": True}}
    for resource, given in (("lambda:invoke", arguments), (function, {"fail": True})):
        error = failure(integrations, resource, given, role)
        assert error.error == "OrderRefusedError"
        cause = json.loads(error.cause or "")
        assert cause["errorMessage"] == "no such order: é"
        assert list(cause) == ["errorMessage", "errorType", "requestId", "stackTrace"]
        assert ": é" in (error.cause or "")


def test_any_service_can_be_called_for_the_engine_s_own_purposes(
    integrations: Integrations, role: str, bucket: str
) -> None:
    answer = run(
        integrations.service(role, REGION, "s3", "listObjectsV2", {"Bucket": bucket, "MaxKeys": 1})
    )
    assert answer["Name"] == bucket
