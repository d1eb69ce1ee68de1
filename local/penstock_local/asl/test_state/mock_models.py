"""Mocked results against the models of the APIs that they stand for."""

from __future__ import annotations

from collections.abc import Callable

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from penstock_local.asl.api import ApiError
from penstock_local.asl.integrations import Resource, services
from penstock_local.asl.integrations.names import (
    MemberName,
    capitalised,
    java_member,
    members_by_name,
)
from penstock_local.asl.values import Json

_APIS = {"states": "stepfunctions", "elasticmapreduce": "emr"}
"""Optimised integrations whose API botocore knows by another name."""

_UNCHECKED = frozenset({("apigateway", "invoke"), ("eks", "call"), ("eks", "runJob")})
_PAYLOADS = frozenset({("lambda", "invoke", "Payload"), ("bedrock", "invokeModel", "Body")})
"""Members that the API has as bytes and the task as the value in them."""

_POLLED = {
    ("athena", "startQueryExecution"): "getQueryExecution",
    ("batch", "submitJob"): "describeJobs",
    ("bedrock", "createModelCustomizationJob"): "getModelCustomizationJob",
    ("codebuild", "startBuild"): "batchGetBuilds",
    ("codebuild", "startBuildBatch"): "batchGetBuildBatches",
    ("codebuild", "retryBuildBatch"): "batchGetBuildBatches",
    ("databrew", "startJobRun"): "describeJobRun",
    ("ecs", "runTask"): "describeTasks",
    ("eks", "createCluster"): "describeCluster",
    ("eks", "deleteCluster"): "describeCluster",
    ("eks", "createNodegroup"): "describeNodegroup",
    ("eks", "deleteNodegroup"): "describeNodegroup",
    ("eks", "createFargateProfile"): "describeFargateProfile",
    ("eks", "deleteFargateProfile"): "describeFargateProfile",
    ("elasticmapreduce", "createCluster"): "describeCluster",
    ("elasticmapreduce", "terminateCluster"): "describeCluster",
    ("elasticmapreduce", "addStep"): "describeStep",
    ("emr-containers", "startJobRun"): "describeJobRun",
    ("emr-containers", "deleteVirtualCluster"): "describeVirtualCluster",
    ("emr-serverless", "createApplication"): "getApplication",
    ("emr-serverless", "startApplication"): "getApplication",
    ("emr-serverless", "stopApplication"): "getApplication",
    ("emr-serverless", "deleteApplication"): "getApplication",
    ("emr-serverless", "startJobRun"): "getJobRun",
    ("emr-serverless", "cancelJobRun"): "getJobRun",
    ("glue", "startJobRun"): "getJobRun",
    ("mediaconvert", "createJob"): "getJob",
    ("sagemaker", "createHyperParameterTuningJob"): "describeHyperParameterTuningJob",
    ("sagemaker", "createLabelingJob"): "describeLabelingJob",
    ("sagemaker", "createProcessingJob"): "describeProcessingJob",
    ("sagemaker", "createTrainingJob"): "describeTrainingJob",
    ("sagemaker", "createTransformJob"): "describeTransformJob",
    ("states", "startExecution"): "describeExecution",
}
"""By which call `.sync` learns of the end: its answer is what a mock stands for."""


def require_model(result: Json, resource: Resource, *, strict: bool) -> None:
    """Refuse (ValidationException) a mocked result that the called API could not answer.

    Members that the API does not have pass. Not `strict`, required ones may be missing. What comes
    for a task token, from a worker or from a function named by its ARN can be anything.
    """
    operation = _operation(resource)
    if operation is None or operation.output_shape is None:
        return
    name: MemberName = java_member if resource.kind == "aws_sdk" else capitalised
    _Check(name, resource, strict=strict).structure(result, operation.output_shape)


