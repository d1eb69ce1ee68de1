"""The engine: all executions of an instance, on one event loop in a thread named "asl"."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Future
from typing import TypeVar

from penstock_local.asl.activities import Activities
from penstock_local.asl.callbacks import Callbacks
from penstock_local.asl.errors import StateError
from penstock_local.asl.execution import Execution, Status
from penstock_local.asl.lifecycle import begin, close_early, live
from penstock_local.asl.map_run import MapRun
from penstock_local.asl.services import IntegrationsPort, Services

log = logging.getLogger(__name__)

T = TypeVar("T")


class Engine:
    """Runs executions and knows them all.

    Everything but `call`, `call_async` and `close` belongs to the engine's own loop: other
    threads reach it through those. `status_changed` is called on the loop whenever an execution
    has started, gone on, or ended.
    """

    def __init__(
        self,
        integrations: IntegrationsPort,
        wait_scale: float = 1.0,
        status_changed: Callable[[Execution], None] | None = None,
    ) -> None:
        self.executions: dict[str, Execution] = {}
        self.map_runs: dict[str, MapRun] = {}
        self.callbacks = Callbacks()
        self.activities = Activities()
        self.services = Services(integrations, self.callbacks, self.activities, self, wait_scale)
        self._status_changed = status_changed or (lambda _: None)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="asl", daemon=True)
        self._thread.start()

    # From any thread

    def call(self, function: Callable[..., T], *arguments: object) -> T:
        """Call the function on the engine's loop and return what it returns."""
        if threading.current_thread() is self._thread:
            return function(*arguments)
        done: Future[T] = Future()

        def run() -> None:
            try:
                done.set_result(function(*arguments))
            except BaseException as error:  # noqa: BLE001 - it is the caller's to handle
                done.set_exception(error)

        self._loop.call_soon_threadsafe(run)
        return done.result()

    async def call_async(self, function: Callable[..., Awaitable[T]], *arguments: object) -> T:
        """Await the coroutine function on the engine's loop, from a coroutine of another loop."""

        async def run() -> T:
            return await function(*arguments)

        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(run(), self._loop))

    def close(self) -> None:
        """Abort what runs and end the thread."""
        if not self._thread.is_alive():
            return
        asyncio.run_coroutine_threadsafe(self._wind_down(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # On the loop

    def start(self, execution: Execution) -> None:
        """Start an execution, or redrive one that ended unsuccessfully."""
        self.start_child(execution)

    def start_child(self, execution: Execution) -> asyncio.Task[None]:
        """Start an execution and return the task that runs it to its end."""
        self.executions[execution.arn] = execution
        begin(execution)
        self._status_changed(execution)
        task = self._loop.create_task(
            live(self.services, execution, self._status_changed), name=execution.name
        )
        execution.task = task
        task.add_done_callback(_report_bug)
        return task

    def register_map_run(self, run: MapRun) -> None:
        """Make a Map Run known to the Map Run API."""
        self.map_runs[run.arn] = run

    def abort(self, execution: Execution, error: str | None, cause: str | None) -> None:
        """Give a running execution the status ABORTED; its work winds down by itself."""
        close_early(execution, Status.ABORTED, self._status_changed, StateError(error, cause))

    async def stop(self, executions: Iterable[Execution]) -> None:
        """Abort executions and wait until everything under them has wound down."""
        for execution in executions:
            self.abort(execution, None, None)
        await self.wound_down(executions)

    async def wound_down(self, executions: Iterable[Execution]) -> None:
        """Wait until no work of ended executions is left."""
        tasks = {execution.task for execution in executions if execution.task is not None}
        if tasks:
            await asyncio.wait(tasks)

    def forget_all(self) -> None:
        """Abort what runs and forget every execution: ministack's reset."""
        for execution in list(self.executions.values()):
            if execution.status is Status.RUNNING:
                self.abort(execution, None, None)
        self.executions.clear()
        self.map_runs.clear()

    async def _wind_down(self) -> None:
        running = [
            execution
            for execution in self.executions.values()
            if execution.task is not None and not execution.task.done()
        ]
        await self.stop(running)
        await self._loop.shutdown_default_executor()  # which reads the files of ItemReaders


def _report_bug(task: asyncio.Task[None]) -> None:
    """`live` raises nothing but its cancellation: anything else must not pass unseen."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("An execution ended with an error of the engine", exc_info=error)
