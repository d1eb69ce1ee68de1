"""Task: one attempt of calling a service, a function or an activity worker."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

from penstock_local.asl import template
from penstock_local.asl.callbacks import new_token
from penstock_local.asl.errors import RUNTIME, TIMEOUT, StateError
from penstock_local.asl.integrations import (
    Call,
    ParametersError,
    Resource,
    UnknownResourceError,
    parse,
)
from penstock_local.asl.limits import within_limit
from penstock_local.asl.retry import HeartbeatMissedError
from penstock_local.asl.task_events import TaskEvents, events_for

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from penstock_local.asl.interpreter import Interpreter
    from penstock_local.asl.values import Json
    from penstock_local.asl.visit import Visit


class _Limits(NamedTuple):
    """Seconds that the attempt may take, and that it may be silent."""

    timeout: float | None
    heartbeat: float | None


async def perform_task(scope: Interpreter, visit: Visit) -> Json:
    """Attempt the task once: evaluate its fields, call, wait as its pattern says.

    Raises EvaluationError for a field, and StateError for everything that the call can end with.
    """
    resource = _resource(visit)
    waits = resource.pattern is not None or resource.kind == "activity"
    visit.token = new_token() if waits else None
    try:
        events = events_for(scope.trail, resource)
        call, limits = _begin(scope, visit, resource, events)
        work = _work(scope, call, limits, events)
        del call  # the arguments live on in `work` alone, and only until they are sent
        result = await _within(limits.timeout, work, events)
    except ParametersError as unfit:
        raise unfit.within(visit.name, visit.entered) from unfit
    finally:
        visit.token = None
    return _checked(result, resource, events)


def _resource(visit: Visit) -> Resource:
    try:
        return parse(visit.state["Resource"])
    except UnknownResourceError as error:
        raise StateError(RUNTIME, str(error)) from error


def _begin(
    scope: Interpreter, visit: Visit, resource: Resource, events: TaskEvents
) -> tuple[Call, _Limits]:
    """Evaluate the state's fields and tell the history what is about to be called."""
    state, machine = visit.state, scope.execution.machine
    expressions = scope.expressions(visit)
    arguments = visit.input
    if "Arguments" in state:
        arguments = template.render(state["Arguments"], expressions, "Arguments")
    text = within_limit(arguments, visit.name)
    settings: dict[str, Any] = {}
    for field, key in (
        ("TimeoutSeconds", "timeoutInSeconds"),
        ("HeartbeatSeconds", "heartbeatInSeconds"),
    ):
        if field in state:
            settings[key] = template.render_as(state[field], expressions, field, "number")
    role_arn = None
    if "Credentials" in state:
        role = state["Credentials"]["RoleArn"]
        role_arn = template.render_as(role, expressions, "Credentials/RoleArn", "string")
        settings["taskCredentials"] = {"roleArn": role_arn}
    events.scheduled(text, machine.region, settings)
    call = Call(
        resource=resource,
        arguments=arguments,
        role_arn=machine.role_arn,
        region=machine.region,
        execution_arn=scope.execution.arn,
        token=visit.token,
        credentials_role_arn=role_arn,
    )
    limits = _Limits(settings.get("timeoutInSeconds"), settings.get("heartbeatInSeconds"))
    return call, limits


def _work(
    scope: Interpreter, call: Call, limits: _Limits, events: TaskEvents
) -> Coroutine[Any, Any, Json]:
    if call.resource.kind == "activity":
        return _activity(scope, call, limits.heartbeat, events)
    if call.resource.pattern == "waitForTaskToken":
        return _token(scope, call, limits.heartbeat, events)
    if call.resource.pattern is not None:
        return _job(scope, call, events)
    return _request(scope, call, events)


async def _within(
    seconds: float | None, work: Coroutine[Any, Any, Json], events: TaskEvents
) -> Json:
    """Do the work in the time it has, and tell the history when it fails."""
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await work
    except TimeoutError:
        if not limit.expired():
            raise
        error = StateError(TIMEOUT)
        events.timed_out(error)
        raise error from None
    except HeartbeatMissedError as error:
        events.timed_out(error)
        raise
    except ParametersError:
        raise  # the task was never started: its history has no end
    except StateError as error:
        events.failed(error)
        raise


def _checked(result: Json, resource: Resource, events: TaskEvents) -> Json:
    name = resource.text if resource.kind != "optimized" else resource.service
    if resource.kind == "aws_sdk":
        name = resource.resource_type
    try:
        text = within_limit(result, name)
    except StateError as error:
        events.failed(error)
        raise
    events.succeeded(text)
    return result


async def _request(scope: Interpreter, call: Call, events: TaskEvents) -> Json:
    """Request-response: the answer is the result."""
    events.started()
    return await scope.services.integrations.start(call)


async def _token(
    scope: Interpreter, call: Call, heartbeat: float | None, events: TaskEvents
) -> Json:
    """`.waitForTaskToken`: the result is what somebody sends for the token.

    The token may come back before the call has returned, so it is expected from the beginning.
    """
    assert call.token is not None
    token = call.token
    waiter = scope.services.callbacks.expect(token, heartbeat)
    try:
        events.started()
        answer = await scope.services.integrations.start(call)
        del call  # nothing but the token is needed while the task waits, maybe for days
        events.submitted(within_limit(answer, "task"))
        del answer
        return await waiter.answer()
    finally:
        scope.services.callbacks.forget(token)


async def _activity(
    scope: Interpreter, call: Call, heartbeat: float | None, events: TaskEvents
) -> Json:
    """Activity: wait for a worker to ask for the work, then for what it reports."""
    assert call.token is not None
    arn, services = call.resource.text, scope.services
    text = within_limit(call.arguments, arn)
    offered = await services.activities.offer(arn, call.token, text)
    try:
        events.started(await offered.taken)
        return await services.callbacks.expect(call.token, heartbeat).answer()
    finally:
        services.activities.withdraw(arn, offered)
        services.callbacks.forget(call.token)


async def _job(scope: Interpreter, call: Call, events: TaskEvents) -> Json:
    """`.sync`: start a job and wait for its end; when the task must end first, so must the job."""
    integrations = scope.services.integrations
    events.started()
    starting = asyncio.ensure_future(integrations.start(call))
    try:
        started = await asyncio.shield(starting)
        events.submitted(within_limit(started, call.resource.service))
        return await integrations.finish(call, started)
    except asyncio.CancelledError:
        await asyncio.shield(_stop_job(scope, call, starting))
        raise


async def _stop_job(scope: Interpreter, call: Call, starting: asyncio.Future[Json]) -> None:
    """Stop a job, even one whose start is still under way: it would run on unseen."""
    with contextlib.suppress(StateError):
        await scope.services.integrations.cancel(call, await starting)