def _operation(resource: Resource) -> OperationModel | None:
    if resource.action is None or resource.pattern == "waitForTaskToken":
        return None
    call = (resource.service, resource.action)
    if resource.kind == "aws_sdk":
        api, action = services.botocore_name(resource.service), resource.action
    elif resource.service == "http" or call in _UNCHECKED:
        return None
    else:
        api = _APIS.get(resource.service, resource.service)
        action = resource.action if resource.pattern is None else _POLLED[call]
    if api is None:
        return None
    if call == ("bedrock", "invokeModel"):
        api = "bedrock-runtime"
    return services.operation_model(api, action)


class _Check:
    """One comparison of a value with a model."""

    def __init__(self, name: MemberName, resource: Resource, *, strict: bool) -> None:
        self._name = name
        self._resource = resource
        self._strict = strict

    def structure(self, value: Json, shape: StructureShape, field: str | None = None) -> None:
        if not isinstance(value, dict):
            raise _mismatch("Mock result" if field is None else f"Field '{field}'", "an object")
        members = members_by_name(shape, self._name)
        if self._strict:
            for required in shape.required_members:
                if self._name(required) not in value:
                    raise _invalid(f"Required field '{self._name(required)}' is missing")
        for name, member in value.items():
            if name in members and not self._is_payload(name):
                self._value(member, shape.members[members[name]], name)

    def _is_payload(self, name: str) -> bool:
        resource = self._resource
        return resource.kind == "optimized" and (
            (resource.service, resource.action, name) in _PAYLOADS
        )

    def _value(self, value: Json, shape: Shape, field: str) -> None:
        if getattr(shape, "is_document_type", False):
            return
        if isinstance(shape, StructureShape):
            self.structure(value, shape, field)
        elif isinstance(shape, ListShape):
            _require(isinstance(value, list), field, "an array")
            _require_range(shape, len(value), field, "length")
            for member in value:
                self._value(member, shape.member, field)
        elif isinstance(shape, MapShape):
            _require(isinstance(value, dict), field, "an object")
            for member in value.values():
                self._value(member, shape.value, field)
        else:
            _require_scalar(value, shape, field)


_NUMBERS = frozenset({"integer", "long", "float", "double"})
_SCALARS: dict[str, tuple[Callable[[Json], bool], str]] = {
    **dict.fromkeys(("string", "timestamp", "blob"), (lambda v: isinstance(v, str), "a string")),
    **dict.fromkeys(
        _NUMBERS, (lambda v: isinstance(v, (int, float)) and not isinstance(v, bool), "a number")
    ),
    "boolean": (lambda v: isinstance(v, bool), "a boolean"),
}


def _require_scalar(value: Json, shape: Shape, field: str) -> None:
    accepts, wanted = _SCALARS.get(shape.type_name, (lambda _: True, ""))
    _require(accepts(value), field, wanted)
    if shape.type_name in _NUMBERS:
        _require_range(shape, value, field, "value")
    elif shape.type_name == "string":
        if value not in shape.metadata.get("enum", (value,)):
            raise _invalid(f"Field '{field}' is not an expected value")
        _require_range(shape, len(value), field, "length")
    elif shape.type_name == "blob":
        _require_range(shape, len(value) * 3 // 4, field, "length")  # the text is base64


def _require_range(shape: Shape, number: float, field: str, what: str) -> None:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and number < least:
        smaller = "less" if what == "value" else "smaller"
        raise _invalid(f"Field '{field}' is {smaller} than the minimum {what}")
    if most is not None and number > most:
        raise _invalid(f"Field '{field}' exceeds the maximum {what}")


def _require(holds: bool, field: str, wanted: str) -> None:
    if not holds:
        raise _mismatch(f"Field '{field}'", wanted)


def _mismatch(what: str, wanted: str) -> ApiError:
    return _invalid(f"{what} must be {wanted}")


def _invalid(problem: str) -> ApiError:
    return ApiError("ValidationException", f"Mock result schema validation error: {problem}")
