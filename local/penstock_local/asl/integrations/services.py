"""What Step Functions calls the services: in resources, and in the names of errors."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import botocore
import botocore.session
from botocore.model import OperationModel, ServiceModel

_BOTOCORE_NAMES = {
    "applicationdiscovery": "discovery",
    "cloudwatchlogs": "logs",
    "cognitoidentityprovider": "cognito-idp",
    "costandusagereport": "cur",
    "costexplorer": "ce",
    "databasemigration": "dms",
    "directory": "ds",
    "directoryservicedata": "ds-data",
    "elasticloadbalancing": "elb",
    "elasticloadbalancingv2": "elbv2",
    "elasticsearch": "es",
    "eventbridge": "events",
    "iotdataplane": "iot-data",
    "iotjobsdataplane": "iot-jobs-data",
    "lexmodelbuilding": "lex-models",
    "lexmodelsv2": "lexv2-models",
    "lexruntimev2": "lexv2-runtime",
    "marketplacemetering": "meteringmarketplace",
    "migrationhub": "mgh",
    "serverlessapplicationrepository": "serverlessrepo",
    "sfn": "stepfunctions",
    "simpledb": "sdb",
}
"""aws-sdk name -> botocore name where the two differ by more than hyphens."""

_TWINS = frozenset({"sms-voice"})
"""Folders that hold the same service as another folder."""

_session = botocore.session.Session()


@lru_cache(maxsize=1)
def _sdk_names() -> dict[str, str]:
    data = Path(botocore.__file__).parent / "data"
    folders = {entry.name for entry in data.iterdir() if entry.is_dir()}
    regular = folders - set(_BOTOCORE_NAMES.values()) - _TWINS
    return {name.replace("-", ""): name for name in regular} | _BOTOCORE_NAMES


def botocore_name(sdk_name: str) -> str | None:
    """botocore's name of an aws-sdk service (`redshiftdata` -> `redshift-data`), or None."""
    return _sdk_names().get(sdk_name)


@lru_cache(maxsize=64)
def service_model(service: str) -> ServiceModel:
    """The API model of a service, by botocore's name."""
    return _session.get_service_model(service)


@lru_cache(maxsize=512)
def operation_model(service: str, action: str) -> OperationModel | None:
    """The model of an action as a resource writes it (`getObject`); None when there is none."""
    name = action[:1].upper() + action[1:]
    model = service_model(service)
    if not action[:1].islower() or name not in model.operation_names:
        return None
    return model.operation_model(name)


_WORD_BOUNDARY = re.compile(
    r"(?<=[A-Z]{2})(?=v\d)"  # SESv2 -> SES v2
    r"|(?<=[a-z]{2})(?=V\d)"  # GatewayV2 -> Gateway V2
    r"|(?<=[a-z])(?=[A-Z][A-Za-z0-9])"  # DynamoDB -> Dynamo DB, but not IoT
    r"|(?<=[A-Z])(?=[A-Z][a-z])(?![A-Z]v\d)"  # KMSInvalid -> KMS Invalid
    r"|(?<=\d)(?=[A-Za-z])"  # b2bi -> b2 bi
)


def java_class_name(name: str) -> str:
    """The name as the AWS SDK for Java v2 writes a class (`DynamoDB` -> `DynamoDb`)."""
    words = (
        word
        for part in re.split(r"[^A-Za-z0-9]+", name)
        for word in _WORD_BOUNDARY.split(part)
        if word
    )
    return "".join(word.capitalize() for word in words)


@lru_cache(maxsize=64)
def sdk_error_prefix(service: str) -> str:
    """What the names of a service's aws-sdk errors begin with (`dynamodb` -> `DynamoDb`)."""
    name = java_class_name(service_model(service).service_id)
    return name.removeprefix("Amazon").removeprefix("Aws").removesuffix("Service")
