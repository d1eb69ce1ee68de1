"""The AWS clients of a function, made once per Lambda environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

THREADS: Final = 16
"""How many requests a function has under way at once when it has many of a kind."""

_CONFIG: Final = Config(
    connect_timeout=3,
    read_timeout=20,
    max_pool_connections=THREADS,
    parameter_validation=False,  # the tests' clients validate; for 10,000 items it takes seconds
    retries={"mode": "standard", "max_attempts": 10},  # full jitter, so thousands do not meet again
)


def dynamodb() -> DynamoDBClient:
    """Return a client of DynamoDB."""
    client: DynamoDBClient = boto3.client("dynamodb", config=_CONFIG)
    return client


def s3() -> S3Client:
    """Return a client of S3."""
    client: S3Client = boto3.client("s3", config=_CONFIG)
    return client


def sqs() -> SQSClient:
    """Return a client of SQS."""
    client: SQSClient = boto3.client("sqs", config=_CONFIG)
    return client


def events() -> EventBridgeClient:
    """Return a client of EventBridge."""
    client: EventBridgeClient = boto3.client("events", config=_CONFIG)
    return client


def sns() -> SNSClient:
    """Return a client of SNS."""
    client: SNSClient = boto3.client("sns", config=_CONFIG)
    return client


def step_functions() -> Any:
    """Return a client of Step Functions."""
    client: Any = boto3.client("stepfunctions", config=_CONFIG)
    return client
