"""Many calls at once: what is bounded, and what must not wait for what."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest
from tests.local.asl.integrations.calls import call, run
from tests.local.asl.integrations.conftest import Platform

from penstock_local.asl.integrations import Integrations
from penstock_local.asl.integrations import integrations as facade
from penstock_local.asl.integrations.clients import Answer

INVOKE = call("lambda:invoke", {"FunctionName": "f"})
SEND = call("sqs:sendMessage", {"QueueUrl": "http://localhost/q", "MessageBody": "m"})


def test_lambda_invocations_are_bounded_and_hold_up_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    integrations = Integrations(Platform("http://127.0.0.1:1"), lambda_calls=3)
    released, counting = threading.Event(), threading.Lock()
    under_way, most = 0, 0

    def answer(_caller: Any, service: str, *_: Any) -> Answer:
        nonlocal under_way, most
        if service == "lambda":
            with counting:
                under_way += 1
                most = max(most, under_way)
            released.wait(10)
            with counting:
                under_way -= 1
        return Answer({}, 200, {}, "1")

    monkeypatch.setattr(integrations.clients, "_call", answer)

    async def both() -> None:
        invocations = [asyncio.create_task(integrations.start(INVOKE)) for _ in range(10)]
        await asyncio.sleep(0.05)
        async with asyncio.timeout(5):
            await integrations.start(SEND)
        assert not any(invocation.done() for invocation in invocations)
        released.set()
        await asyncio.gather(*invocations)

    run(both())
    integrations.close()
    assert most == 3


def test_a_call_that_is_given_up_before_it_had_a_thread_is_never_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    integrations = Integrations(Platform("http://127.0.0.1:1"), lambda_calls=1)
    released, made = threading.Event(), []

    def answer(*arguments: Any) -> Answer:
        made.append(arguments)
        released.wait(10)
        return Answer({}, 200, {}, "1")

    monkeypatch.setattr(integrations.clients, "_call", answer)

    async def second_is_given_up() -> None:
        first = asyncio.create_task(integrations.start(INVOKE))
        await asyncio.sleep(0.05)
        second = asyncio.create_task(integrations.start(INVOKE))
        await asyncio.sleep(0.05)
        second.cancel()
        await asyncio.sleep(0)
        released.set()
        await first

    run(second_is_given_up())
    integrations.close()
    assert len(made) == 1


def test_many_jobs_together_are_asked_after_no_more_often_than_a_few(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(facade, "MOST_QUESTIONS_PER_SECOND", 100)
    integrations = Integrations(Platform("http://127.0.0.1:1"))
    ended_at = time.monotonic() + 1
    questions = 0

    class Job:
        async def poll(self, *_: Any) -> str | None:
            nonlocal questions
            questions += 1
            return "done" if time.monotonic() > ended_at else None

    monkeypatch.setattr(integrations, "_job", lambda _: Job())

    async def all_at_once() -> list[str]:
        return await asyncio.gather(*(integrations.finish(INVOKE, {}) for _ in range(50)))

    assert run(all_at_once()) == ["done"] * 50
    integrations.close()
    # One question each at the start and one at the end, and a hundred in the second between.
    assert 100 <= questions <= 250
