"""Works one job run from its start to its end, in a thread of its lane."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ministack.core.responses import get_account_id, get_region

from penstock_local.emr_serverless import spark_submit, worker_sizes
from penstock_local.emr_serverless.job_run import JobRun, RunState
from penstock_local.emr_serverless.launch import Launch
from penstock_local.job_processes import processes
from penstock_local.job_processes.job_files import JobFiles, LaunchError
from penstock_local.job_processes.logs import LogFile, LogShipper
from penstock_local.job_processes.processes import Exit, Processes
from penstock_local.job_processes.role_session import RoleSession
from penstock_local.job_processes.run_folder import RunFolder
from penstock_local.runtimes.folder import RuntimeMissingError, Runtimes
from penstock_local.sessions import Credentials, RoleRefusedError
from penstock_local.settings import LocalSettings

PRINCIPAL = "emr-serverless.amazonaws.com"
LOG_GROUP = "/aws/emr-serverless"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job run ended, and what its workers used while it ran."""

    state: RunState
    details: str = ""
    used: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Executions:
    """Works job runs as processes of this machine."""

    settings: LocalSettings
    runtimes: Runtimes
    processes: Processes

    def execute(self, run: JobRun) -> Ending:
        """Work a job run and clean up after it."""
        folder = RunFolder.make(self.processes.folder / run.id)
        try:
            return _Execution(self, run, folder).work()
        except RoleRefusedError as error:
            return Ending(RunState.FAILED, f"Could not assume the execution role: {error}")
        except (LaunchError, RuntimeMissingError) as error:
            return Ending(RunState.FAILED, str(error))
        finally:
            folder.remove()


class _Execution:
    """One job run at work: prepared, started and watched."""

    def __init__(self, all_of_them: Executions, run: JobRun, folder: RunFolder) -> None:
        self._all = all_of_them
        self._run = run
        self._folder = folder
        endpoint = all_of_them.settings.endpoint
        role = run.record["executionRole"]
        self._session = RoleSession.start(role, run.id, PRINCIPAL, get_region(), endpoint)
        self._logs = self._log_shipper()

    def work(self) -> Ending:
        run, all_processes = self._run, self._all.processes
        try:
            settings = self._settings()
            used = worker_sizes.used(settings)
            command, environment = self._launch().prepare(settings, all_processes.lifeline)
            process = all_processes.start(
                run, command, environment, lambda: run.enter(RunState.RUNNING)
            )
        except (LaunchError, RuntimeMissingError) as error:
            self._logs.say(str(error))
            raise
        minutes = run.timeout_minutes
        seconds = minutes * processes.SECONDS_PER_MINUTE if minutes else None
        return self._ending(all_processes.watch(run, process, self._logs, seconds), used)

    def _settings(self) -> dict[str, str]:
        overrides = self._run.record.get("configurationOverrides") or {}
        submit = self._run.record["jobDriver"].get("sparkSubmit") or {}
        return spark_submit.settings_of(
            self._run.application.record.get("runtimeConfiguration") or [],
            overrides.get("applicationConfiguration") or [],
            parameters=submit.get("sparkSubmitParameters") or "",
        )

    def _launch(self) -> Launch:
        return Launch(
            run=self._run,
            folder=self._folder,
            session=self._session,
            files=JobFiles(self._session.client("s3"), self._session.role),
            local=self._all.settings,
            runtimes=self._all.runtimes,
            say=self._logs.say,
        )

    def _ending(self, ended: Exit, used: dict[str, float]) -> Ending:
        if self._run.stop_asked_at:
            return Ending(RunState.CANCELLED, "Job run was cancelled", used)
        if ended.timed_out:
            details = f"Job run exceeded its execution timeout of {self._run.timeout_minutes} min"
            return Ending(RunState.CANCELLED, details, used)
        if ended.status == 0:
            return Ending(RunState.SUCCESS, "", used)
        details = f"Job failed, please check complete logs. ExitCode: {ended.code}."
        if self._folder.failure.is_file():
            last = self._folder.failure.read_text("utf-8")
            details += f" Last few exceptions: {last}"
        return Ending(RunState.FAILED, details, used)

    def _log_shipper(self) -> LogShipper:
        """To CloudWatch as the job run or its application says, in the role's name.

        Without a word of that EMR Serverless keeps the logs itself. Here they lie in the log
        group that it has by default, whatever the role may do.
        """
        run = self._run
        place = _cloudwatch(run.record.get("configurationOverrides")) or _cloudwatch(
            run.application.record
        )
        client = self._session.client("logs") if place else self._own_client()
        stream = f"applications/{run.application.id}/jobs/{run.id}/SPARK_DRIVER"
        prefix = (place or {}).get("logStreamNamePrefix")
        group = (place or {}).get("logGroupName") or LOG_GROUP
        stream = f"{prefix}/{stream}" if prefix else stream
        files = [
            LogFile(self._folder.stdout, group, f"{stream}/stdout"),
            LogFile(self._folder.stderr, group, f"{stream}/stderr"),
        ]
        return LogShipper(client, files)

    def _own_client(self) -> Any:
        """A client of the account itself: its id is an access key of its root here."""
        root = Credentials(get_account_id(), "test", "")
        return RoleSession("root", root, get_region(), self._all.settings.endpoint).client("logs")


def _cloudwatch(settings: Any) -> dict[str, Any] | None:
    monitoring = (settings or {}).get("monitoringConfiguration") or {}
    place: dict[str, Any] = monitoring.get("cloudWatchLoggingConfiguration") or {}
    return place if place.get("enabled") else None
