"""aws-sdk integrations: any action of any service, as the AWS SDK for Java v2 calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock_local.asl.errors import RUNTIME, StateError
from penstock_local.asl.integrations import services
from penstock_local.asl.integrations.call import Call, Caller
from penstock_local.asl.integrations.clients import Clients
from penstock_local.asl.integrations.errors import (
    CallFailedError,
    ParametersError,
    RefusedError,
    UnfitArgumentsError,
    sdk_error,
)
from penstock_local.asl.integrations.wire import SDK_V2, from_wire, to_wire
from penstock_local.asl.values import Json

if TYPE_CHECKING:
    from botocore.model import OperationModel

# What AWS's S3 calls a missing thing when an answer to HEAD has no body to say it.
_HEAD_CODES = {"HeadObject": "NoSuchKey", "HeadBucket": "NoSuchBucket"}

# The SDK's name for a body made of a text.
_TEXT = "text/plain; charset=UTF-8"


class AwsSdkIntegration:
    """Performs `arn:aws:states:::aws-sdk:<service>:<action>`."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def start(self, call: Call) -> Json:
        """Make the call; the answer without metadata, or StateError."""
        service = services.botocore_name(call.resource.service)
        assert service is not None
        assert call.resource.action is not None
        try:
            return await self.request(call.caller, service, call.resource.action, call.arguments)
        except UnfitArgumentsError as error:
            raise ParametersError(call.arguments, error) from error

    async def request(self, caller: Caller, service: str, action: str, arguments: Json) -> Json:
        """Call an action (`getObject`) of a service, by botocore's name.

        Raises StateError when it fails, UnfitArgumentsError when it cannot be made.
        """
        model = services.operation_model(service, action)
        assert model is not None, f"{service} has no {action}"
        if model.has_event_stream_output or model.has_event_stream_input:
            raise StateError(RUNTIME, f"Step Functions does not support streams: {action}")
        try:
            parameters = to_wire(arguments, model, SDK_V2)
            if service == "s3" and model.has_streaming_input and "Body" in parameters:
                _describe_body(parameters, model)
            answer = await self._clients.call(caller, service, model.name, parameters)
        except CallFailedError as error:
            raise sdk_error(_named(error, model.name), service) from error
        return from_wire(answer.output, model.output_shape, SDK_V2) or {}


def _describe_body(parameters: dict[str, Any], model: OperationModel) -> None:
    if model.input_shape is not None and "ContentType" in model.input_shape.members:
        parameters.setdefault("ContentType", _TEXT)


def _named(error: CallFailedError, operation: str) -> CallFailedError:
    if isinstance(error, RefusedError) and error.code == "404" and operation in _HEAD_CODES:
        error.shape = _HEAD_CODES[operation]
    return error
