"""The life of one execution: from ExecutionStarted to its final status, whatever happens."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from penstock_local.asl.errors import RUNTIME, StateError
from penstock_local.asl.execution import Execution, Status
from penstock_local.asl.history import Trail
from penstock_local.asl.interpreter import Interpreter
from penstock_local.asl.progress import Progress
from penstock_local.asl.task_events import failure_details

if TYPE_CHECKING:
    from collections.abc import Callable

    from penstock_local.asl.services import Services

log = logging.getLogger(__name__)

EXPRESS_SECONDS = 300
"""How long an express execution may take."""

_CLOSING_EVENTS = {
    Status.FAILED: "ExecutionFailed",
    Status.TIMED_OUT: "ExecutionTimedOut",
    Status.ABORTED: "ExecutionAborted",
}


def begin(execution: Execution) -> None:
    """Write the first event of a new execution, or the one by which a redrive goes on."""
    if execution.status is Status.RUNNING:
        details = {"input": execution.input_text, "roleArn": execution.machine.role_arn}
        if execution.machine.alias_arn is not None:
            details["stateMachineAliasArn"] = execution.machine.alias_arn
        if execution.machine.version_arn is not None:
            details["stateMachineVersionArn"] = execution.machine.version_arn
        execution.history.append(0, "ExecutionStarted", details)
        return
    execution.reopen()
    last = len(execution.history)
    redriven = {"redriveCount": execution.redrive_count}
    execution.history.append(last, "ExecutionRedriven", redriven)


async def live(
    services: Services, execution: Execution, ended: Callable[[Execution], None]
) -> None:
    """Run an execution that has begun until it ends; then, and only once, call `ended`.

    It may be cancelled when its status is final already. What this engine itself gets wrong ends
    as a failed execution with `States.Runtime` and a traceback in the log, never as a hang.
    """
    deadline = _deadline(execution, ended)
    trail = Trail(execution.history)
    if execution.redrive_count:
        trail.last = len(execution.history)
    if execution.progress is None:
        execution.progress = Progress()
    definition = execution.machine.definition
    scope = Interpreter(services, execution, definition, trail, execution.progress)
    try:
        await scope.run(execution.input, execution.input_text)
    except StateError as error:
        _close(execution, Status.FAILED, ended, error, previous=trail.last)
    except asyncio.CancelledError:
        close_early(execution, Status.ABORTED, ended)  # the engine itself is being shut down
        raise
    except Exception as bug:
        log.exception("The engine failed at %s", execution.arn)
        failure = StateError(RUNTIME, f"The local engine failed: {bug!r}")
        _close(execution, Status.FAILED, ended, failure, previous=trail.last)
    else:
        _succeed(execution, scope, ended)
    finally:
        if deadline is not None:
            deadline.cancel()


def close_early(
    execution: Execution,
    status: Status,
    ended: Callable[[Execution], None],
    error: StateError | None = None,
) -> None:
    """Give a running execution the status ABORTED or TIMED_OUT at once, and stop its work."""
    _close(execution, status, ended, error or StateError(None), previous=0)
    task = execution.task
    if task is not None and task is not _current_task():
        task.cancel()


def _current_task() -> asyncio.Task[None] | None:
    return asyncio.current_task()


def _deadline(
    execution: Execution, ended: Callable[[Execution], None]
) -> asyncio.TimerHandle | None:
    machine = execution.machine
    seconds = machine.definition.get("TimeoutSeconds")
    if machine.express:
        seconds = min(seconds or EXPRESS_SECONDS, EXPRESS_SECONDS)
    if seconds is None:
        return None
    loop = asyncio.get_running_loop()
    return loop.call_later(seconds, close_early, execution, Status.TIMED_OUT, ended)


def _succeed(execution: Execution, scope: Interpreter, ended: Callable[[Execution], None]) -> None:
    if execution.status is not Status.RUNNING:
        return
    output = scope.text
    execution.history.close(scope.trail.last, "ExecutionSucceeded", {"output": output})
    execution.end(Status.SUCCEEDED, output=output)
    execution.progress = execution.input = None  # only a redrive would need them
    ended(execution)


def _close(
    execution: Execution,
    status: Status,
    ended: Callable[[Execution], None],
    error: StateError,
    previous: int,
) -> None:
    if execution.status is not Status.RUNNING:
        return
    execution.history.close(previous, _CLOSING_EVENTS[status], failure_details(error))
    execution.end(status, error=error.error, cause=error.cause)
    ended(execution)
