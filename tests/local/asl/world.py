"""A little world for engine tests: services that answer as the test says, and a stopwatch."""

from __future__ import annotations

import asyncio
import inspect
import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from penstock_local.asl.engine import Engine
from penstock_local.asl.execution import Execution, Machine, Status
from penstock_local.asl.integrations import Call, Caller

ROLE = "arn:aws:iam::123456789012:role/machine"
LAMBDA = "arn:aws:states:::lambda:invoke"
CALLBACK = "arn:aws:states:::lambda:invoke.waitForTaskToken"
GLUE = "arn:aws:states:::glue:startJobRun.sync"

Answer = Callable[[Call], Any]


class Objects:
    """Objects in memory, for readers and writers."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    async def get(self, caller: Caller, arguments: dict[str, Any]) -> bytes:
        return self.texts[arguments["Key"]].encode()

    async def listing(
        self, caller: Caller, arguments: dict[str, Any], limit: int
    ) -> list[dict[str, Any]]:
        raise NotImplementedError

    async def put(self, caller: Caller, arguments: dict[str, Any]) -> None:
        self.texts[arguments["Key"]] = arguments["Body"].decode()


def _arguments(call: Call) -> Any:
    return call.arguments


class Services:
    """Integrations that a test programs: an answer for each resource, by its text."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.ends: dict[str, Answer] = {}
        self.calls: list[Call] = []
        self.cancelled: list[Any] = []
        self.s3 = Objects()

    async def start(self, call: Call) -> Any:
        self.calls.append(call)
        given = self.answers.get(call.resource.text, _arguments)
        answer = given(call)
        return await answer if inspect.isawaitable(answer) else answer

    async def finish(self, call: Call, started: Any) -> Any:
        given = self.ends.get(call.resource.text)
        end = started if given is None else given(call)
        return await end if inspect.isawaitable(end) else end

    async def cancel(self, call: Call, started: Any) -> None:
        self.cancelled.append(started)


class World:
    """An engine with programmed services."""

    def __init__(self, wait_scale: float = 0.0) -> None:
        self.services = Services()
        self.statuses: list[tuple[str, str]] = []
        self.engine = Engine(
            self.services,
            wait_scale,
            lambda execution: self.statuses.append((execution.arn, execution.status.value)),
        )

    def machine(self, definition: dict[str, Any], kind: str = "STANDARD") -> Machine:
        name = "machine"
        return Machine(
            arn=f"arn:aws:states:eu-central-1:123456789012:stateMachine:{name}",
            name=name,
            definition={"QueryLanguage": "JSONata", **definition},
            role_arn=ROLE,
            type=kind,
        )

    def begin(
        self, definition: dict[str, Any], value: Any = None, kind: str = "STANDARD"
    ) -> Execution:
        machine = self.machine(definition, kind)
        text = json.dumps({} if value is None else value)
        name = str(uuid.uuid4())
        execution = Execution(machine.execution_arn(name), name, machine, text, json.loads(text))
        self.engine.call(self.engine.start, execution)
        return execution

    def run(
        self, definition: dict[str, Any], value: Any = None, kind: str = "STANDARD"
    ) -> Execution:
        """Run a machine to its end."""
        return self.ended(self.begin(definition, value, kind))

    def ended(self, execution: Execution) -> Execution:
        """The execution, once nothing of it runs any more."""
        until(lambda: execution.status is not Status.RUNNING)
        until(lambda: execution.task is None or execution.task.done())
        return execution

    def redrive(self, execution: Execution) -> Execution:
        self.engine.call(self.engine.start, execution)
        return self.ended(execution)

    def stop(
        self, execution: Execution, error: str | None = None, cause: str | None = None
    ) -> None:
        self.engine.call(self.engine.abort, execution, error, cause)
        self.ended(execution)

    def token_of(self, execution: Execution) -> str:
        """The token that the execution waits for."""
        calls = [call for call in self.services.calls if call.execution_arn == execution.arn]
        token = calls[-1].token
        assert token is not None
        return token


@contextmanager
def world(wait_scale: float = 0.0) -> Iterator[World]:
    """A world that is gone when the test is over."""
    made = World(wait_scale)
    try:
        yield made
    finally:
        made.engine.close()


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for a condition; fail when it takes too long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.002)


def machine(first: str, **states: dict[str, Any]) -> dict[str, Any]:
    """A definition of these states; underscores in names stand for blanks."""
    return {"StartAt": first, "States": states}


def one(state: dict[str, Any], name: str = "Only") -> dict[str, Any]:
    """A definition of one state that ends."""
    ending = {} if state["Type"] in ("Succeed", "Fail", "Choice") else {"End": True}
    return {"StartAt": name, "States": {name: {**state, **ending}}}


def output(execution: Execution) -> Any:
    """The output of an execution that must have succeeded."""
    assert execution.status is Status.SUCCEEDED, (execution.error, execution.cause)
    assert execution.output is not None
    return json.loads(execution.output)


def chain(execution: Execution) -> list[tuple[int, str, int]]:
    """Id, type and previousEventId of every event."""
    return [(event.id, event.type, event.previous) for event in execution.history.events]


def types(execution: Execution) -> list[str]:
    """The types of all events."""
    return [event.type for event in execution.history.events]


def details(execution: Execution, kind: str, number: int = 0) -> dict[str, Any]:
    """The details of the n-th event of a type, as the API writes them."""
    events = [event for event in execution.history.events if event.type == kind]
    answer = events[number].as_answer()
    keys = [key for key in answer if key.endswith("EventDetails")]
    found: dict[str, Any] = answer[keys[0]] if keys else {}
    return found


async def never(_: Call) -> Any:
    """An answer that does not come."""
    await asyncio.Event().wait()
