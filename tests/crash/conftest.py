"""One world for the whole matrix: the platform and the database of the shipped jobs' tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache

import boto3
import pytest
from bench.postgres_server import PostgresServer
from tests.crash.world import BUCKET, World
from tests.local.redshift.data_api import REGION, Platform
from tests.unit.glue.conftest import platform, postgres

__all__ = ["platform", "postgres"]


@pytest.fixture(scope="module")
def world(platform: Platform, postgres: PostgresServer) -> Iterator[World]:
    """A source, a sink, and one whole run between them."""
    with pytest.MonkeyPatch.context() as patch, postgres.connect() as database:
        for name, value in {
            "AWS_ENDPOINT_URL": platform.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
        }.items():
            patch.setenv(name, value)
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        patch.setattr(boto3, "client", cache(boto3.client))  # making one takes longer than using it
        boto3.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        secret = boto3.client("secretsmanager").create_secret(
            Name="shop", SecretString=json.dumps(postgres.secret)
        )
        one = World(database, secret["ARN"])
        one.begin()
        yield one
    platform.reset()
