"""AWS in memory for the adapters and the handlers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

CONTROL_TABLE = "control"
RUN_TABLE = "run"
BUCKET = "data"
REGION = "eu-central-1"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty AWS account."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


@pytest.fixture
def dynamodb(aws: None) -> Any:
    """A client of DynamoDB with both tables."""
    client = boto3.client("dynamodb")
    client.create_table(
        TableName=RUN_TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=_schema("PK", "SK"),
        AttributeDefinitions=_texts("PK", "SK"),
    )
    client.create_table(
        TableName=CONTROL_TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=_schema("JobName"),
        AttributeDefinitions=_texts("JobName", "JobCategory"),
        GlobalSecondaryIndexes=[
            {
                "IndexName": "JobCategory-index",
                "KeySchema": _schema("JobCategory", "JobName"),
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    return client


@pytest.fixture
def s3(aws: None) -> Any:
    """A client of S3 with the data bucket."""
    client = boto3.client("s3")
    client.create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    return client


@pytest.fixture
def queue(aws: None) -> tuple[Any, str]:
    """A client of SQS and the URL of the error queue."""
    client = boto3.client("sqs")
    return client, client.create_queue(QueueName="errors")["QueueUrl"]


def _schema(*names: str) -> list[Any]:
    kinds = ("HASH", "RANGE")
    return [{"AttributeName": n, "KeyType": k} for n, k in zip(names, kinds, strict=False)]


def _texts(*names: str) -> list[Any]:
    return [{"AttributeName": name, "AttributeType": "S"} for name in names]
