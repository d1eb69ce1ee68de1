"""SQS, SNS and EventBridge: services that take a message, which may be JSON."""

from __future__ import annotations

from penstock_local.asl.errors import StateError
from penstock_local.asl.integrations.aws_sdk import AwsSdkIntegration
from penstock_local.asl.integrations.call import Call
from penstock_local.asl.integrations.errors import (
    ParametersError,
    SdkV1Service,
    UnfitArgumentsError,
    UnreachableError,
)
from penstock_local.asl.integrations.optimized import OptimizedIntegration
from penstock_local.asl.values import Json, compact


class Sqs(OptimizedIntegration):
    """`sqs:sendMessage`; a MessageBody that is no text is sent as its JSON."""

    sdk = SdkV1Service("sqs", "SQS", "AmazonSQS", "AmazonSQSException")

    def prepare(self, call: Call) -> Json:
        """The arguments; StateError when the QueueUrl is no URL: the SDK takes it for a host."""
        url = call.arguments.get("QueueUrl") if isinstance(call.arguments, dict) else None
        if isinstance(url, str) and "://" not in url:
            words = f"Unable to execute HTTP request: {url}: Name or service not known"
            raise self.failure(UnreachableError(words))
        return call.arguments


class Sns(OptimizedIntegration):
    """`sns:publish`; a Message that is no text is published as its JSON."""

    sdk = SdkV1Service("sns", "SNS", "AmazonSNS", "AmazonSNSException")


class EventBridge:
    """`events:putEvents`, which speaks as the aws-sdk integrations do.

    As on AWS every entry's Resources end with the execution and its state machine.
    """

    def __init__(self, sdk: AwsSdkIntegration) -> None:
        self._sdk = sdk

    async def start(self, call: Call) -> Json:
        """Put the events; StateError when the bus refuses one of them."""
        arguments = _with_origin(call.arguments, call.execution_arn)
        try:
            answer = await self._sdk.request(call.caller, "events", "putEvents", arguments)
        except UnfitArgumentsError as error:
            raise ParametersError(call.arguments, error) from error
        if answer.get("FailedEntryCount"):
            raise StateError("EventBridge.FailedEntry", compact(answer))
        return answer


def _with_origin(arguments: Json, execution_arn: str) -> Json:
    entries = arguments.get("Entries") if isinstance(arguments, dict) else None
    if not isinstance(entries, list):
        return arguments
    origin = [execution_arn, state_machine_arn(execution_arn)]
    return {**arguments, "Entries": [_entry_with(entry, origin) for entry in entries]}


def _entry_with(entry: Json, origin: list[str]) -> Json:
    if not isinstance(entry, dict) or not isinstance(entry.get("Resources", []), list):
        return entry
    return {**entry, "Resources": [*entry.get("Resources", []), *origin]}


def state_machine_arn(execution_arn: str) -> str:
    """The state machine of an execution: `...:execution:M:N` and `...:express:M:N:id` -> `M`."""
    parts = execution_arn.split(":")
    return ":".join([*parts[:5], "stateMachine", *parts[6:7]])
