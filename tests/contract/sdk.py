"""How Step Functions names what botocore's service models hold."""

from __future__ import annotations

import functools
import json
import re
from typing import Any

import botocore.session
from botocore.model import ListShape, OperationModel, Shape, StructureShape
from botocore.validate import ParamValidator

# Step Functions' names of services, where botocore's folder is called otherwise.
FOLDERS = {"redshiftdata": "redshift-data", "sfn": "stepfunctions"}
# Optimised integrations with a name of their own; they spell members as botocore does, but begin
# them with a capital.
OPTIMISED = {"states": "stepfunctions", "ecs": "ecs", "emr-serverless": "emr-serverless"}

# What the Lambda integration reports that is in no service model (Step Functions' developer
# guide, "Handling error conditions").
LAMBDA_RUNTIME_ERRORS = {"Lambda.Unknown", "Sandbox.Timedout", "Runtime.ExitError"}
# Throttling comes by this name or as the unnamed error of the service, whether its model has it.
THROTTLING = {"ECS.ThrottlingException", "EMRServerless.ThrottlingException"}
# A task of which RunTask says that it was not placed (developer guide, "Run Amazon ECS tasks").
ECS_FAILURES = {"AmazonECS.Unknown"}
STATES_ERRORS = {
    "States.ALL",
    "States.BranchFailed",
    "States.DataLimitExceeded",
    "States.ExceedToleratedFailureThreshold",
    "States.HeartbeatTimeout",
    "States.ItemReaderFailed",
    "States.NoChoiceMatched",
    "States.Permissions",
    "States.QueryEvaluationError",
    "States.ResultWriterFailed",
    "States.Runtime",
    "States.TaskFailed",
    "States.Timeout",
}
# The prefix of a service's errors, botocore's folder, and the name of its unnamed error: SDK v1
# for optimised integrations, SDK v2 for aws-sdk ones. Prefixes are case-sensitive.
ERROR_PREFIXES = {
    "Glue": ("glue", "AWSGlueException"),
    "Lambda": ("lambda", "AWSLambdaException"),
    "SNS": ("sns", "AmazonSNSException"),
    "SQS": ("sqs", "AmazonSQSException"),
    "RedshiftData": ("redshift-data", "RedshiftDataException"),
    "ECS": ("ecs", "AmazonECSException"),
    "EMRServerless": ("emr-serverless", "AWSEMRServerlessException"),
    "StepFunctions": ("stepfunctions", "AWSStepFunctionsException"),
}


@functools.cache
def operation(service: str, action: str) -> OperationModel:
    folder = (FOLDERS | OPTIMISED).get(service, service)
    model = botocore.session.get_session().get_service_model(folder)
    return model.operation_model(action[0].upper() + action[1:])


def java_name(name: str) -> str:
    """A member's name as the AWS SDK for Java, and so Step Functions, spells it."""
    run = re.match(r"[A-Z]+", name)
    if run and len(run[0]) > 1:
        leading = run[0] if len(run[0]) == len(name) else run[0][:-1]
        name = leading.capitalize() + name[len(leading) :]
    return name[0].upper() + name[1:]


def faults(arguments: dict[str, Any], service: str, action: str) -> str:
    """What the service model has against a state's Arguments; "" for nothing."""
    shape = operation(service, action).input_shape
    assert shape is not None
    if service == "states":  # takes the input as any JSON, where the API wants a text
        arguments = {**arguments, "Input": json.dumps(arguments["Input"])}
    translated = _to_botocore(arguments, shape, aws_sdk=service in FOLDERS)
    return str(ParamValidator().validate(translated, shape).generate_report())


def _to_botocore(value: Any, shape: Shape, *, aws_sdk: bool) -> Any:
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return dict(_member(shape, *pair, aws_sdk=aws_sdk) for pair in value.items())
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_to_botocore(member, shape.member, aws_sdk=aws_sdk) for member in value]
    if shape.type_name == "blob" and not isinstance(value, (str, bytes)):
        return json.dumps(value)  # Lambda's Payload: Step Functions sends any JSON
    return value


def _member(shape: StructureShape, key: str, value: Any, *, aws_sdk: bool) -> tuple[str, Any]:
    spelt = java_name if aws_sdk else lambda name: name[0].upper() + name[1:]
    names = {spelt(name): name for name in shape.members}
    if key not in names:
        return key, value  # the validator will say so
    name = names[key]
    return name, _to_botocore(value, shape.members[name], aws_sdk=aws_sdk)


def is_error(name: str) -> bool:
    """Whether Step Functions can report an error of this name."""
    if name in STATES_ERRORS | LAMBDA_RUNTIME_ERRORS | ECS_FAILURES | THROTTLING:
        return True
    prefix, _, code = name.partition(".")
    if prefix not in ERROR_PREFIXES:
        return False
    folder, unnamed = ERROR_PREFIXES[prefix]
    model = botocore.session.get_session().get_service_model(folder)
    named = {shape.name for shape in model.error_shapes}
    named |= {f"{name}Exception" for name in named if not name.endswith("Exception")}
    return code in named | {unnamed, "SdkClientException"}
