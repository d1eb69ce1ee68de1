"""Lambda: the optimised `lambda:invoke`, and a function's ARN as Resource."""

from __future__ import annotations

import json
from typing import Any

from penstock_local.asl.errors import StateError
from penstock_local.asl.integrations.call import Call
from penstock_local.asl.integrations.clients import Answer
from penstock_local.asl.integrations.errors import SdkV1Service
from penstock_local.asl.integrations.optimized import OptimizedIntegration
from penstock_local.asl.values import Json, compact


class LambdaFunction(OptimizedIntegration):
    """`lambda:invoke`: the result is the function's answer beside facts of the invocation."""

    sdk = SdkV1Service("lambda", "Lambda", "AWSLambda", "AWSLambdaException")

    def prepare(self, call: Call) -> Json:
        if not isinstance(call.arguments, dict):
            return call.arguments
        return {**call.arguments, "Payload": _event(call.arguments.get("Payload"))}

    def result(self, call: Call, answer: Answer) -> Json:
        del call
        payload = _payload(answer)
        facts = {name: answer.output[name] for name in _FACTS if name in answer.output}
        return dict(sorted({**facts, "Payload": payload}.items()))


_FACTS = ("ExecutedVersion", "LogResult", "StatusCode")


class LambdaArn(LambdaFunction):
    """A function's ARN as Resource: arguments and result are the bare payloads."""

    async def start(self, call: Call) -> Json:
        """Invoke the function; StateError when it fails."""
        arguments = {"FunctionName": call.resource.text, "Payload": _event(call.arguments)}
        return _payload(await self.request(call.caller, "invoke", arguments))


def _event(payload: Json) -> bytes:
    """The function's event; null reaches a function as an empty object."""
    return compact({} if payload is None else payload).encode()


def _payload(answer: Answer) -> Json:
    """What the function returned; StateError when it failed."""
    text = _text(answer.output.get("Payload"))
    payload = _parsed(text)
    if answer.output.get("FunctionError"):
        raise _function_error(payload, text)
    return payload


def _text(body: Any) -> str:
    return body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body or "")


def _parsed(text: str) -> Json:
    if not text:
        return {}  # an invocation that nobody waits for has no answer
    try:
        return json.loads(text)
    except ValueError:
        return text


def _function_error(payload: Json, text: str) -> StateError:
    """The function's exception as an error that Catch can name."""
    error = payload.get("errorType") if isinstance(payload, dict) else None
    if not isinstance(error, str) or not error:
        return StateError(
            "Lambda.Unknown",
            "The cause could not be determined because Lambda did not return an error type."
            f" Returned payload: {text}",
        )
    return StateError(error, compact(payload))
