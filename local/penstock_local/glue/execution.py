"""Works one run from its start to its end, in a thread of its lane."""

from __future__ import annotations

from dataclasses import dataclass

from ministack.core.responses import get_account_id, get_region

from penstock_local.glue.job_run import JobRun, RunState
from penstock_local.glue.launch import Launch
from penstock_local.job_processes import processes
from penstock_local.job_processes.job_files import JobFiles, LaunchError
from penstock_local.job_processes.logs import LogFile, LogShipper
from penstock_local.job_processes.processes import Exit, Processes
from penstock_local.job_processes.role_session import RoleSession
from penstock_local.job_processes.run_folder import RunFolder
from penstock_local.runtimes.folder import RuntimeMissingError, Runtimes
from penstock_local.sessions import RoleRefusedError
from penstock_local.settings import LocalSettings

PRINCIPAL = "glue.amazonaws.com"
SESSION_NAME = "GlueJobRunnerSession"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended."""

    state: RunState
    message: str = ""


@dataclass(frozen=True, slots=True)
class Executions:
    """Works runs as processes of this machine."""

    settings: LocalSettings
    runtimes: Runtimes
    processes: Processes

    def execute(self, run: JobRun) -> Ending:
        """Work a run and clean up after it."""
        folder = RunFolder.make(self.processes.folder / run.id)
        try:
            return _Execution(self, run, folder).work()
        except (LaunchError, RuntimeMissingError, RoleRefusedError) as error:
            return Ending(RunState.FAILED, str(error))
        finally:
            folder.remove()


class _Execution:
    """One run at work: prepared, started and watched."""

    def __init__(self, all_of_them: Executions, run: JobRun, folder: RunFolder) -> None:
        self._all = all_of_them
        self._run = run
        self._folder = folder
        self._session = RoleSession.start(
            _role_arn(run.job["Role"]),
            SESSION_NAME,
            PRINCIPAL,
            get_region(),
            all_of_them.settings.endpoint,
        )
        group = run.record["LogGroupName"]
        files = [
            LogFile(folder.stdout, f"{group}/output", run.id),
            LogFile(folder.stderr, f"{group}/error", run.id),
        ]
        self._logs = LogShipper(self._session.client("logs"), files)

    def work(self) -> Ending:
        run, all_processes = self._run, self._all.processes
        try:
            command, environment = self._launch().prepare(all_processes.lifeline)
            process = all_processes.start(
                run, command, environment, lambda: run.enter(RunState.RUNNING)
            )
        except (LaunchError, RuntimeMissingError) as error:
            self._logs.say(str(error))
            raise
        seconds = run.timeout_minutes * processes.SECONDS_PER_MINUTE
        return self._ending(all_processes.watch(run, process, self._logs, seconds))

    def _launch(self) -> Launch:
        files = JobFiles(self._session.client("s3"), self._session.role, "LAUNCH ERROR | ")
        return Launch(
            run=self._run,
            folder=self._folder,
            session=self._session,
            files=files,
            local=self._all.settings,
            runtimes=self._all.runtimes,
            say=self._logs.say,
        )

    def _ending(self, ended: Exit) -> Ending:
        if self._run.stop_asked_at:
            return Ending(RunState.STOPPED)
        if ended.timed_out:
            minutes = self._run.timeout_minutes
            return Ending(RunState.TIMEOUT, f"The run exceeded its timeout of {minutes} minutes")
        if ended.status == 0:
            return Ending(RunState.SUCCEEDED)
        if self._folder.failure.is_file():
            return Ending(RunState.FAILED, self._folder.failure.read_text("utf-8"))
        return Ending(RunState.FAILED, f"Command failed with exit code {ended.code}")


def _role_arn(role: str) -> str:
    return role if role.startswith("arn:") else f"arn:aws:iam::{get_account_id()}:role/{role}"
