"""What Task states may call, and with what."""

from __future__ import annotations

from typing import Any

import pytest
from tests.local.asl.diagnosed import of_state
from tests.local.asl.world import CALLBACK, GLUE, LAMBDA

TASK = {"Type": "Task", "Resource": LAMBDA, "Arguments": {"FunctionName": "f"}}


@pytest.mark.parametrize(
    ("resource", "arguments"),
    [
        (LAMBDA, {"FunctionName": "f"}),
        (CALLBACK, {"FunctionName": "f"}),
        (GLUE, {"JobName": "j"}),
        ("arn:aws:states:::aws-sdk:s3:getObject", {"Bucket": "b", "Key": "k"}),
        ("arn:aws:states:::aws-sdk:redshiftdata:batchExecuteStatement", {"Sqls": ["select 1"]}),
        ("arn:aws:states:::sns:publish", {"Message": "m", "TopicArn": "t"}),
        (LAMBDA, "{% $states.input %}"),
    ],
)
def test_a_task_calls_what_the_service_knows(resource: str, arguments: Any) -> None:
    found = of_state({"Type": "Task", "Resource": resource, "Arguments": arguments})
    assert not any("/Resource" in line for line in found), found


@pytest.mark.parametrize(
    "resource",
    [
        "arn:aws:lambda:eu-central-1:123456789012:function:f",
        "arn:aws:states:eu-central-1:123456789012:activity:desk",
    ],
)
def test_functions_and_activities_need_no_arguments(resource: str) -> None:
    assert of_state({"Type": "Task", "Resource": resource}) == []


@pytest.mark.parametrize(
    "resource",
    [
        "arn:aws:states:::dynamodb:query",
        "arn:aws:states:::nothing:atAll",
        "arn:aws:states:::glue:startJobRun.waitForTaskToken",
        "arn:aws:states:::aws-sdk:s3:fetchObject",
        "arn:aws:states:::aws-sdk:s3:getObject.sync",
    ],
)
def test_a_resource_the_service_does_not_know_is_refused(resource: str) -> None:
    found = of_state({"Type": "Task", "Resource": resource, "Arguments": {}})
    assert (
        f"The resource provided {resource} is not recognized. The value is not a valid resource"
        " ARN, or the resource is not available in this region. at /States/Only/Resource"
    ) in found


@pytest.mark.parametrize("resource", ["lambda", "{% $fn %}", ""])
def test_a_resource_must_be_an_arn(resource: str) -> None:
    assert of_state({"Type": "Task", "Resource": resource}) == [
        "Value is not a valid resource ARN at /States/Only/Resource"
    ]


def test_calls_of_services_need_arguments() -> None:
    assert of_state({"Type": "Task", "Resource": LAMBDA}) == [
        f"Arguments field is required for resource ARN: {LAMBDA} at /States/Only/Resource"
    ]


@pytest.mark.parametrize(
    ("resource", "arguments", "finding"),
    [
        (LAMBDA, {}, "The field 'FunctionName' is required but was missing at Arguments"),
        (
            "arn:aws:states:::aws-sdk:s3:getObject",
            {"Bucket": "b"},
            "The field 'Key' is required but was missing at Arguments",
        ),
        (
            "arn:aws:states:::aws-sdk:s3:getObject",
            {"Bucket": "b", "Key": "k", "Colour": 1},
            'The field "Colour" is not supported by Step Functions at Arguments',
        ),
        (
            GLUE,
            {"JobName": "j", "NotificationProperty": {"NotifyLater": 1}},
            (
                'The field "NotifyLater" is not supported by Step Functions at'
                " Arguments/NotificationProperty"
            ),
        ),
        (LAMBDA, [], "Expected value of type [OBJECT] at Arguments"),
    ],
)
def test_arguments_are_those_of_the_api(resource: str, arguments: Any, finding: str) -> None:
    found = of_state({"Type": "Task", "Resource": resource, "Arguments": arguments})
    assert finding.replace(" Arguments", " /States/Only/Arguments") in found


def test_credentials_name_a_role() -> None:
    role = "arn:aws:iam::123456789012:role/other"
    assert of_state({**TASK, "Credentials": {"RoleArn": role}}) == []
    assert of_state({**TASK, "Credentials": {"RoleArn": "{% $role %}"}}) == []
    assert of_state({**TASK, "Credentials": {}}) == [
        "The field 'RoleArn' is required but was missing at /States/Only/Credentials"
    ]


def test_a_heartbeat_is_shorter_than_the_timeout() -> None:
    assert of_state({**TASK, "TimeoutSeconds": 10, "HeartbeatSeconds": 9}) == []
    (finding,) = of_state({**TASK, "TimeoutSeconds": 10, "HeartbeatSeconds": 10})
    assert finding.endswith(" at /States/Only/HeartbeatSeconds")


# Express


@pytest.mark.parametrize(("resource", "pattern"), [(GLUE, "sync"), (CALLBACK, "waitForTaskToken")])
def test_an_express_machine_waits_for_nothing(resource: str, pattern: str) -> None:
    arguments = {"JobName": "j"} if pattern == "sync" else {"FunctionName": "f"}
    state = {"Type": "Task", "Resource": resource, "Arguments": arguments}
    assert of_state(state) == []
    assert of_state(state, "EXPRESS") == [
        (
            f"Express state machine does not support '.{pattern}' service integration  at"
            " /States/Only/Resource"
        )
    ]


def test_an_express_machine_has_no_activities() -> None:
    resource = "arn:aws:states:eu-central-1:123456789012:activity:desk"
    assert of_state({"Type": "Task", "Resource": resource}, "EXPRESS") == [
        "Express state machine does not support Activity ARN at /States/Only/Resource"
    ]
