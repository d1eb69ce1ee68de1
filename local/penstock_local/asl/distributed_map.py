"""Map in distributed mode: every item, or batch of items, is an execution of its own.

The parent's history tells only of the Map Run. What is tolerated, and how many children run at
once, can be changed while the run goes on (UpdateMapRun).
"""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Coroutine, Iterable
from typing import TYPE_CHECKING, Any

from penstock_local.asl import template
from penstock_local.asl.errors import (
    EXCEED_TOLERATED_FAILURE_THRESHOLD,
    EvaluationError,
    StateError,
    StateFaultError,
)
from penstock_local.asl.execution import Execution, Machine, Status
from penstock_local.asl.inline_map import (
    item_input,
    item_processor,
    max_concurrency,
    state_items,
)
from penstock_local.asl.limits import within_limit
from penstock_local.asl.map_items import map_result, plan_work
from penstock_local.asl.map_run import Count, MapRun
from penstock_local.asl.task_events import failure_details
from penstock_local.asl.visit import MapItem

if TYPE_CHECKING:
    from penstock_local.asl.interpreter import Interpreter
    from penstock_local.asl.values import Json
    from penstock_local.asl.visit import Visit

ALL_PER_CENT = 100


async def perform_distributed_map(scope: Interpreter, visit: Visit) -> Json:
    """Run, or redrive, the Map Run of one attempt.

    The result is what the ResultWriter wrote where, or else the list of the children's outputs.
    """
    run = scope.progress.map_run
    if run is not None and visit.again and run.children:
        return await _told(scope, run, _redrive(scope, visit, run))
    items = None if "ItemReader" in visit.state else state_items(scope, visit)
    run = _new_run(scope, visit, 0 if items is None else len(items))
    return await _told(scope, run, _run(scope, visit, run, items))


async def _run(scope: Interpreter, visit: Visit, run: MapRun, items: list[Json] | None) -> Json:
    scope.trail.record("MapRunStarted", {"mapRunArn": run.arn})
    try:
        await plan_work(scope, visit, run, items)
        await _Dispatch(scope, visit, run, range(len(run.work))).until_ended()
        return await map_result(scope, visit, run)
    except EvaluationError as fault:
        raise scope.evaluation_failed(visit, fault) from fault


async def _redrive(scope: Interpreter, visit: Visit, run: MapRun) -> Json:
    unfinished = run.reopen()
    details = {"mapRunArn": run.arn, "redriveCount": run.redrive_count}
    scope.trail.record("MapRunRedriven", details)
    try:
        await _Dispatch(scope, visit, run, unfinished).until_ended()
        return await map_result(scope, visit, run)
    except EvaluationError as fault:
        raise scope.evaluation_failed(visit, fault) from fault


async def _told(scope: Interpreter, run: MapRun, work: Coroutine[Any, Any, Json]) -> Json:
    """Do the work of a Map Run and tell its end to the run and to the parent's history."""
    try:
        result = await work
    except StateError as error:
        run.end(Status.FAILED)
        scope.trail.record("MapRunFailed", failure_details(error))
        raise
    except asyncio.CancelledError:
        run.end(Status.ABORTED)
        scope.trail.note("MapRunAborted")
        raise
    except Exception:
        run.end(Status.FAILED)
        raise
    run.end(Status.SUCCEEDED)
    scope.trail.record("MapRunSucceeded")
    scope.trail.note("MapStateSucceeded")
    return result


