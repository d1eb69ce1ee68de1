"""All tasks that have been run: asked for, worked in their lane, stopped."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import ecs

from penstock_local.api_error import ApiError
from penstock_local.ecs.events import TaskEvents
from penstock_local.ecs.execution import Executions
from penstock_local.ecs.launch import COMMAND_TAG
from penstock_local.ecs.task_run import TaskRun
from penstock_local.job_processes.lane import TASK_SLOTS, Lane

log = logging.getLogger("penstock_local.ecs")

Request = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]


class Tasks:
    """The tasks of all clusters; their records lie in ministack's store."""

    def __init__(self, executions: Executions) -> None:
        self._executions = executions
        self._events = TaskEvents()
        self._lock = threading.RLock()
        self._open: dict[str, TaskRun] = {}
        self._tokens: dict[tuple[str, str, str, str], tuple[Request, list[Request]]] = {}
        self._lane = Lane("ECS tasks", TASK_SLOTS)

    def run(
        self, request: Request, definition: Request, make: Callable[[], list[Request]]
    ) -> list[Request]:
        """Run tasks; the same ones for a client token that was seen before.

        `make` has ministack make their records. Raises ConflictException when the token came with
        another request.
        """
        with self._lock:
            token = request.get("clientToken")
            key = (get_account_id(), get_region(), str(request.get("cluster")), str(token))
            if token and key in self._tokens:
                asked, records = self._tokens[key]
                if asked != request:
                    message = "The client token was used for another request"
                    raise ApiError("ConflictException", message)
                return records
            made = make()
            records = [ecs._tasks[task["taskArn"]] for task in made]
            if token:
                self._tokens[key] = (request, records)
            for run in [self._task_run(record, request, definition) for record in records]:
                self._open[run.arn] = run
                self._submit(run)
            return records

    def stop(self, record: Request, reason: str) -> None:
        """Have a task stopped; for one that has ended this does nothing."""
        with self._lock:
            run = self._open.get(record["taskArn"])
            if run is None or run.stop_asked_at is not None:
                return
            run.ask_to_stop(reason)
            if self._lane.withdraw(run):
                self._open.pop(run.arn)
                run.end_unstarted()
                return
        self._executions.processes.interrupt(run)

    def forget(self) -> None:
        """Stop every open task and forget all."""
        with self._lock:
            for run in list(self._open.values()):
                self.stop(run.record, "The platform was reset")
                self._executions.processes.kill(run)
            self._tokens.clear()

    def _task_run(self, record: Request, request: Request, definition: Request) -> TaskRun:
        tags = ecs._tags.get(definition["taskDefinitionArn"]) or []
        commands = [tag.get("value") for tag in tags if tag.get("key") == COMMAND_TAG]
        container = _main_container(definition, request)
        command = commands[0] if commands else None
        return TaskRun(record, definition, command, container, self._events.publish)

    def _submit(self, run: TaskRun) -> None:
        self._lane.submit(run, lambda: self._work(run))

    def _work(self, run: TaskRun) -> None:
        with self._lock:
            if run.stop_asked_at is None:
                run.pend()
        try:
            self._executions.execute(run)
        except Exception:
            log.exception("The task %s was lost", run.id)
            run.fail_to_start("Penstock Local failed; its own log says how")
        finally:
            self._open.pop(run.arn, None)


def _main_container(definition: Request, request: Request) -> int:
    """The container that the local command stands for.

    That is the one whose command is overridden, otherwise the first that is essential.
    """
    overrides = (request.get("overrides") or {}).get("containerOverrides") or []
    names = [one["name"] for one in definition["containerDefinitions"]]
    for override in overrides:
        if override.get("command"):
            return names.index(override["name"])
    essential = [bool(one.get("essential", True)) for one in definition["containerDefinitions"]]
    return essential.index(True) if True in essential else 0


def answer_of(tasks: list[Request]) -> Request:
    """What RunTask answers."""
    return {"tasks": [ecs._sanitize(task) for task in tasks], "failures": []}
