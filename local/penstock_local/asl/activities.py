"""Activities: work that waits in a queue until a worker asks for it with GetActivityTask."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class ActivityTask:
    """A piece of work for an activity worker; `taken` gets the worker's name ("" if unnamed)."""

    token: str
    input_text: str
    taken: asyncio.Future[str]


class Activities:
    """The queues of all activities, by ARN; used on the engine's loop only.

    `exists` says whether there is an activity of an ARN: which ones there are is kept elsewhere.
    """

    __slots__ = ("_arrivals", "_queues", "exists")

    def __init__(self) -> None:
        self.exists: Callable[[str], bool] = lambda _: True
        self._queues: dict[str, deque[ActivityTask]] = {}
        self._arrivals: dict[str, asyncio.Condition] = {}

    async def offer(self, arn: str, token: str, input_text: str) -> ActivityTask:
        """Put work into the activity's queue."""
        taken: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        task = ActivityTask(token, input_text, taken)
        self._queues.setdefault(arn, deque()).append(task)
        arrival = self._arrival(arn)
        async with arrival:
            arrival.notify()
        return task

    def withdraw(self, arn: str, task: ActivityTask) -> None:
        """Take back work that nobody has asked for in time."""
        task.taken.cancel()
        queue = self._queues.get(arn)
        if queue and task in queue:
            queue.remove(task)

    async def take(self, arn: str, worker: str, patience_seconds: float) -> ActivityTask | None:
        """The oldest work of the activity; None if none comes while the worker waits."""
        arrival = self._arrival(arn)
        try:
            async with asyncio.timeout(patience_seconds), arrival:
                await arrival.wait_for(lambda: bool(self._queues.get(arn)))
                task = self._queues[arn].popleft()
        except TimeoutError:
            return None
        if not task.taken.done():
            task.taken.set_result(worker)
        return task

    def _arrival(self, arn: str) -> asyncio.Condition:
        return self._arrivals.setdefault(arn, asyncio.Condition())
