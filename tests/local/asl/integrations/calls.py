"""Calls as an interpreter would make them, and services that answer as a test says."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Coroutine
from typing import Any

import botocore.session
import pytest
from botocore.stub import Stubber

from penstock_local.asl.errors import StateError
from penstock_local.asl.integrations import Call, Integrations, parse
from penstock_local.settings import DEFAULT_ACCOUNT, DEFAULT_REGION

ACCOUNT = DEFAULT_ACCOUNT
REGION = DEFAULT_REGION
ROLE = f"arn:aws:iam::{ACCOUNT}:role/machine"
STARTED = dt.datetime(2026, 11, 21, 5, 0, 0, 250000, tzinfo=dt.UTC)
MILLISECONDS = 1_795_237_200_250
EXECUTION = f"arn:aws:states:{REGION}:{ACCOUNT}:execution:parent:one"


def call(resource: str, arguments: Any, role: str = ROLE, **more: Any) -> Call:
    """A task's call of `arn:aws:states:::<resource>`, or of a whole ARN."""
    text = resource if resource.startswith("arn:") else f"arn:aws:states:::{resource}"
    return Call(parse(text), arguments, role, REGION, EXECUTION, **more)


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """What the coroutine returns."""
    return asyncio.run(work)


def start(integrations: Integrations, *arguments: Any, **more: Any) -> Any:
    """The answer to a call."""
    return run(integrations.start(call(*arguments, **more)))


def failure(integrations: Integrations, *arguments: Any, **more: Any) -> StateError:
    """The error that a call ends with."""
    with pytest.raises(StateError) as raised:
        start(integrations, *arguments, **more)
    return raised.value


def to_the_end(integrations: Integrations, *arguments: Any, **more: Any) -> Any:
    """The result of a `.sync` call."""

    async def both() -> Any:
        made = call(*arguments, **more)
        return await integrations.finish(made, await integrations.start(made))

    return run(both())


def ends_badly(integrations: Integrations, *arguments: Any) -> StateError:
    """The error that a `.sync` call ends with."""
    with pytest.raises(StateError) as raised:
        to_the_end(integrations, *arguments)
    return raised.value


def cancel(integrations: Integrations, resource: str, arguments: Any, started: Any) -> None:
    """Stop the job of a `.sync` call."""
    run(integrations.cancel(call(resource, arguments), started))


def without_metadata(result: dict[str, Any]) -> dict[str, Any]:
    """The result of an optimised integration without what the SDK adds; asserts that it does."""
    facts = {name: result[name] for name in ("SdkHttpMetadata", "SdkResponseMetadata")}
    assert facts["SdkHttpMetadata"]["HttpStatusCode"] in range(200, 300)
    assert set(facts["SdkHttpMetadata"]) == {"AllHttpHeaders", "HttpHeaders", "HttpStatusCode"}
    assert set(facts["SdkResponseMetadata"]) == {"RequestId"}
    return {name: value for name, value in result.items() if name not in facts}


_session = botocore.session.Session()


class Answers:
    """Answers for one service's operations, in the order in which they will be called."""

    def __init__(self, integrations: Integrations, patch: pytest.MonkeyPatch, service: str) -> None:
        client = _session.create_client(
            service,
            region_name=REGION,
            aws_access_key_id="x",
            aws_secret_access_key="x",
        )
        self._stubber = Stubber(client)
        self._stubber.activate()

        def instead(_caller: Any, called: str) -> Any:
            assert called == service
            return client

        patch.setattr(integrations.clients, "_client", instead)

    def to(self, operation: str, expected: dict[str, Any], answer: dict[str, Any]) -> Answers:
        facts = {"RequestId": "request-1", "HTTPStatusCode": 200, "HTTPHeaders": {}}
        full = {**answer, "ResponseMetadata": facts}
        self._stubber.add_response(operation, full, expected)
        return self

    def error(self, operation: str, code: str, message: str = "", status: int = 400) -> Answers:
        meta = {"RequestId": "request-1"}
        self._stubber.add_client_error(operation, code, message, status, response_meta=meta)
        return self

    def all_given(self) -> None:
        self._stubber.assert_no_pending_responses()
