"""Works one task from its start to its end, in a thread of its lane."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from ministack.core.responses import get_region
from ministack.services import ecs

from penstock_local.ecs.launch import Launch
from penstock_local.ecs.task_run import TaskRun
from penstock_local.job_processes.clients import client
from penstock_local.job_processes.job_files import LaunchError
from penstock_local.job_processes.logs import LogFile, LogShipper
from penstock_local.job_processes.processes import Processes
from penstock_local.job_processes.run_folder import RunFolder
from penstock_local.settings import LocalSettings

log = logging.getLogger("penstock_local.ecs")

STOP_SECONDS = 30.0
"""How long a container may take to end when its definition does not say (stopTimeout)."""
_TAIL_BYTES = 2_000


@dataclass(frozen=True, slots=True)
class Executions:
    """Works tasks as processes of this machine."""

    settings: LocalSettings
    processes: Processes

    def execute(self, run: TaskRun) -> None:
        """Work a task and clean up after it; then the task knows how it ended."""
        folder = RunFolder.make(self.processes.folder / run.id)
        code, problem = None, ""
        try:
            code = self._work(run, Launch(run, folder, self.settings))
        except LaunchError as error:
            problem = str(error)
        finally:
            folder.remove()
        if code is None:
            run.fail_to_start(problem)
        else:
            run.exit(code)

    def _work(self, run: TaskRun, launch: Launch) -> int:
        """Its exit code. Raises LaunchError."""
        logs = _log_shipper(run, launch)
        command, environment = launch.prepare(self.processes.lifeline)
        process = self.processes.start(run, command, environment, run.run)
        grace = float(run.container_definition.get("stopTimeout") or STOP_SECONDS)
        ended = self.processes.watch(run, process, logs, grace=grace)
        if ended.code and logs.is_silent and not run.stop_asked_at:
            log.warning("The task %s failed: %s", run.id, _tail(launch.folder.stderr))
        return ended.code


def _log_shipper(run: TaskRun, launch: Launch) -> LogShipper:
    """To the log stream of the container's `awslogs` driver, in the execution role's name.

    Raises LaunchError when there is no such group or the role may not write to it.
    """
    place = ecs._awslogs_config(run.container_definition, run.id, run.id)
    if place is None:
        return LogShipper(None, [])
    problem = "ResourceInitializationError: failed to validate logger args:"
    session = launch.session("executionRoleArn")
    if session is None:
        raise LaunchError(f"{problem} the awslogs driver needs an execution role")
    region = place["region"] or get_region()
    files = [
        LogFile(path, place["group"], place["stream"], makes_group=place["create_group"])
        for path in (launch.folder.stdout, launch.folder.stderr)
    ]
    writer = client("logs", session.credentials, region, session.endpoint)
    logs = LogShipper(writer, files)
    try:
        logs.open()
    except (ClientError, BotoCoreError) as error:
        raise LaunchError(f"{problem} {error}") from error
    return logs


def _tail(path: Path) -> str:
    return path.read_bytes()[-_TAIL_BYTES:].decode("utf-8", "replace").strip()
