"""One job run: the record that GetJobRun answers, and its way from state to state."""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from penstock_local.emr_serverless.application import Application


class RunState(StrEnum):
    """EMR Serverless' words for where a job run stands."""

    SUBMITTED = "SUBMITTED"
    QUEUED = "QUEUED"
    PENDING = "PENDING"
    SCHEDULED = "SCHEDULED"
    RUNNING = "RUNNING"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    CANCELLING = "CANCELLING"
    CANCELLED = "CANCELLED"


ENDS = (RunState.SUCCESS, RunState.FAILED, RunState.CANCELLED)
DEFAULT_TIMEOUT_MINUTES = 720
LONGEST_DETAILS = 256

_SUMMARY = (
    "applicationId", "name", "mode", "arn", "createdBy", "createdAt", "updatedAt", "executionRole",
    "state", "stateDetails", "releaseLabel", "attempt", "attemptCreatedAt", "attemptUpdatedAt",
)  # fmt: skip


@dataclass(eq=False)
class JobRun:
    """A job run and what was asked for; `publish` hears of every change of its state.

    `context` carries the account and the region of the request into the thread of the run.
    """

    application: Application
    record: dict[str, Any]
    request: Mapping[str, Any]
    publish: Callable[[JobRun, RunState], None]
    context: contextvars.Context = field(default_factory=contextvars.copy_context)
    stop_asked_at: float | None = None
    running_since: float | None = None

    @property
    def id(self) -> str:
        """Its jobRunId."""
        return str(self.record["jobRunId"])

    @property
    def state(self) -> RunState:
        """Where it stands."""
        return RunState(self.record["state"])

    @property
    def group(self) -> Hashable:
        """What shares the limit of concurrent runs: those of its application."""
        return (*self.application.scope, self.application.id)

    @property
    def group_limit(self) -> int:
        """How many runs of its application work at once."""
        return self.application.concurrent_runs

    @property
    def timeout_minutes(self) -> int:
        """After how many minutes of work it is cancelled; 0 is never."""
        return int(self.record["executionTimeoutMinutes"])

    @property
    def may_be_tried_again(self) -> bool:
        """Whether its retry policy has an attempt left, and nobody wants it to end."""
        most = int((self.record.get("retryPolicy") or {}).get("maxAttempts", 1))
        return self.stop_asked_at is None and int(self.record["attempt"]) < most

    @property
    def summary(self) -> dict[str, Any]:
        """What ListJobRuns answers of it."""
        known = {name: self.record[name] for name in _SUMMARY if name in self.record}
        return {"id": self.id, "type": "Spark", **known}

    def wait_for_slot(self, slots: str | None) -> None:
        """Wait for a slot of this machine, or until the application has fewer runs at work."""
        queued = f"{self.group_limit} job runs of the application are at work"
        self.enter(RunState.PENDING if slots else RunState.QUEUED, slots or queued)

    def enter(self, state: RunState, details: str = "", **more: Any) -> None:
        """Go to a state, and say so."""
        before, now = self.state, time.time()
        if state is RunState.RUNNING and self.running_since is None:
            self.running_since = time.monotonic()
            more["startedAt"] = now
        # All at once: whoever reads the state reads what belongs to it as well.
        self.record.update(
            state=str(state),
            stateDetails=details[:LONGEST_DETAILS],
            updatedAt=now,
            attemptUpdatedAt=now,
            **more,
        )
        if state is not before:
            self.publish(self, before)

    def ask_to_stop(self) -> None:
        """Say that it is to end; whoever works it sees to that."""
        self.stop_asked_at = time.monotonic()
        self.enter(RunState.CANCELLING, "Job run is being cancelled")

    def end(self, state: RunState, details: str, used: Mapping[str, float]) -> None:
        """Go to its last state; `used` are its vCPU, memory and disk (GB) while it ran."""
        seconds = 0.0 if self.running_since is None else time.monotonic() - self.running_since
        hours = {name: round(size * seconds / 3600, 6) for name, size in used.items()}
        self.enter(
            state,
            details,
            endedAt=time.time(),
            totalExecutionDurationSeconds=round(seconds),
            totalResourceUtilization=hours,
            billedResourceUtilization=hours,
        )


def new_record(
    application: Application, run_id: str, request: Mapping[str, Any], created_by: str
) -> dict[str, Any]:
    """The record of a job run that has just been asked for."""
    now = time.time()
    given = ("name", "jobDriver", "configurationOverrides", "executionIamPolicy", "retryPolicy")
    timeout = request.get("executionTimeoutMinutes")
    return {
        "applicationId": application.id,
        "jobRunId": run_id,
        "arn": f"{application.record['arn']}/jobruns/{run_id}",
        "createdBy": created_by,
        "createdAt": now,
        "updatedAt": now,
        "executionRole": request["executionRoleArn"],
        "state": str(RunState.SUBMITTED),
        "stateDetails": "",
        "releaseLabel": application.record["releaseLabel"],
        "tags": request.get("tags") or {},
        "mode": request.get("mode") or "BATCH",
        "executionTimeoutMinutes": DEFAULT_TIMEOUT_MINUTES if timeout is None else timeout,
        "attempt": 1,
        "attemptCreatedAt": now,
        "attemptUpdatedAt": now,
        **{name: request[name] for name in given if request.get(name) is not None},
    }
