"""What an interpreter needs from the world around it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from penstock_local.asl.item_reader import ObjectSource
from penstock_local.asl.result_writer import ObjectSink

if TYPE_CHECKING:
    from penstock_local.asl.activities import Activities
    from penstock_local.asl.callbacks import Callbacks
    from penstock_local.asl.execution import Execution
    from penstock_local.asl.integrations import Call
    from penstock_local.asl.map_run import MapRun
    from penstock_local.asl.values import Json


CALLS_AT_ONCE = 12
"""Calls of Lambda functions, and of all other services, that are under way at the same time.

A few more than there are function processes by default: more threads only take turns with each
other (1,000 invocations took 5.4 to 5.8 s with 12, 5.1 to 7.2 s with 32, on 2 cores).
"""


class IntegrationsPort(Protocol):
    """The calls to other services, as `penstock_local.asl.integrations` makes them."""

    async def start(self, call: Call) -> Json:
        """Perform the API call and return the answer in Step Functions' form."""

    async def finish(self, call: Call, started: Json) -> Json:
        """Wait for the job that a `.sync` call started and return its result."""

    async def cancel(self, call: Call, started: Json) -> None:
        """Stop the job that a `.sync` call started."""

    @property
    def s3(self) -> ObjectStore:
        """The objects that readers and writers of a Distributed Map work on."""


class ObjectStore(ObjectSource, ObjectSink, Protocol):
    """Objects that can be read, listed and written."""


class ChildRunner(Protocol):
    """What a Distributed Map needs of the engine: its children are executions like any other."""

    def register_map_run(self, run: MapRun) -> None:
        """Make the Map Run known to the Map Run API."""

    def start_child(self, execution: Execution) -> asyncio.Task[None]:
        """Start a child, or go on with one that was reopened, and return the task that runs it."""

    async def stop(self, executions: Iterable[Execution]) -> None:
        """Abort executions and wait until everything under them has wound down."""


class Services:
    """The services that all executions of an engine share.

    Only so many calls are under way at once; Lambda functions, which may take minutes, have places
    of their own so as not to keep other calls waiting.

    `wait_scale` multiplies Wait states and retry intervals, so that tests need not sit through
    them; timeouts and heartbeats are not scaled.
    """

    __slots__ = (
        "_lambda_calls",
        "_other_calls",
        "activities",
        "callbacks",
        "children",
        "integrations",
        "wait_scale",
    )

    def __init__(
        self,
        integrations: IntegrationsPort,
        callbacks: Callbacks,
        activities: Activities,
        children: ChildRunner,
        wait_scale: float = 1.0,
    ) -> None:
        self.integrations = integrations
        self.callbacks = callbacks
        self.activities = activities
        self.children = children
        self.wait_scale = wait_scale
        self._lambda_calls = asyncio.Semaphore(CALLS_AT_ONCE)
        self._other_calls = asyncio.Semaphore(CALLS_AT_ONCE)

    def turn(self, call: Call) -> asyncio.Semaphore:
        """What a call must hold while it is made."""
        return self._lambda_calls if call.resource.service == "lambda" else self._other_calls

    async def sleep(self, seconds: float) -> None:
        """Wait as long as the definition says, times `wait_scale`."""
        await asyncio.sleep(max(0.0, seconds) * self.wait_scale)
