"""JSON to the wire and back."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest

from penstock_local.asl.integrations import services
from penstock_local.asl.integrations.errors import RefusedError, UnfitArgumentsError
from penstock_local.asl.integrations.wire import SDK_V1, SDK_V2, Style, from_wire, to_wire

NULL = "Value null at '{}' failed to satisfy constraint: Member must not be null"


def sample(shape: Any, style: Style, seen: tuple[str, ...] = ()) -> Any:
    """A value of the shape with every member, as deep as it goes without repeating itself."""
    if getattr(shape, "is_document_type", False):
        return {"any": [1, "x"]}
    kind = shape.type_name
    if kind == "structure":
        return {
            style.member(name): sample(member, style, (*seen, shape.name))
            for name, member in shape.members.items()
            if member.name not in seen and member.name != shape.name
        }
    if kind == "list":
        inner = shape.member
        return [] if inner.name in seen else [sample(inner, style, (*seen, shape.name))]
    if kind == "map":
        inner = shape.value
        return {} if inner.name in seen else {"k": sample(inner, style, (*seen, shape.name))}
    return {
        "string": "text",
        "character": "c",
        "blob": "bytes",
        "integer": 3,
        "long": 2**40,
        "float": 0.5,
        "double": 1.5,
        "boolean": True,
        "timestamp": SDK_TIMES[style],
    }[kind]


SDK_TIMES = {SDK_V1: 1_795_238_400_123, SDK_V2: "2026-11-21T05:20:00.123Z"}
MOMENT = dt.datetime(2026, 11, 21, 5, 20, 0, 123000, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("service", "action"),
    [
        ("dynamodb", "transactWriteItems"),
        ("dynamodb", "updateItem"),
        ("glue", "startJobRun"),
        ("glue", "createJob"),
        ("ecs", "runTask"),
        ("emr-serverless", "startJobRun"),
        ("batch", "submitJob"),
        ("redshift-data", "batchExecuteStatement"),
        ("scheduler", "createSchedule"),
        ("events", "putEvents"),
        ("sns", "publish"),
        ("sqs", "sendMessage"),
        ("s3", "createMultipartUpload"),
        ("codebuild", "startBuild"),
        ("stepfunctions", "startExecution"),
    ],
)
def test_what_is_sent_reads_as_what_was_given(service: str, action: str) -> None:
    model = services.operation_model(service, action)
    assert model is not None
    given = sample(model.input_shape, SDK_V2)
    assert from_wire(to_wire(given, model, SDK_V2), model.input_shape, SDK_V2) == given


def wire(service: str, action: str, arguments: Any, style: Style = SDK_V2) -> dict[str, Any]:
    model = services.operation_model(service, action)
    assert model is not None
    return to_wire(arguments, model, style)


def problems(*arguments: Any) -> list[str]:
    with pytest.raises(UnfitArgumentsError) as raised:
        wire(*arguments)
    return raised.value.problems


def test_attribute_values_have_java_s_names_in_aws_sdk_and_the_api_s_in_optimised() -> None:
    java = {"Bool": True, "Nul": True, "Ss": ["a"], "S": "x"}
    api = {"BOOL": True, "NULL": True, "SS": ["a"], "S": "x"}
    for style, value in ((SDK_V2, java), (SDK_V1, api)):
        sent = wire("dynamodb", "putItem", {"TableName": "t", "Item": {"v": value}}, style)
        assert sent["Item"]["v"] == api
    assert problems("dynamodb", "putItem", {"TableName": "t", "Item": {"v": {"BOOL": True}}}) == [
        'The field "BOOL" is not supported by Step Functions'
    ]


def test_members_that_are_null_are_left_out_at_every_depth() -> None:
    arguments = {
        "JobName": "j",
        "WorkerType": None,
        "NotificationProperty": {"NotifyDelayAfter": None},
        "Arguments": {"--a": "1", "--b": None},
    }
    assert wire("glue", "startJobRun", arguments) == {
        "JobName": "j",
        "NotificationProperty": {},
        "Arguments": {"--a": "1"},
    }


def test_a_small_letter_in_front_is_refused_and_so_is_a_missing_member() -> None:
    found = problems("batch", "submitJob", {"jobName": "j", "JobQueue": "q"})
    assert found == [
        'The field "jobName" is not supported by Step Functions',
        "The field 'JobName' is required but was missing",
        "The field 'JobDefinition' is required but was missing",
    ]


@pytest.mark.parametrize(
    ("service", "action", "arguments", "refusal"),
    [
        (
            "dynamodb",
            "putItem",
            {"TableName": "t", "Item": None},
            f"ValidationException: 1 validation error detected: {NULL.format('item')}",
        ),
        (
            "dynamodb",
            "getItem",
            {"TableName": None, "Key": None},
            f"2 validation errors detected: {NULL.format('tableName')}; {NULL.format('key')}",
        ),
        (
            "sqs",
            "sendMessage",
            {"QueueUrl": "http://q", "MessageBody": None},
            "MissingParameter: The request must contain the parameter MessageBody.",
        ),
    ],
)
def test_a_required_member_that_is_null_is_refused_in_the_service_s_words(
    service: str, action: str, arguments: Any, refusal: str
) -> None:
    model = services.operation_model(service, action)
    assert model is not None
    with pytest.raises(RefusedError, match=re.escape(refusal)) as refused:
        to_wire(arguments, model, SDK_V1)
    assert refused.value.status == 400


def test_members_that_the_sdk_makes_up_are_not_missing() -> None:
    """EMR Serverless requires a client token, which every SDK generates."""
    arguments = {"ApplicationId": "a", "ExecutionRoleArn": "r"}
    assert wire("emr-serverless", "startJobRun", arguments) == {
        "applicationId": "a",
        "executionRoleArn": "r",
    }


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"JobName": "j", "Timeout": "soon"}, "The field 'Timeout' must be a whole number"),
        ({"JobName": "j", "Timeout": 1.5}, "The field 'Timeout' must be a whole number"),
        ({"JobName": "j", "Timeout": True}, "The field 'Timeout' must be a whole number"),
        ({"JobName": "j", "MaxCapacity": []}, "The field 'MaxCapacity' must be a number"),
        ({"JobName": "j", "Arguments": "x"}, "The field 'Arguments' must be an object"),
        (
            {"JobName": "j", "JobRunQueuingEnabled": "yes"},
            "The field 'JobRunQueuingEnabled' must be a boolean",
        ),
        ("text", "The Arguments must be an object"),
    ],
)
def test_a_value_of_the_wrong_type_is_named(arguments: Any, problem: str) -> None:
    assert problems("glue", "startJobRun", arguments) == [problem]


def test_scalars_are_read_as_jackson_reads_them() -> None:
    sent = wire(
        "glue",
        "startJobRun",
        {
            "JobName": 7,
            "Timeout": "60",
            "NumberOfWorkers": 2.0,
            "Arguments": {"--n": 5, "--on": True, "--list": [1, {"a": "é"}]},
        },
    )
    assert sent == {
        "JobName": "7",
        "Timeout": 60,
        "NumberOfWorkers": 2,
        "Arguments": {"--n": "5", "--on": "true", "--list": '[1,{"a":"é"}]'},
    }
    assert isinstance(sent["NumberOfWorkers"], int)


def test_times_are_texts_or_seconds() -> None:
    for given in ("2026-11-21T05:20:00.123Z", "2026-11-21T06:20:00.123+01:00", MOMENT.timestamp()):
        sent = wire(
            "scheduler",
            "createSchedule",
            {
                "Name": "n",
                "ScheduleExpression": "rate(1 day)",
                "FlexibleTimeWindow": {"Mode": "OFF"},
                "Target": {"Arn": "a", "RoleArn": "r"},
                "StartDate": given,
            },
        )
        assert sent["StartDate"] == MOMENT


def test_times_come_back_as_each_generation_of_the_sdk_writes_them() -> None:
    model = services.operation_model("glue", "getJobRun")
    assert model is not None
    answer = {"JobRun": {"StartedOn": MOMENT, "CompletedOn": MOMENT.replace(microsecond=0)}}
    assert from_wire(answer, model.output_shape, SDK_V1) == {
        "JobRun": {"CompletedOn": 1795238400000, "StartedOn": 1795238400123}
    }
    assert from_wire(answer, model.output_shape, SDK_V2) == {
        "JobRun": {
            "CompletedOn": "2026-11-21T05:20:00Z",
            "StartedOn": "2026-11-21T05:20:00.123Z",
        }
    }


def test_blobs_are_texts_where_they_are_texts_and_base64_elsewhere() -> None:
    model = services.operation_model("kinesis", "getRecords")
    assert model is not None
    records = {"Records": [{"Data": "grün".encode()}, {"Data": b"\xff\x00"}]}
    found = from_wire(records, model.output_shape, SDK_V2)
    assert [record["Data"] for record in found["Records"]] == ["grün", "/wA="]


def test_a_streamed_body_is_json_and_another_blob_its_text() -> None:
    body = {"Bucket": "b", "Key": "k", "Body": "text"}
    assert wire("s3", "putObject", body)["Body"] == b'"text"'
    assert wire("s3", "putObject", {**body, "Body": {"a": [1, None]}})["Body"] == b'{"a":[1,null]}'
    record = {"StreamName": "s", "PartitionKey": "p", "Data": "text"}
    assert wire("kinesis", "putRecord", record)["Data"] == b"text"
    assert wire("kinesis", "putRecord", {**record, "Data": {"a": 1}})["Data"] == b'{"a":1}'
