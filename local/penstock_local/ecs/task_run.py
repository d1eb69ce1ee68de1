"""One task: the record that DescribeTasks answers, and its way from state to state."""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ministack.core.concurrency import resource_lock
from ministack.services import ecs


class TaskStatus(StrEnum):
    """ECS' words for where a task stands, those of which it says something on the bus."""

    PROVISIONING = "PROVISIONING"
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    DEPROVISIONING = "DEPROVISIONING"
    STOPPED = "STOPPED"


NOT_STARTED = "TaskFailedToStart"
STOPPED_BY_USER = "UserInitiated"
CONTAINER_EXITED = "EssentialContainerExited"


# What a task that has just been asked for does not tell.
_UNTOLD = (
    "startedAt", "pullStartedAt", "pullStoppedAt", "connectivity", "connectivityAt", "stopCode",
    "stoppedReason", "capacityProviderName",
)  # fmt: skip


@dataclass(eq=False)
class TaskRun:
    """A task; `record` is ministack's, `container` the number of the one that is run.

    `publish` hears of every change. `context` carries the account and the region of the request
    into the thread of the task.
    """

    record: dict[str, Any]
    definition: dict[str, Any]
    command: str | None
    container: int
    publish: Callable[[TaskRun], None]
    context: contextvars.Context = field(default_factory=contextvars.copy_context)
    stop_asked_at: float | None = None

    def __post_init__(self) -> None:
        now = time.time()
        never = dict.fromkeys(_UNTOLD)
        self.record.update(never, createdAt=now, lastStatus=str(TaskStatus.PROVISIONING))
        if self.record.get("launchType") == "FARGATE":
            self.record["containerInstanceArn"] = None
        for container in self.record["containers"]:
            container.update(lastStatus=str(TaskStatus.PENDING), runtimeId=None)
        self.publish(self)

    @property
    def arn(self) -> str:
        """Its ARN."""
        return str(self.record["taskArn"])

    @property
    def id(self) -> str:
        """The last part of its ARN."""
        return self.arn.rsplit("/", 1)[-1]

    @property
    def group(self) -> Hashable:
        """Every task is its own group: a cluster on Fargate has no limit."""
        return self.arn

    @property
    def group_limit(self) -> int:
        """One of itself."""
        return 1

    @property
    def is_stopped(self) -> bool:
        """Whether it has ended."""
        return bool(self.record["lastStatus"] == TaskStatus.STOPPED)

    @property
    def container_definition(self) -> dict[str, Any]:
        """The definition of the container that is run."""
        definition: dict[str, Any] = self.definition["containerDefinitions"][self.container]
        return definition

    @property
    def override(self) -> dict[str, Any]:
        """What the request says of that container."""
        overrides = (self.record["overrides"] or {}).get("containerOverrides") or []
        name = self.container_definition["name"]
        return next((one for one in overrides if one.get("name") == name), {})

    def role(self, kind: str) -> str | None:
        """The task's `taskRoleArn` or `executionRoleArn`, where it has one."""
        return (self.record["overrides"] or {}).get(kind) or self.definition.get(kind) or None

    def wait_for_slot(self, _slots: str | None) -> None:
        """Wait for a slot of this machine: it stays in PROVISIONING, as without capacity."""

    def pend(self) -> None:
        """Be taken up."""
        self._enter(TaskStatus.PENDING, pullStartedAt=time.time())

    def run(self) -> None:
        """Have a process."""
        now = time.time()
        for container in self.record["containers"]:
            container["lastStatus"] = str(TaskStatus.RUNNING)
        connected = {"connectivity": "CONNECTED", "connectivityAt": now}
        self._enter(TaskStatus.RUNNING, pullStoppedAt=now, startedAt=now, **connected)

    def ask_to_stop(self, reason: str) -> None:
        """Say that it is to end; whoever works it sees to that."""
        self.stop_asked_at = time.monotonic()
        self._change(
            desiredStatus=str(TaskStatus.STOPPED),
            stoppingAt=time.time(),
            stoppedReason=reason,
            stopCode=STOPPED_BY_USER,
        )

    def fail_to_start(self, reason: str) -> None:
        """End without a container that ran."""
        self._end(reason, NOT_STARTED)

    def exit(self, code: int) -> None:
        """End with the exit code of the container that ran; the others were not run."""
        for number, container in enumerate(self.record["containers"]):
            container["exitCode"] = code if number == self.container else 0
        self._end("Essential container in task exited", CONTAINER_EXITED)

    def end_unstarted(self) -> None:
        """End before there was a process."""
        self._end("", STOPPED_BY_USER)

    def _end(self, reason: str, code: str) -> None:
        """Go the last way; a reason that was there before stays."""
        now = time.time()
        if not self.record["stopCode"]:
            self.record.update(stoppedReason=reason, stopCode=code)
        for container in self.record["containers"]:
            container["lastStatus"] = str(TaskStatus.STOPPED)
        self.record["stoppingAt"] = self.record["stoppingAt"] or now
        self._enter(
            TaskStatus.DEPROVISIONING,
            desiredStatus=str(TaskStatus.STOPPED),
            executionStoppedAt=now,
        )
        self._enter(TaskStatus.STOPPED, stoppedAt=now)

    def _enter(self, status: TaskStatus, **more: Any) -> None:
        self._change(lastStatus=str(status), **more)

    def _change(self, **changed: Any) -> None:
        """Change the record at once, as the actions that read it expect, and say so."""
        with resource_lock("ecs-task", self.arn):
            self.record.update(changed)
            ecs._bump_task_version(self.record)
        self.publish(self)
