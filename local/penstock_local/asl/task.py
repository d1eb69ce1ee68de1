"""Task: one attempt of calling a service, a function or an activity worker."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from penstock_local.asl import template
from penstock_local.asl.callbacks import new_token
from penstock_local.asl.errors import RUNTIME, TIMEOUT, StateError, StateFaultError
from penstock_local.asl.integrations import (
    Call,
    ParametersError,
    Resource,
    UnknownResourceError,
    parse,
)
from penstock_local.asl.limits import within_limit
from penstock_local.asl.retry import HeartbeatMissedError, ResultTooLargeError
from penstock_local.asl.task_events import events_for
from penstock_local.asl.values import compact

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from penstock_local.asl.interpreter import Interpreter
    from penstock_local.asl.services import Services
    from penstock_local.asl.task_events import TaskEvents
    from penstock_local.asl.values import Json
    from penstock_local.asl.visit import Visit

_CLOCKS = {"TimeoutSeconds": "timeoutInSeconds", "HeartbeatSeconds": "heartbeatInSeconds"}


async def perform_task(scope: Interpreter, visit: Visit) -> Json:
    """Attempt the task once: evaluate its fields, call, wait as its pattern says.

    Raises EvaluationError for a field, and StateError for everything that the call can end with.
    """
    try:
        resource = parse(visit.state["Resource"])
    except UnknownResourceError as error:
        raise StateError(RUNTIME, str(error)) from error
    if resource.kind == "activity" and not scope.services.activities.exists(resource.text):
        missing = f"The activity {resource.text} does not exist."
        raise StateFaultError(missing, visit.name, visit.entered)
    waits = resource.pattern is not None or resource.kind == "activity"
    visit.token = new_token() if waits else None
    try:
        return await _schedule(scope, visit, resource).run()
    except ParametersError as unfit:
        raise unfit.within(visit.name, visit.entered) from unfit
    finally:
        visit.token = None


def _schedule(scope: Interpreter, visit: Visit, resource: Resource) -> _Attempt:
    """Evaluate the state's fields and tell the history what is about to be called."""
    state, machine = visit.state, scope.execution.machine
    expressions = scope.expressions(visit)
    arguments = visit.input
    if "Arguments" in state:
        arguments = template.render(state["Arguments"], expressions, "Arguments")
    text = within_limit(arguments, visit.name)
    settings: dict[str, Any] = {
        key: template.render_as(state[field], expressions, field, "number")
        for field, key in _CLOCKS.items()
        if field in state
    }
    role_arn = None
    if "Credentials" in state:
        role = state["Credentials"]["RoleArn"]
        role_arn = template.render_as(role, expressions, "Credentials/RoleArn", "string")
        settings["taskCredentials"] = {"roleArn": role_arn}
    events = events_for(scope.trail, resource)
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
    timeout, heartbeat = (settings.get(key) for key in _CLOCKS.values())
    return _Attempt(scope.services, call, events, timeout, heartbeat)


class _Attempt:
    """One attempt of a task, from TaskScheduled on.

    Calls of all executions take turns, for one machine cannot make ten thousand at once. The
    clocks of a task start when it has its turn, with TaskStarted: on AWS nobody waits for one.
    """

    __slots__ = ("_call", "_clock", "_events", "_heartbeat", "_name", "_services", "_timeout")

    def __init__(
        self,
        services: Services,
        call: Call,
        events: TaskEvents,
        timeout: float | None,
        heartbeat: float | None,
    ) -> None:
        self._services = services
        self._call = call
        self._events = events
        self._timeout = timeout
        self._heartbeat = heartbeat
        self._clock = asyncio.timeout(None)
        self._name = _limited_name(call.resource)

    async def run(self) -> Json:
        """Do the work in the time it has, and tell the history how it ends."""
        try:
            async with self._clock:
                result = await self._work()
            text = self._within_limit(result)
        except TimeoutError:
            if not self._clock.expired():
                raise
            error = StateError(TIMEOUT)
            self._events.timed_out(error)
            raise error from None
        except HeartbeatMissedError as silence:
            self._events.timed_out(silence)
            raise
        except ParametersError:
            raise  # the task was never started: its history has no end
        except StateError as failure:
            self._events.failed(failure)
            raise
        self._events.succeeded(text)
        return result

    def _work(self) -> Coroutine[Any, Any, Json]:
        resource = self._call.resource
        if resource.kind == "activity":
            return self._activity()
        if resource.pattern == "waitForTaskToken":
            return self._token()
        return self._request() if resource.pattern is None else self._job()

    async def _request(self) -> Json:
        """Request-response: the answer is the result."""
        async with self._services.turn(self._call):
            self._start_clock()
            self._events.started()
            return await self._services.integrations.start(self._call)

    async def _token(self) -> Json:
        """`.waitForTaskToken`: the result is what somebody sends for the token.

        The token may come back before the call has returned, so it is expected from the beginning.
        """
        token = self._call.token
        assert token is not None
        try:
            async with self._services.turn(self._call):
                self._start_clock()
                waiter = self._services.callbacks.expect(token, self._heartbeat)
                self._events.started()
                answer = await waiter.unless_silent(self._services.integrations.start(self._call))
            del self._call  # only the token is needed while the task waits, maybe for days
            self._events.submitted(within_limit(answer, self._name))
            del answer
            return await waiter.answer()
        finally:
            self._services.callbacks.forget(token)

    async def _activity(self) -> Json:
        """Activity: wait for a worker to ask for the work, then for what it reports."""
        arn, token = self._call.resource.text, self._call.token
        assert token is not None
        activities, callbacks = self._services.activities, self._services.callbacks
        self._start_clock()
        offered = await activities.offer(arn, token, compact(self._call.arguments))
        try:
            self._events.started(await offered.taken)
            return await callbacks.expect(token, self._heartbeat).answer()
        finally:
            activities.withdraw(arn, offered)
            callbacks.forget(token)

    async def _job(self) -> Json:
        """`.sync`: start a job and wait for its end; when the task must end first, so must it."""
        integrations = self._services.integrations
        starting: asyncio.Task[Json] | None = None
        try:
            async with self._services.turn(self._call):
                self._start_clock()
                self._events.started()
                starting = asyncio.create_task(integrations.start(self._call))
                started = await asyncio.shield(starting)
            self._events.submitted(within_limit(started, self._name))
            return await integrations.finish(self._call, started)
        except asyncio.CancelledError:
            if starting is not None:
                await asyncio.shield(self._stop_job(starting))
            raise

    async def _stop_job(self, starting: asyncio.Task[Json]) -> None:
        """Stop a job, even one whose start is still under way: it would run on unseen."""
        with contextlib.suppress(StateError):
            await self._services.integrations.cancel(self._call, await starting)

    def _within_limit(self, result: Json) -> str:
        try:
            return within_limit(result, self._name)
        except StateError as error:
            raise ResultTooLargeError(error.cause) from error

    def _start_clock(self) -> None:
        if self._timeout is not None:
            self._clock.reschedule(asyncio.get_running_loop().time() + self._timeout)


def _limited_name(resource: Resource) -> str:
    """What the service calls a task whose result is too large."""
    return resource.resource_type if resource.kind in ("optimized", "aws_sdk") else resource.text
