"""The `Resource` of a Task: which service it calls, and whether it waits for the end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from penstock_local.asl.integrations import services

Kind = Literal["lambda_arn", "activity", "optimized", "aws_sdk"]
Pattern = Literal["sync", "sync:2", "waitForTaskToken"]


class UnknownResourceError(Exception):
    """A Resource that Step Functions does not recognise; `str()` is the service's sentence."""

    def __init__(self, text: str) -> None:
        super().__init__(
            "The resource provided ARN is not recognized. The value is not a valid resource ARN,"
            " or the resource is not available in this region."
        )
        self.text = text


@dataclass(frozen=True, slots=True)
class Resource:
    """A Task's Resource, taken apart.

    `service` is the part of the ARN that names the service (`glue`, `redshiftdata`; `lambda` for
    a function's ARN, `activity` for an activity), `action` the one after it (`startJobRun`; None
    for the two ARNs). `resource_type` and `resource` are what history events say of the task:
    `glue` and `startJobRun.sync`, `aws-sdk:s3` and `getObject`, `lambda` and the function's ARN.
    """

    text: str
    kind: Kind
    service: str
    action: str | None
    pattern: Pattern | None
    resource_type: str
    resource: str


_PARTITION: Final = r"arn:aws(?:-cn|-us-gov|-iso|-iso-b)?"
_FUNCTION: Final = re.compile(
    _PARTITION + r":lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]+(:(\$LATEST|[A-Za-z0-9_-]+))?"
)
_ACTIVITY: Final = re.compile(_PARTITION + r":states:[a-z0-9-]+:\d{12}:activity:[^\s:/]+")
_INTEGRATION: Final = re.compile(
    _PARTITION + r":states:::(?P<sdk>aws-sdk:)?(?P<service>[a-z0-9-]+):(?P<action>[A-Za-z0-9]+)"
    r"(?:\.(?P<pattern>sync|sync:2|waitForTaskToken))?"
)

_TOKEN: Final = frozenset({None, "waitForTaskToken"})
_SYNC: Final = frozenset({None, "sync"})
_SYNC_ONLY: Final = frozenset({"sync"})
_PLAIN: Final[frozenset[str | None]] = frozenset({None})
_PATTERNS: Final[dict[str, dict[str, frozenset[str | None]]]] = {
    "apigateway": {"invoke": _TOKEN},
    "athena": {
        "startQueryExecution": _SYNC,
        "stopQueryExecution": _PLAIN,
        "getQueryExecution": _PLAIN,
        "getQueryResults": _PLAIN,
    },
    "batch": {"submitJob": _SYNC},
    "bedrock": {"invokeModel": _PLAIN, "createModelCustomizationJob": _SYNC},
    "codebuild": {
        "startBuild": _SYNC,
        "stopBuild": _PLAIN,
        "startBuildBatch": _SYNC,
        "stopBuildBatch": _PLAIN,
        "retryBuildBatch": _SYNC,
        "deleteBuildBatch": _PLAIN,
        "batchDeleteBuilds": _PLAIN,
        "batchGetReports": _PLAIN,
    },
    "databrew": {"startJobRun": _SYNC},
    "dynamodb": dict.fromkeys(("getItem", "putItem", "updateItem", "deleteItem"), _PLAIN),
    "ecs": {"runTask": _SYNC | _TOKEN},
    "eks": {
        "call": _PLAIN,
        "runJob": _SYNC,
        **dict.fromkeys(
            ("createCluster", "deleteCluster", "createNodegroup", "deleteNodegroup"), _SYNC
        ),
        **dict.fromkeys(("createFargateProfile", "deleteFargateProfile"), _SYNC),
    },
    "elasticmapreduce": {
        **dict.fromkeys(("createCluster", "terminateCluster", "addStep"), _SYNC),
        **dict.fromkeys(
            (
                "setClusterTerminationProtection",
                "cancelStep",
                "modifyInstanceFleetByName",
                "modifyInstanceGroupByName",
            ),
            _PLAIN,
        ),
    },
    "emr-containers": {
        "createVirtualCluster": _PLAIN,
        "deleteVirtualCluster": _SYNC,
        "startJobRun": _SYNC,
    },
    "emr-serverless": dict.fromkeys(
        (
            "createApplication",
            "startApplication",
            "stopApplication",
            "deleteApplication",
            "startJobRun",
            "cancelJobRun",
        ),
        _SYNC,
    ),
    "events": {"putEvents": _TOKEN},
    "glue": {"startJobRun": _SYNC},
    "http": {"invoke": _PLAIN},
    "lambda": {"invoke": _TOKEN},
    "mediaconvert": {"createJob": _SYNC},
    "sagemaker": {
        "createProcessingJob": _SYNC_ONLY,
        **dict.fromkeys(
            (
                "createHyperParameterTuningJob",
                "createLabelingJob",
                "createTrainingJob",
                "createTransformJob",
            ),
            _SYNC,
        ),
        **dict.fromkeys(
            ("createEndpoint", "createEndpointConfig", "createModel", "updateEndpoint"), _PLAIN
        ),
    },
    "sns": {"publish": _TOKEN},
    "sqs": {"sendMessage": _TOKEN},
    "states": {"startExecution": frozenset({"sync", "sync:2"}) | _TOKEN},
}
"""Every optimised integration: service -> action -> the patterns it can be called with.

Source: "Integrating optimized services" in the Step Functions Developer Guide. Being listed means
that a definition may name it; which of them Penstock Local can perform, `Integrations` says.
"""


def parse(text: str) -> Resource:
    """Take a Resource apart; `UnknownResourceError` when Step Functions knows no such thing."""
    if _FUNCTION.fullmatch(text):
        return Resource(text, "lambda_arn", "lambda", None, None, "lambda", text)
    if _ACTIVITY.fullmatch(text):
        return Resource(text, "activity", "activity", None, None, "activity", text)
    match = _INTEGRATION.fullmatch(text)
    if match is None:
        raise UnknownResourceError(text)
    service, action = match["service"], match["action"]
    pattern: Pattern | None = match["pattern"]  # type: ignore[assignment]
    is_sdk = match["sdk"] is not None
    recognised = _is_sdk_action if is_sdk else _is_optimized_action
    if not recognised(service, action, pattern):
        raise UnknownResourceError(text)
    return Resource(
        text=text,
        kind="aws_sdk" if is_sdk else "optimized",
        service=service,
        action=action,
        pattern=pattern,
        resource_type=f"aws-sdk:{service}" if is_sdk else service,
        resource=action if pattern is None else f"{action}.{pattern}",
    )


def _is_optimized_action(service: str, action: str, pattern: Pattern | None) -> bool:
    return pattern in _PATTERNS.get(service, {}).get(action, frozenset())


def _is_sdk_action(service: str, action: str, pattern: Pattern | None) -> bool:
    name = services.botocore_name(service)
    if name is None or pattern not in _TOKEN:
        return False
    return services.operation_model(name, action) is not None
