"""What the optimised integrations have in common: they speak as the AWS SDK for Java v1 does."""

from __future__ import annotations

from typing import ClassVar

from penstock_local.asl.errors import RUNTIME, StateError
from penstock_local.asl.integrations import services
from penstock_local.asl.integrations.call import Call, Caller
from penstock_local.asl.integrations.clients import Answer, Clients
from penstock_local.asl.integrations.errors import (
    CallFailedError,
    ParametersError,
    RefusedError,
    SdkV1Service,
    UnfitArgumentsError,
    optimized_error,
)
from penstock_local.asl.integrations.names import capitalised
from penstock_local.asl.integrations.wire import SDK_V1, from_wire, to_wire
from penstock_local.asl.values import Json


class OptimizedIntegration:
    """One service's optimised integration.

    A service overrides `prepare` where its arguments are more than the API's, and `result` where
    its result is more than the API's answer.
    """

    sdk: ClassVar[SdkV1Service]

    def __init__(self, clients: Clients) -> None:
        self.clients = clients

    async def start(self, call: Call) -> Json:
        """Make the call; the answer with the SDK's metadata, or StateError."""
        assert call.resource.action is not None
        try:
            answer = await self.request(call.caller, call.resource.action, self.prepare(call))
        except UnfitArgumentsError as error:
            raise ParametersError(call.arguments, error) from error
        result = self.result(call, answer)
        return with_metadata(result, answer) if isinstance(result, dict) else result

    def prepare(self, call: Call) -> Json:
        """The arguments as the API knows them."""
        return call.arguments

    def result(self, call: Call, answer: Answer) -> Json:
        """The answer as the task's result, without the SDK's metadata."""
        assert call.resource.action is not None
        return self.output(call.resource.action, answer)

    async def request(self, caller: Caller, action: str, arguments: Json) -> Answer:
        """Call an action of this service (`startJobRun`).

        Raises StateError when it fails, UnfitArgumentsError when it cannot be made.
        """
        model = services.operation_model(self.sdk.botocore, action)
        assert model is not None, f"{self.sdk.botocore} has no {action}"
        try:
            parameters = to_wire(arguments, model, SDK_V1)
            return await self.clients.call(caller, self.sdk.botocore, model.name, parameters)
        except CallFailedError as error:
            raise self.failure(error) from error

    def failure(self, error: CallFailedError) -> StateError:
        """The error of a call in this integration's words."""
        return optimized_error(error, self.sdk)

    def output(self, action: str, answer: Answer) -> dict[str, Json]:
        """The answer in Step Functions' names."""
        model = services.operation_model(self.sdk.botocore, action)
        assert model is not None
        result: dict[str, Json] = from_wire(answer.output, model.output_shape, SDK_V1) or {}
        return result


class Job(OptimizedIntegration):
    """An optimised integration whose calls can start something that `.sync` waits for."""

    async def poll(self, call: Call, started: Json) -> Json | None:
        """The result of the job; None while it goes on; StateError when it has failed."""
        raise NotImplementedError

    async def stop(self, call: Call, started: Json) -> None:
        """Stop the job; StateError when that is refused."""
        raise NotImplementedError

    async def look(self, call: Call, action: str, arguments: Json) -> dict[str, Json] | None:
        """The answer of a call that asks after the job; None when it is to be asked again.

        A service that is busy, or that does not answer for a moment, is no reason to give up a
        job that goes on all the same.
        """
        try:
            answer = await self.request(call.caller, action, arguments)
        except StateError as error:
            if _is_passing(error):
                return None
            raise
        return self.output(action, answer)


def _is_passing(error: StateError) -> bool:
    reason = error.__cause__
    if isinstance(reason, RefusedError):
        return reason.is_passing
    return (error.error or "").endswith(".SdkClientException")


def with_metadata(result: dict[str, Json], answer: Answer) -> dict[str, Json]:
    """The result with what the SDK for Java v1 adds to it, in the SDK's order (the alphabet)."""
    return dict(sorted({**result, **sdk_metadata(answer)}.items()))


def sdk_metadata(answer: Answer) -> dict[str, Json]:
    """What the SDK for Java v1 adds to every answer."""
    headers = {_header_name(name): value for name, value in answer.headers.items()}
    return {
        "SdkHttpMetadata": {
            "AllHttpHeaders": {name: [value] for name, value in headers.items()},
            "HttpHeaders": headers,
            "HttpStatusCode": answer.status,
        },
        "SdkResponseMetadata": {"RequestId": answer.request_id or ""},
    }


def _header_name(name: str) -> str:
    """Headers of HTTP itself begin with capitals, AWS's own do not (`x-amzn-RequestId`)."""
    if name.startswith("x-"):
        return {"x-amzn-requestid": "x-amzn-RequestId"}.get(name, name)
    return "-".join(capitalised(word) for word in name.split("-"))


class NotPerformedError(StateError):
    """An integration that AWS has and Penstock Local does not."""

    def __init__(self, resource: str) -> None:
        super().__init__(
            RUNTIME,
            f"Penstock Local does not perform {resource}. TestState with a mock can stand in.",
        )
