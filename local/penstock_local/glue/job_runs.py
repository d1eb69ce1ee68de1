"""All runs: asked for, admitted, worked in their lanes, retried, stopped."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Mapping
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import glue

from penstock_local.glue import arguments, events
from penstock_local.glue.execution import Ending, Executions
from penstock_local.glue.job_definition import is_python_shell
from penstock_local.glue.job_run import JobRun, RunState, new_record, next_attempt
from penstock_local.job_processes.lane import PYTHON_SHELL_SLOTS, SPARK, Lane

log = logging.getLogger("penstock_local.glue")


class ConcurrentRunsExceededError(Exception):
    """The job has as many open runs as it allows."""


class NotStoppableError(Exception):
    """The run has ended already."""


class JobRuns:
    """The runs of all jobs; their records lie in ministack's store, newest first."""

    def __init__(self, executions: Executions) -> None:
        self._executions = executions
        self._lock = threading.RLock()
        self._all: dict[str, JobRun] = {}
        self._open: dict[str, JobRun] = {}
        self._python_shell = Lane("Python shell jobs", PYTHON_SHELL_SLOTS)

    def start(self, job: dict[str, Any], request: Mapping[str, Any]) -> JobRun:
        """Admit a run and have it worked. Raises ConcurrentRunsExceededError."""
        with self._lock:
            record = new_record(job, "jr_" + secrets.token_hex(32), request)
            if request.get("JobRunId"):
                record["PreviousRunId"] = request["JobRunId"]
            run = JobRun(dict(job), record, arguments.of_run(job, record["Arguments"]))
            limit = job["ExecutionProperty"]["MaxConcurrentRuns"]
            is_full = self._open_runs(run) >= limit
            if is_full and not record["JobRunQueuingEnabled"]:
                raise ConcurrentRunsExceededError(f"Concurrent runs exceeded for {job['Name']}")
            self._submit(run)
            return run

    def find(self, job_name: str, run_id: str) -> JobRun | None:
        """A run of a job of the request's account and region."""
        run = self._all.get(run_id)
        key = (get_account_id(), get_region(), job_name)
        return run if run is not None and run.job_key == key else None

    def stop(self, run_id: str) -> None:
        """Have a run stopped. Raises NotStoppableError."""
        with self._lock:
            run = self._open.get(run_id)
            if run is None or run.stop_asked_at is not None:
                raise NotStoppableError("Job run cannot be stopped in its current state")
            was_waiting = self._lane(run).withdraw(run)
            if was_waiting:
                self._end(run, RunState.STOPPED)
            else:
                run.ask_to_stop()
        if was_waiting:
            events.emit(run)
        else:
            self._executions.processes.interrupt(run)

    def stop_all(self) -> None:
        """Stop every open run."""
        for run_id in list(self._open):
            try:
                self.stop(run_id)
            except NotStoppableError:
                continue

    def forget(self) -> None:
        """Stop every open run and forget all."""
        self.stop_all()
        self._all.clear()

    def _submit(self, run: JobRun) -> None:
        glue._job_runs.setdefault(run.job["Name"], []).insert(0, run.record)
        self._all[run.id] = self._open[run.id] = run
        self._lane(run).submit(run, lambda: self._work(run))

    def _work(self, run: JobRun) -> None:
        with self._lock:
            if run.stop_asked_at is None:
                run.enter(RunState.STARTING)
        ending = self._execute(run)
        with self._lock:
            if run.stop_asked_at is not None:
                ending = Ending(RunState.STOPPED)
            self._end(run, ending.state, ending.message)
            if ending.state is RunState.FAILED:
                self._retry(run)
        events.emit(run)

    def _execute(self, run: JobRun) -> Ending:
        try:
            return self._executions.execute(run)
        except Exception:
            log.exception("The run %s was lost", run.id)
            return Ending(RunState.FAILED, "Penstock Local failed; its own log says how")

    def _retry(self, failed: JobRun) -> None:
        """Start the next attempt, as a run of its own, if the job allows one more."""
        attempt = failed.record["Attempt"] + 1
        if attempt > failed.job["MaxRetries"]:
            return
        first = failed.id.split("_attempt_", maxsplit=1)[0]
        record = next_attempt(failed.record, f"{first}_attempt_{attempt}")
        self._submit(JobRun(failed.job, record, failed.arguments))

    def _end(self, run: JobRun, state: RunState, message: str = "") -> None:
        self._open.pop(run.id, None)
        run.end(state, message)

    def _open_runs(self, run: JobRun) -> int:
        return [one.job_key for one in self._open.values()].count(run.job_key)

    def _lane(self, run: JobRun) -> Lane:
        return self._python_shell if is_python_shell(run.job) else SPARK
