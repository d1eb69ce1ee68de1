"""Resources of Tasks: what is recognised, and what history events say of it."""

from __future__ import annotations

import pytest

from penstock_local.asl.integrations import UnknownResourceError, parse

FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:orders"


@pytest.mark.parametrize(
    ("text", "kind", "pattern", "resource_type", "resource"),
    [
        ("glue:startJobRun.sync", "optimized", "sync", "glue", "startJobRun.sync"),
        ("glue:startJobRun", "optimized", None, "glue", "startJobRun"),
        (
            "states:startExecution.sync:2",
            "optimized",
            "sync:2",
            "states",
            "startExecution.sync:2",
        ),
        (
            "lambda:invoke.waitForTaskToken",
            "optimized",
            "waitForTaskToken",
            "lambda",
            "invoke.waitForTaskToken",
        ),
        ("aws-sdk:s3:getObject", "aws_sdk", None, "aws-sdk:s3", "getObject"),
        (
            "aws-sdk:redshiftdata:batchExecuteStatement",
            "aws_sdk",
            None,
            "aws-sdk:redshiftdata",
            "batchExecuteStatement",
        ),
        (
            "aws-sdk:sqs:sendMessage.waitForTaskToken",
            "aws_sdk",
            "waitForTaskToken",
            "aws-sdk:sqs",
            "sendMessage.waitForTaskToken",
        ),
        ("emr-serverless:startJobRun.sync", "optimized", "sync", "emr-serverless", None),
    ],
)
def test_an_integration_is_taken_apart(
    text: str, kind: str, pattern: str | None, resource_type: str, resource: str
) -> None:
    found = parse(f"arn:aws:states:::{text}")
    assert (found.kind, found.pattern, found.resource_type) == (kind, pattern, resource_type)
    assert found.resource == (resource or text.partition(":")[2])
    assert found.text == f"arn:aws:states:::{text}"


@pytest.mark.parametrize("suffix", ["", ":live", ":$LATEST", ":7"])
def test_a_function_is_called_by_its_arn(suffix: str) -> None:
    found = parse(FUNCTION + suffix)
    assert (found.kind, found.service, found.action, found.pattern) == (
        "lambda_arn",
        "lambda",
        None,
        None,
    )
    assert found.resource == FUNCTION + suffix


def test_an_activity_is_recognised() -> None:
    found = parse("arn:aws:states:eu-central-1:123456789012:activity:approve")
    assert found.kind == "activity"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "orders",
        "arn:aws:states:::dynamodb:query",  # AWS has four actions of DynamoDB, no more
        "arn:aws:states:::lambda:invoke.sync",
        "arn:aws:states:::glue:startJobRun.sync:2",
        "arn:aws:states:::glue:startJobRun.waitForTaskToken",
        "arn:aws:states:::glue:startCrawler",
        "arn:aws:states:::aws-sdk:glue:startJobRun.sync",  # aws-sdk has no .sync
        "arn:aws:states:::aws-sdk:logs:putLogEvents",  # the SDK says cloudwatchlogs
        "arn:aws:states:::aws-sdk:stepfunctions:startExecution",  # the SDK says sfn
        "arn:aws:states:::aws-sdk:redshift-data:executeStatement",
        "arn:aws:states:::aws-sdk:s3:GetObject",
        "arn:aws:states:::aws-sdk:s3:fetchObject",
        "arn:aws:states:::s3:getObject",  # ItemReader only
        "arn:aws:states:eu-central-1:123456789012:stateMachine:other",
        "arn:aws:lambda:eu-central-1:123456789012:function",
        "arn:aws:states:::glue:startJobRun.sync ",
    ],
)
def test_anything_else_is_refused_in_the_service_s_words(text: str) -> None:
    with pytest.raises(UnknownResourceError, match=r"^The resource provided ARN is not recognized"):
        parse(text)


def test_the_services_with_names_of_their_own_are_found() -> None:
    for text in (
        "sfn:sendTaskSuccess",
        "eventbridge:putEvents",
        "cloudwatchlogs:putLogEvents",
        "databasemigration:describeEndpoints",
        "secretsmanager:getSecretValue",
        "scheduler:createSchedule",
        "emrserverless:getJobRun",
        "dynamodbstreams:listStreams",
    ):
        assert parse(f"arn:aws:states:::aws-sdk:{text}").kind == "aws_sdk"
