"""The Arguments of a call, as far as they are written out, against the API's own model."""

from __future__ import annotations

from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from penstock_local.asl.integrations import services
from penstock_local.asl.integrations.names import (
    MemberName,
    capitalised,
    java_member,
    members_by_name,
)
from penstock_local.asl.integrations.resource import Resource
from penstock_local.asl.validation.findings import Findings

_REQUIRED: dict[tuple[str, str], tuple[str, ...]] = {
    ("lambda", "invoke"): ("FunctionName",),
    ("sqs", "sendMessage"): ("QueueUrl", "MessageBody"),
    ("sns", "publish"): ("Message",),
    ("dynamodb", "putItem"): ("TableName", "Item"),
    ("dynamodb", "getItem"): ("TableName", "Key"),
    ("states", "startExecution"): ("StateMachineArn",),
    ("events", "putEvents"): ("Entries",),
    ("ecs", "runTask"): ("TaskDefinition",),
    ("glue", "startJobRun"): ("JobName",),
}
"""What optimised integrations ask for when a definition is made; of the rest, the API's model."""

_APIS = {
    "batch": "batch",
    "codebuild": "codebuild",
    "dynamodb": "dynamodb",
    "ecs": "ecs",
    "emr-serverless": "emr-serverless",
    "glue": "glue",
    "sns": "sns",
    "sqs": "sqs",
    "athena": "athena",
}
"""Optimised integrations that take the API's own parameters, without additions of their own."""


def check_arguments(
    arguments: dict[str, Any], resource: Resource, location: str, findings: Findings
) -> None:
    """Check the names of the members, and that none is missing."""
    operation = _operation(resource)
    for field in _required(resource, operation):
        if field not in arguments:
            findings.schema(f"The field '{field}' is required but was missing", location)
    if operation is not None and operation.input_shape is not None:
        name = _member_name(resource)
        _check_structure(arguments, operation.input_shape, name, location, findings)


def _operation(resource: Resource) -> OperationModel | None:
    api = (
        services.botocore_name(resource.service)
        if resource.kind == "aws_sdk"
        else _APIS.get(resource.service)
    )
    if api is None or resource.action is None:
        return None
    return services.operation_model(api, resource.action)


def _member_name(resource: Resource) -> MemberName:
    return java_member if resource.kind == "aws_sdk" else capitalised


def _required(resource: Resource, operation: OperationModel | None) -> tuple[str, ...]:
    if resource.kind == "optimized":
        return _REQUIRED.get((resource.service, resource.action or ""), ())
    if operation is None or operation.input_shape is None:
        return ()
    generated = operation.idempotent_members
    members = operation.input_shape.required_members
    return tuple(java_member(member) for member in members if member not in generated)


def _check_structure(
    value: dict[str, Any],
    shape: StructureShape,
    name: MemberName,
    location: str,
    findings: Findings,
) -> None:
    members = members_by_name(shape, name)
    for field, member in value.items():
        if field in members:
            where = f"{location}/{field}"
            _check_value(member, shape.members[members[field]], name, where, findings)
        else:
            message = f'The field "{field}" is not supported by Step Functions'
            findings.schema(message, location)


def _check_value(
    value: Any, shape: Shape, name: MemberName, location: str, findings: Findings
) -> None:
    if getattr(shape, "is_document_type", False):
        return
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        _check_structure(value, shape, name, location, findings)
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for index, member in enumerate(value):
            _check_value(member, shape.member, name, f"{location}[{index}]", findings)
    elif isinstance(shape, MapShape) and isinstance(value, dict):
        for key, member in value.items():
            _check_value(member, shape.value, name, f"{location}/{key}", findings)
