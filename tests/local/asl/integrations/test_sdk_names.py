"""Names of services, members and errors, checked against every API model that botocore has."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore
import pytest

from penstock_local.asl.integrations import services
from penstock_local.asl.integrations.names import capitalised, java_member


def models() -> Iterator[tuple[str, dict[str, Any]]]:
    for folder in sorted((Path(botocore.__file__).parent / "data").iterdir()):
        versions = sorted(folder.glob("*/service-2.json.gz")) if folder.is_dir() else []
        if versions:
            yield folder.name, json.loads(gzip.decompress(versions[-1].read_bytes()))


@pytest.fixture(scope="module")
def every_model() -> dict[str, dict[str, Any]]:
    return dict(models())


@pytest.mark.parametrize(
    ("member", "name"),
    [
        ("SSEKMSKeyId", "SsekmsKeyId"),
        ("TemplateURL", "TemplateURL"),
        ("BOOL", "Bool"),
        ("NULL", "Nul"),
        ("SS", "Ss"),
        ("S", "S"),
        ("ETag", "ETag"),
        ("ACL", "Acl"),
        ("DBInstanceIdentifier", "DbInstanceIdentifier"),
        ("KMSMasterKeyID", "KmsMasterKeyID"),
        ("jobRunId", "JobRunId"),
        ("MD5OfMessageBody", "Md5OfMessageBody"),
        ("VPCZoneIdentifier", "VpcZoneIdentifier"),
        ("IPv4", "IPv4"),
        ("ARN", "Arn"),
    ],
)
def test_members_are_named_as_the_sdk_for_java_names_them(member: str, name: str) -> None:
    assert java_member(member) == name


def test_names_lead_back_to_members_in_every_model(every_model: dict[str, dict[str, Any]]) -> None:
    """No two members of a structure share a name: so every name has exactly one member."""
    shared = [
        (service, shape)
        for service, model in every_model.items()
        for shape, definition in model["shapes"].items()
        for name in (java_member, capitalised)
        if definition["type"] == "structure"
        and len({name(member) for member in definition["members"]}) < len(definition["members"])
    ]
    assert shared == []
    assert len(every_model) > 400


def test_every_name_begins_with_a_capital(every_model: dict[str, dict[str, Any]]) -> None:
    for model in every_model.values():
        for definition in model["shapes"].values():
            for member in definition.get("members", {}):
                assert java_member(member)[0] == java_member(member)[0].upper()


def test_services_are_named_by_the_rule_of_the_sdk_for_java(
    every_model: dict[str, dict[str, Any]],
) -> None:
    """Lower case, letters and digits only, without Amazon or AWS in front or Service behind."""
    for folder, model in every_model.items():
        if folder == "sms-voice":  # the same service as pinpoint-sms-voice
            continue
        plain = "".join(c for c in model["metadata"]["serviceId"].lower() if c.isalnum())
        name = plain.removeprefix("amazon").removeprefix("aws").removesuffix("service")
        assert services.botocore_name(name) == folder


@pytest.mark.parametrize(
    ("service", "prefix"),
    [
        ("dynamodb", "DynamoDb"),
        ("s3", "S3"),
        ("secretsmanager", "SecretsManager"),
        ("stepfunctions", "Sfn"),
        ("redshift-data", "RedshiftData"),
        ("logs", "CloudWatchLogs"),
        ("events", "EventBridge"),
        ("rds", "Rds"),
        ("ec2", "Ec2"),
        ("elasticache", "ElastiCache"),
        ("apigateway", "ApiGateway"),
        ("lambda", "Lambda"),
        ("dms", "DatabaseMigration"),
        ("elbv2", "ElasticLoadBalancingV2"),
        ("lexv2-models", "LexModelsV2"),
        ("emr-serverless", "EmrServerless"),
        ("sesv2", "SesV2"),
        ("iot", "Iot"),
        ("iotfleetwise", "IoTFleetWise"),
    ],
)
def test_errors_of_a_service_begin_with_its_class_name(service: str, prefix: str) -> None:
    assert services.sdk_error_prefix(service) == prefix


@pytest.mark.parametrize(
    ("shape", "name"),
    [
        ("KMSInvalidStateException", "KmsInvalidStateException"),
        ("EC2AccessDeniedException", "Ec2AccessDeniedException"),
        ("AWSOrganizationsNotInUseException", "AwsOrganizationsNotInUseException"),
        ("ConditionalCheckFailedException", "ConditionalCheckFailedException"),
        ("QueueDoesNotExist", "QueueDoesNotExist"),
    ],
)
def test_classes_are_named_as_the_sdk_for_java_names_them(shape: str, name: str) -> None:
    assert services.java_class_name(shape) == name
