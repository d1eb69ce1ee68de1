"""Requests that the Data API refuses, and how it words it."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.local.redshift.data_api import REGION, Platform, parameters

HERE = {"WorkgroupName": "analytics", "Database": "dev"}


@pytest.fixture(scope="module")
def unchecked(platform: Platform) -> Any:
    """A client that sends what boto3 would refuse by itself."""
    return boto3.client(
        "redshift-data",
        endpoint_url=platform.endpoint,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(parameter_validation=False, proxies={}, retries={"max_attempts": 0}),
    )


@pytest.mark.parametrize(
    ("request_members", "message"),
    [
        ({"Sql": "select 1", "Database": "dev"}, "specify ClusterIdentifier or WorkgroupName"),
        (
            {"Sql": "select 1", "ClusterIdentifier": "c", **HERE},
            "Exactly one of ClusterIdentifier and WorkgroupName",
        ),
        ({"Sql": "select 1", "WorkgroupName": "analytics"}, "Database is required"),
        ({**HERE}, "Value null at 'sql' failed to satisfy constraint: Member must not be null"),
        ({"Sql": "select 1; select 2", **HERE}, "Multiple sql statements are not allowed."),
        ({"Sql": "x" * 102_401, **HERE}, "Cannot process query string larger than 100kB"),
        ({"Sql": "é" * 51_201, **HERE}, "Cannot process query string larger than 100kB"),
        (
            {"Sql": "select 1", "Parameters": parameters(a="1"), **HERE},
            r"Unused parameters: \[a\]",
        ),
        ({"Sql": "select :a, :b", "Parameters": parameters(a="1"), **HERE}, "find parameter: b"),
        (
            {"Sql": "select :a", "Parameters": parameters(a=""), **HERE},
            (
                "at 'parameters.1.member.value' failed to satisfy constraint: "
                "Member must have length greater than or equal to 1"
            ),
        ),
        (
            {"Sql": "select :a", "Parameters": [{"name": "a", "value": None}], **HERE},
            "Value null at 'parameters.1.member.value'",
        ),
        (
            {"Sql": "select :a", "Parameters": [{"name": "a b", "value": "1"}], **HERE},
            "regular expression pattern",
        ),
        (
            {"Sql": "select :a", "Parameters": parameters(a="1") * 2, **HERE},
            "duplicate parameter names",
        ),
        ({"Sql": "select 1", "ResultFormat": "XML", **HERE}, r"enum value set: \[JSON, CSV\]"),
        ({"Sql": "select 1", "WaitTimeSeconds": 31, **HERE}, "value less than or equal to 30"),
        ({"Sql": "select 1", "ClientToken": "x" * 65, **HERE}, "length less than or equal to 64"),
        ({"Sql": "select 1", "SecretArn": "nope", **HERE}, "can't find the specified secret"),
    ],
)
def test_an_invalid_request_is_refused(
    unchecked: Any, request_members: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError, match=message) as raised:
        unchecked.execute_statement(**request_members)
    assert raised.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.parametrize("count", [0, 41])
def test_a_batch_has_1_to_40_statements(unchecked: Any, count: int) -> None:
    with pytest.raises(ClientError, match="at 'sqls' failed to satisfy constraint"):
        unchecked.batch_execute_statement(Sqls=["select 1"] * count, **HERE)


def test_a_batch_of_40_statements_runs(unchecked: Any) -> None:
    sqls = [f"select {number}" for number in range(40)]
    answer = unchecked.batch_execute_statement(Sqls=sqls, WaitTimeSeconds=30, **HERE)
    assert answer["Status"] == "FINISHED"


def test_a_batch_parameter_must_be_used_by_one_statement_only(unchecked: Any) -> None:
    call = {"Sqls": ["select :a", "select 1"], **HERE}
    assert unchecked.batch_execute_statement(Parameters=parameters(a="1"), **call)["Id"]
    with pytest.raises(ClientError, match=r"Unused parameters: \[b\]"):
        unchecked.batch_execute_statement(Parameters=parameters(a="1", b="2"), **call)


def test_a_wrong_type_is_a_serialization_error(unchecked: Any) -> None:
    with pytest.raises(ClientError) as raised:
        unchecked.list_statements(MaxResults="x")
    assert raised.value.response["Error"]["Code"] == "SerializationException"


@pytest.mark.parametrize(
    "operation",
    ["describe_statement", "get_statement_result", "get_statement_result_v2", "cancel_statement"],
)
def test_an_unknown_statement_is_not_found(unchecked: Any, operation: str) -> None:
    with pytest.raises(ClientError, match="Query does not exist") as raised:
        getattr(unchecked, operation)(Id="01234567-0123-0123-0123-0123456789ab")
    assert raised.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_an_id_that_is_none_is_invalid(unchecked: Any) -> None:
    with pytest.raises(ClientError, match="at 'id' failed to satisfy constraint"):
        unchecked.describe_statement(Id="x")


def test_statements_cannot_be_listed_for_a_cluster_and_a_workgroup(unchecked: Any) -> None:
    unchecked.execute_statement(Sql="select 1", WaitTimeSeconds=20, **HERE)
    with pytest.raises(ClientError, match="cannot both be specified"):
        unchecked.list_statements(WorkgroupName="abc", ClusterIdentifier="c", Database="d")
