"""Task tokens: how work outside an execution reports back to a task that waits for it."""

from __future__ import annotations

import asyncio
import base64
import binascii
import secrets
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from penstock_local.asl.errors import StateError
from penstock_local.asl.retry import HeartbeatMissedError

if TYPE_CHECKING:
    from penstock_local.asl.values import Json

_MARK = b"penstock-local-task:"


def new_token() -> str:
    """A token that nobody can guess, of the service's alphabet."""
    return base64.b64encode(_MARK + secrets.token_bytes(40)).decode()


def is_token(text: str) -> bool:
    """Whether the text is a token that `new_token` made, be it still in use or not."""
    try:
        return base64.b64decode(text, validate=True).startswith(_MARK)
    except (binascii.Error, ValueError):
        return False


class Waiter:
    """One task that waits for its token to come back.

    With `heartbeat_seconds` it fails when no heartbeat comes for that long; the time runs from
    the moment the waiter is made.
    """

    __slots__ = ("_answer", "_heartbeat_seconds", "_timer")

    def __init__(self, heartbeat_seconds: float | None = None) -> None:
        self._answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._heartbeat_seconds = heartbeat_seconds
        self._timer: asyncio.TimerHandle | None = None
        self.beat()

    def beat(self) -> None:
        """The work is alive: wait for the next heartbeat from now on."""
        self._disarm()
        if self._heartbeat_seconds is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._heartbeat_seconds, self._miss)

    def succeed(self, value: Json) -> None:
        """The work is done; later answers do not count."""
        self._disarm()
        if not self._answer.done():
            self._answer.set_result(value)

    def fail(self, error: StateError) -> None:
        """The work has failed; later answers do not count."""
        self._disarm()
        if not self._answer.done():
            self._answer.set_exception(error)

    @property
    def answered(self) -> bool:
        """Whether the work has reported its end, or has been given up."""
        return self._answer.done()

    async def answer(self) -> Json:
        """Wait for the result; StateError when the work failed or fell silent."""
        return await self._answer

    async def unless_silent(self, call: Coroutine[Any, Any, Json]) -> Json:
        """The answer of a call, unless a heartbeat is missed before it comes."""
        calling = asyncio.create_task(call)
        try:
            await asyncio.wait((calling, self._answer), return_when=asyncio.FIRST_COMPLETED)
            if self._answer.done() and self._answer.exception() is not None:
                await self._answer
            return await calling
        finally:
            calling.cancel()

    def close(self) -> None:
        """Nobody waits any longer."""
        self._disarm()
        if not self._answer.cancel() and not self._answer.cancelled():
            self._answer.exception()  # looked at, so that asyncio does not complain about it

    def _miss(self) -> None:
        self.fail(HeartbeatMissedError())

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Callbacks:
    """The tokens that are waited for; used on the engine's loop only."""

    __slots__ = ("_waiters",)

    def __init__(self) -> None:
        self._waiters: dict[str, Waiter] = {}

    def __len__(self) -> int:
        return len(self._waiters)

    def expect(self, token: str, heartbeat_seconds: float | None = None) -> Waiter:
        """Wait for the token from now on."""
        waiter = self._waiters[token] = Waiter(heartbeat_seconds)
        return waiter

    def find(self, token: str) -> Waiter | None:
        """The task that waits for the token; None when it is over or there never was one."""
        waiter = self._waiters.get(token)
        return None if waiter is None or waiter.answered else waiter

    def forget(self, token: str) -> None:
        """The task is over, whatever still comes for its token."""
        waiter = self._waiters.pop(token, None)
        if waiter is not None:
            waiter.close()
