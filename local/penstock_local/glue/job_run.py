"""One run of a job: the record that GetJobRun answers, and its way from state to state."""

from __future__ import annotations

import contextvars
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ministack.core.responses import get_account_id, get_region

from penstock_local.glue.job_definition import is_python_shell


class RunState(StrEnum):
    """Glue's words for where a run stands."""

    WAITING = "WAITING"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMEOUT = "TIMEOUT"


# DPU of one worker.
WORKER_CAPACITY = {
    "G.025X": 0.25,
    "G.1X": 1.0,
    "G.2X": 2.0,
    "G.4X": 4.0,
    "G.8X": 8.0,
    "G.12X": 12.0,
    "G.16X": 16.0,
    "R.1X": 1.0,
    "R.2X": 2.0,
    "R.4X": 4.0,
    "R.8X": 8.0,
    "Z.2X": 2.0,
    "Standard": 1.0,
}


@dataclass(eq=False)
class JobRun:
    """A run, its job as it was when the run was asked for, and what the run was given.

    `context` carries the account and the region of the request into the thread of the run;
    `scope` names them.
    """

    job: dict[str, Any]
    record: dict[str, Any]
    arguments: dict[str, str]
    context: contextvars.Context = field(default_factory=contextvars.copy_context)
    scope: tuple[str, str] = field(default_factory=lambda: (get_account_id(), get_region()))
    stop_asked_at: float | None = None
    running_since: float | None = None

    @property
    def id(self) -> str:
        """Its JobRunId."""
        return str(self.record["Id"])

    @property
    def group(self) -> tuple[str, ...]:
        """What shares the limit of concurrent runs: the runs of its job."""
        return self.job_key

    @property
    def group_limit(self) -> int:
        """How many runs of its job work at once."""
        return int(self.job["ExecutionProperty"]["MaxConcurrentRuns"])

    @property
    def job_key(self) -> tuple[str, ...]:
        """Its job, of which another account or region may have one of the same name."""
        return (*self.scope, str(self.job["Name"]))

    @property
    def state(self) -> RunState:
        """Where it stands."""
        return RunState(self.record["JobRunState"])

    @property
    def timeout_minutes(self) -> int:
        """After how many minutes of work it is stopped."""
        return int(self.record["Timeout"])

    def enter(self, state: RunState, detail: str = "") -> None:
        """Go to a state in which it has not ended, for a reason that can be told."""
        self.record.pop("StateDetail", None)
        told = {"StateDetail": detail} if detail else {}
        self.record.update(JobRunState=str(state), LastModifiedOn=time.time(), **told)
        if state is RunState.RUNNING:
            self.running_since = time.monotonic()

    def wait_for_slot(self, slots: str | None) -> None:
        """Wait for a slot of this machine, or until fewer runs of its job work."""
        self.enter(RunState.WAITING, slots or f"Concurrent runs exceeded for {self.job['Name']}")

    def ask_to_stop(self) -> None:
        """Say that it is to end; whoever works it sees to that."""
        self.stop_asked_at = time.monotonic()
        self.enter(RunState.STOPPING)

    def end(self, state: RunState, message: str = "") -> None:
        """Go to its last state, with what GetJobRun tells of an ended run."""
        self.record.pop("StateDetail", None)
        now, since = time.time(), self.running_since
        seconds = 0 if since is None else max(1, round(time.monotonic() - since))
        details: dict[str, Any] = {"ExecutionTime": seconds, "CompletedOn": now}
        if message:
            details["ErrorMessage"] = message
        if self.record.get("ExecutionClass") == "FLEX" or self._scales_itself():
            details["DPUSeconds"] = float(seconds * self.record["MaxCapacity"])
        # All at once: whoever reads that the run has ended reads the details as well.
        self.record.update(JobRunState=str(state), LastModifiedOn=now, **details)

    def _scales_itself(self) -> bool:
        return self.arguments.get("--enable-auto-scaling") == "true"


def new_record(job: Mapping[str, Any], run_id: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a run that has just been asked for."""
    now = time.time()
    record: dict[str, Any] = {
        "Id": run_id,
        "Attempt": 0,
        "JobName": job["Name"],
        "JobMode": job.get("JobMode", "SCRIPT"),
        "JobRunQueuingEnabled": bool(_either(request, job, "JobRunQueuingEnabled")),
        "StartedOn": now,
        "LastModifiedOn": now,
        "JobRunState": str(RunState.STARTING),
        "Arguments": dict(request.get("Arguments") or {}),
        "PredecessorRuns": [],
        "ExecutionTime": 0,
        "Timeout": _either(request, job, "Timeout"),
        "LogGroupName": log_group(job),
        **_capacity(job, request),
    }
    for name in ("GlueVersion", "ExecutionClass", "SecurityConfiguration", "NotificationProperty"):
        value = _either(request, job, name)
        if value:
            record[name] = value
    return record


def next_attempt(failed: Mapping[str, Any], run_id: str) -> dict[str, Any]:
    """The record of the run that follows a failed one."""
    ended = ("CompletedOn", "ErrorMessage", "DPUSeconds")
    now = time.time()
    return {
        **{name: value for name, value in failed.items() if name not in ended},
        "Id": run_id,
        "Attempt": failed["Attempt"] + 1,
        "PreviousRunId": failed["Id"],
        "StartedOn": now,
        "LastModifiedOn": now,
        "JobRunState": str(RunState.STARTING),
        "ExecutionTime": 0,
    }


def log_group(job: Mapping[str, Any]) -> str:
    """The log group of a job, without the `/output` or `/error` that Glue adds."""
    return "/aws-glue/python-jobs" if is_python_shell(job) else "/aws-glue/jobs"


def _capacity(job: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """The DPU of a run, from its workers where it has some."""
    worker = None if request.get("MaxCapacity") else _either(request, job, "WorkerType")
    if worker and not is_python_shell(job):
        count = int(_either(request, job, "NumberOfWorkers") or 10)
        capacity = WORKER_CAPACITY.get(worker, 1.0) * count
        workers = {"WorkerType": worker, "NumberOfWorkers": count}
    else:
        capacity, workers = float(_either(request, job, "MaxCapacity") or 10.0), {}
    return {**workers, "MaxCapacity": capacity, "AllocatedCapacity": int(capacity)}


def _either(request: Mapping[str, Any], job: Mapping[str, Any], name: str) -> Any:
    value = request.get(name)
    return job.get(name) if value is None else value
