"""Works one run from its start to its end, in a thread of its lane."""

from __future__ import annotations

import shutil
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ministack.core.responses import get_account_id, get_region

from penstock_local.glue.clients import client
from penstock_local.glue.job_files import JobFiles, LaunchError
from penstock_local.glue.job_run import JobRun, RunState
from penstock_local.glue.launch import Launch, RoleSession
from penstock_local.glue.logs import LogShipper
from penstock_local.glue.process import JobProcess, Lifeline
from penstock_local.glue.run_folder import RunFolder
from penstock_local.runtimes.folder import RuntimeMissingError, Runtimes
from penstock_local.sessions import RoleRefusedError, role_session
from penstock_local.settings import LocalSettings

SECONDS_PER_MINUTE = 60.0
# How often a working run is looked at: its output sent on, its end or its time limit noticed.
TICK = 0.25
# How long a process that was asked to end may take before it is killed.
GRACE = 3.0

PRINCIPAL = "glue.amazonaws.com"
SESSION_NAME = "GlueJobRunnerSession"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended."""

    state: RunState
    message: str = ""


@dataclass(eq=False)
class Executions:
    """Works runs; knows the processes that are alive, so that none outlives the platform."""

    settings: LocalSettings
    runtimes: Runtimes
    lifeline: Lifeline = field(default_factory=Lifeline)

    def __post_init__(self) -> None:
        self._processes: dict[JobRun, JobProcess] = {}
        self._starting = threading.Lock()
        self._closed = False

    @property
    def folder(self) -> Path:
        """Below which every run has its folder."""
        return self.settings.home / "glue"

    def execute(self, run: JobRun) -> Ending:
        """Work a run and clean up after it."""
        folder = RunFolder.make(self.folder / run.id)
        try:
            return _Execution(self, run, folder).work()
        except (LaunchError, RuntimeMissingError, RoleRefusedError) as error:
            return Ending(RunState.FAILED, str(error))
        finally:
            folder.remove()

    def start(self, run: JobRun, command: list[str], environment: dict[str, str]) -> JobProcess:
        """Start the process of a run. Raises LaunchError when the run is not to be any more."""
        with self._starting:
            if self._closed or run.stop_asked_at:
                raise LaunchError("The run was stopped before it started")
            folder = self.folder / run.id
            process = JobProcess(command, environment, folder, self.lifeline)
            self._processes[run] = process
            if run.stop_asked_at is None:
                run.enter(RunState.RUNNING)
            return process

    def ended(self, run: JobRun) -> None:
        """Forget the process of a run."""
        self._processes.pop(run, None)

    def interrupt(self, run: JobRun) -> None:
        """Interrupt the process of a run; if there is none yet, it will not be started."""
        with self._starting:
            process = self._processes.get(run)
        if process:
            process.interrupt()

    def close(self) -> None:
        """Kill every process and remove every folder; nothing is started after that."""
        with self._starting:
            self._closed = True
            for process in list(self._processes.values()):
                process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class _Execution:
    """One run at work: prepared, started and watched."""

    def __init__(self, all_of_them: Executions, run: JobRun, folder: RunFolder) -> None:
        self._all = all_of_them
        self._run = run
        self._folder = folder
        role = _role_arn(run.job["Role"])
        credentials = role_session(role, SESSION_NAME, PRINCIPAL)
        self._session = RoleSession(role, credentials, get_region())
        group = run.record["LogGroupName"]
        self._logs = LogShipper(self._client("logs"), group, run.id, folder.root)

    def work(self) -> Ending:
        try:
            command, environment = self._launch().prepare(self._all.lifeline)
            process = self._all.start(self._run, command, environment)
        except (LaunchError, RuntimeMissingError) as error:
            self._logs.say(str(error))
            raise
        try:
            return self._watch(process)
        finally:
            process.kill()
            self._all.ended(self._run)
            self._logs.close()

    def _launch(self) -> Launch:
        return Launch(
            run=self._run,
            folder=self._folder,
            session=self._session,
            files=JobFiles(self._client("s3"), self._session.role),
            local=self._all.settings,
            runtimes=self._all.runtimes,
            say=self._logs.say,
        )

    def _watch(self, process: JobProcess) -> Ending:
        minutes = self._run.timeout_minutes
        deadline = time.monotonic() + minutes * SECONDS_PER_MINUTE
        timed_out = False
        while (status := process.wait(TICK)) is None:
            self._logs.ship()
            now = time.monotonic()
            if not timed_out and now >= deadline:
                timed_out = True
                process.interrupt()
            asked = deadline if timed_out else self._run.stop_asked_at
            if asked and now >= asked + GRACE:
                process.kill()
        return self._ending(status, minutes if timed_out else None)

    def _ending(self, status: int, timeout: int | None) -> Ending:
        if self._run.stop_asked_at:
            return Ending(RunState.STOPPED)
        if timeout:
            return Ending(RunState.TIMEOUT, f"The run exceeded its timeout of {timeout} minutes")
        if status == 0:
            return Ending(RunState.SUCCEEDED)
        if self._folder.failure.is_file():
            return Ending(RunState.FAILED, self._folder.failure.read_text("utf-8"))
        # A process that a signal ended has the shell's status for it, as on AWS.
        return Ending(
            RunState.FAILED,
            f"Command failed with exit code {status if status > 0 else 128 - status}",
        )

    def _client(self, service: str) -> Any:
        session, endpoint = self._session, self._all.settings.endpoint
        return client(service, session.credentials, session.region, endpoint)


def _role_arn(role: str) -> str:
    return role if role.startswith("arn:") else f"arn:aws:iam::{get_account_id()}:role/{role}"
