"""What ECS says on the default bus when a task changes."""

from __future__ import annotations

from typing import Any

from ministack.services import ecs

from penstock_local.ecs.task_run import TaskRun
from penstock_local.job_processes.status_events import StatusEvents, iso


class TaskEvents:
    """Publishes "ECS Task State Change", whose detail is the task."""

    def __init__(self) -> None:
        self._events = StatusEvents("aws.ecs", "ECS Task State Change")

    def publish(self, run: TaskRun) -> None:
        """Say how a task stands."""
        detail: dict[str, Any] = ecs._sanitize(run.record)
        times = {
            name: iso(value)
            for name, value in detail.items()
            if name.endswith("At") and isinstance(value, float)
        }
        self._events.publish(run.context, {**detail, **times}, [run.arn])