def _new_run(scope: Interpreter, visit: Visit, length: int) -> MapRun:
    """A new Map Run; StateError when what it should tolerate makes no sense."""
    most = max_concurrency(scope, visit)
    count = _tolerated(scope, visit, "ToleratedFailureCount")
    percentage = _tolerated(scope, visit, "ToleratedFailurePercentage")
    scope.trail.record("MapStateStarted", {"length": length})
    if percentage is not None and not 0 <= percentage <= ALL_PER_CENT:
        detail = "ToleratedFailurePercentage must be between 0 and 100."
        raise StateFaultError(detail, visit.name, visit.entered)
    if count is not None and count < 0:
        detail = "ToleratedFailureCount cannot be negative."
        raise StateFaultError(detail, visit.name, visit.entered)
    machine = child_machine(scope.execution.machine, visit.state)
    place = f"arn:aws:states:{machine.region}:{machine.account}"
    run = MapRun(
        f"{place}:mapRun:{machine.name}:{uuid.uuid4()}",
        scope.execution,
        machine,
        most,
        None if count is None else int(count),
        percentage,
    )
    scope.progress.map_run = run
    scope.services.children.register_map_run(run)
    return run


def _tolerated(scope: Interpreter, visit: Visit, field: str) -> float | None:
    if field not in visit.state:
        return None
    limit: float = template.render_as(visit.state[field], scope.expressions(visit), field, "number")
    return limit


def child_machine(machine: Machine, state: dict[str, Any]) -> Machine:
    """The state machine that the children of a Distributed Map belong to.

    Without a Label the service makes one up.
    """
    processor = item_processor(state)
    label = state.get("Label") or str(uuid.uuid4())
    return Machine(
        arn=f"{machine.arn}/{label}",
        name=f"{machine.name}/{label}",
        definition=processor,
        role_arn=machine.role_arn,
        type=processor.get("ProcessorConfig", {}).get("ExecutionType", "STANDARD"),
        label=label,
        updated=machine.updated,
        revision_id=machine.revision_id,
        logging=machine.logging,
        encryption=machine.encryption,
    )


def _require_tolerated(run: MapRun) -> None:
    if run.exceeded:
        raise StateError(
            EXCEED_TOLERATED_FAILURE_THRESHOLD,
            "The specified tolerated failure threshold was exceeded",
        )


class _Dispatch:
    """Starts the children of a Map Run as room allows and waits for all of them."""

    def __init__(
        self, scope: Interpreter, visit: Visit, run: MapRun, entries: Iterable[int]
    ) -> None:
        self._scope = scope
        self._visit = visit
        self._run = run
        self._waiting = deque(entries)

    async def until_ended(self) -> None:
        """Raise StateError when more items fail than tolerated.

        Whatever ends the run early (that, a bad ItemSelector, a stop) stops its children.
        """
        run = self._run
        try:
            while True:
                run.changed.clear()
                await self._start_children()
                _require_tolerated(run)
                if not self._waiting and not run.executions["running"]:
                    return
                await run.changed.wait()
        except BaseException:
            await asyncio.shield(self._stop_children())
            raise

    async def _start_children(self) -> None:
        while self._waiting and self._run.has_room and not self._run.exceeded:
            self._start(self._waiting.popleft())
            await asyncio.sleep(0)  # ten thousand starts must not hold up everything else

    def _start(self, index: int) -> None:
        run = self._run
        child = run.children[index]
        source: Count = "pending" if child is None else "pendingRedrive"
        if child is None or run.machine.express:  # an express child cannot resume: it starts anew
            child = self._new_child(index)
        task = self._scope.services.children.start_child(child)
        run.child_started(index, child, source)
        task.add_done_callback(lambda _: run.child_ended(index))

    def _new_child(self, index: int) -> Execution:
        run = self._run
        value = run.work[index]
        if run.selects:
            value = item_input(self._scope, self._visit, MapItem(index, value, run.source))
        name = str(uuid.uuid4())
        return Execution(
            run.machine.execution_arn(name),
            name,
            run.machine,
            within_limit(value, self._visit.name),
            value,
            map_run=run,
            items=run.sizes[index],
        )

    async def _stop_children(self) -> None:
        running = [
            child
            for child in self._run.children
            if child is not None and child.status is Status.RUNNING
        ]
        await self._scope.services.children.stop(running)
