"""Several paths at once: the iterations of a Map, the branches of a Parallel state.

The first branch that fails aborts the others and fails the state. A branch that has ended well
leaves its output in the state's progress, so that a redrive runs only the rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import TYPE_CHECKING, Any, Literal

from penstock_local.asl.errors import StateError
from penstock_local.asl.history import Trail

if TYPE_CHECKING:
    from penstock_local.asl.interpreter import Interpreter
    from penstock_local.asl.values import Json
    from penstock_local.asl.visit import MapItem, Visit

_CAN_BE_ABORTED = frozenset({"Task", "Wait", "Map", "Parallel"})


class FanOut:
    """One attempt of a state that runs branches side by side."""

    __slots__ = ("_error", "_failed", "_kind", "_running", "_scope", "_visit")

    def __init__(self, scope: Interpreter, visit: Visit, kind: Literal["Map", "Parallel"]) -> None:
        self._scope = scope
        self._visit = visit
        self._kind = kind
        self._running: dict[int, Interpreter] = {}
        self._failed: int | None = None
        self._error: StateError | None = None

    async def branch(
        self,
        index: int,
        definition: dict[str, Any],
        value: Json,
        trail: Trail,
        item: MapItem | None = None,
    ) -> Json:
        """Run one branch to its end and return its output; a StateError is remembered."""
        progress = self._scope.progress.branch(index)
        inner = self._scope.inner(definition, trail, progress, item)
        self._running[index] = inner
        try:
            output = await inner.run(value)
        except StateError as error:
            if self._failed is None:
                self._failed, self._error = index, error
            raise
        del self._running[index]
        return output

    async def gather(self, lanes: Iterable[Coroutine[Any, Any, None]]) -> None:
        """Run the lanes side by side; raise what the first branch failed with.

        When the state itself is aborted from outside, so are all its branches.
        """
        tasks = [asyncio.create_task(lane) for lane in lanes]
        if not tasks:
            return
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        except asyncio.CancelledError:
            await _cancel(tasks)
            self._tell_aborted(None)
            raise
        if any(task.done() and task.exception() is not None for task in tasks):
            await _cancel(tasks)
            self._raise_failure(tasks)

    def _raise_failure(self, tasks: list[asyncio.Task[None]]) -> None:
        for task in tasks:
            error = None if task.cancelled() else task.exception()
            if error is not None and not isinstance(error, StateError):
                raise error  # the engine's own fault, and no affair of Retry and Catch
        self._abort()
        assert self._error is not None
        raise self._error

    def _abort(self) -> None:
        """Tell the history of the failed branch, then of those that it took with it.

        All these events follow the last one of the failed branch, and so does the next.
        """
        assert self._failed is not None
        failed = self._running.pop(self._failed)
        trail = self._scope.trail
        trail.last = failed.trail.last
        if self._kind == "Map":
            trail.note("MapIterationFailed", self._iteration(self._failed))
        if failed.visit is not None and failed.visit.type == "Task":
            trail.note("TaskStateAborted")
        self._tell_aborted(trail)

    def _tell_aborted(self, trail: Trail | None) -> None:
        for index, inner in self._running.items():
            told = trail or inner.trail
            if self._kind == "Map":
                told.note("MapIterationAborted", self._iteration(index))
            if inner.visit is not None and inner.visit.type in _CAN_BE_ABORTED:
                told.note(f"{inner.visit.type}StateAborted")

    def _iteration(self, index: int) -> dict[str, Any]:
        return {"name": self._visit.name, "index": index}


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel the tasks that still run and wait until all have wound down."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
