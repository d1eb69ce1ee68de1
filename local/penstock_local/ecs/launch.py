"""What the process of a task is started with: the local command, its arguments, environment."""

from __future__ import annotations

import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from ministack.core.responses import get_account_id, get_region
from ministack.services import ecs

from penstock_local.ecs.task_run import TaskRun
from penstock_local.job_processes.job_files import JobFiles, LaunchError
from penstock_local.job_processes.process import Lifeline
from penstock_local.job_processes.role_session import RoleSession, place
from penstock_local.job_processes.run_folder import RunFolder
from penstock_local.sessions import Credentials, RoleRefusedError
from penstock_local.settings import LocalSettings

COMMAND_TAG = "penstock:local-command"
PRINCIPAL = "ecs-tasks.amazonaws.com"


@dataclass(frozen=True)
class Launch:
    """Prepares the start of one task."""

    run: TaskRun
    folder: RunFolder
    local: LocalSettings

    def prepare(self, lifeline: Lifeline) -> tuple[list[str], dict[str, str]]:
        """The command and the environment of the process. Raises LaunchError."""
        environment = self._environment()
        command = self._command(environment["PATH"])
        guard = [sys.executable, "-m", "penstock_boot.guard", str(lifeline.reader)]
        return [*guard, *command], environment

    def session(self, kind: str) -> RoleSession | None:
        """A session of the `taskRoleArn` or `executionRoleArn`, where the task has one."""
        role = self.run.role(kind)
        if role is None:
            return None
        try:
            return RoleSession.start(
                role, self.run.id, PRINCIPAL, get_region(), self.local.endpoint
            )
        except RoleRefusedError as error:
            raise LaunchError(
                f"ECS was unable to assume the role '{role}' that was provided for this task: "
                f"{error}"
            ) from error

    def _command(self, path: str) -> list[str]:
        """The command of the tag, and the container's own command as its arguments."""
        if not self.run.command:
            family = self.run.definition["family"]
            raise LaunchError(
                "CannotPullContainerError: Penstock Local runs no containers: give the task "
                f"definition {family} the tag {COMMAND_TAG}, like 'python jobs/load.py'"
            )
        try:
            program, *words = shlex.split(self.run.command)
        except ValueError as error:
            raise LaunchError(f"CannotStartContainerError: {COMMAND_TAG}: {error}") from error
        found = shutil.which(self._located(program) if "/" in program else program, path=path)
        if found is None:
            raise LaunchError(f"CannotStartContainerError: there is no command {program}")
        own = self.run.override.get("command") or self.run.container_definition.get("command")
        return [found, *map(self._located, words), *map(str, own or [])]

    def _located(self, word: str) -> str:
        """A file of S3, fetched; a file of the folder that Penstock Local was started in."""
        if word.startswith("s3://"):
            # It stands for the image, which no role of the task has to read.
            root = Credentials(get_account_id(), "test", "")
            s3 = RoleSession("root", root, get_region(), self.local.endpoint).client("s3")
            return str(JobFiles(s3, "root").fetch(word, self.folder.script, "local command's file"))
        file = Path(word)
        # Not resolved: what a link of a virtual environment points to is another Python.
        return str(file.absolute()) if file.is_file() else word

    def _environment(self) -> dict[str, str]:
        session, endpoint = self.session("taskRoleArn"), self.local.endpoint
        definition = self.run.container_definition
        try:
            secrets = ecs._resolve_container_secrets(definition)
        except ecs._SecretResolutionError as error:
            raise LaunchError(f"ResourceInitializationError: {error}") from error
        given = [*definition.get("environment", []), *self.run.override.get("environment", [])]
        return {
            **self.folder.environment(Path(sys.executable), []),
            **(session.environment() if session else place(get_region(), endpoint)),
            "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
            **secrets,
            **{one["name"]: str(one["value"]) for one in given},
        }
