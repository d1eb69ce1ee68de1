"""All job runs: asked for, worked in the lane of Spark, tried again, cancelled."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any

from ministack.core.responses import get_account_id, get_region

from penstock_local.api_error import ApiError, validation
from penstock_local.emr_serverless.application import Application, new_id
from penstock_local.emr_serverless.events import JobRunEvents
from penstock_local.emr_serverless.execution import Ending, Executions
from penstock_local.emr_serverless.job_run import ENDS, JobRun, RunState, new_record
from penstock_local.job_processes.lane import SPARK

log = logging.getLogger("penstock_local.emr_serverless")

_Token = tuple[str, str, str, str]


class JobRuns:
    """The job runs of all applications, in the order in which they were asked for."""

    def __init__(self, executions: Executions) -> None:
        self._executions = executions
        self._events = JobRunEvents()
        self._lock = threading.RLock()
        self._all: dict[str, JobRun] = {}
        self._tokens: dict[_Token, JobRun] = {}

    def start(
        self, application: Application, request: Mapping[str, Any], created_by: str
    ) -> JobRun:
        """Start a job run; the same one for a client token that was seen before.

        Raises ConflictException when that token came with another request, ValidationException
        when the application takes no job runs.
        """
        token = (get_account_id(), get_region(), application.id, request["clientToken"])
        with self._lock:
            known = self._tokens.get(token)
            if known is not None:
                if known.request != request:
                    message = "The client token was used for another request"
                    raise ApiError("ConflictException", message, status=409)
                return known
            application.admit_job_run()
            record = new_record(application, new_id(), request, created_by)
            run = JobRun(application, record, request, self._events.publish)
            self._all[run.id] = self._tokens[token] = run
            SPARK.submit(run, lambda: self._work(run))
            return run

    def get(self, application: Application, run_id: str) -> JobRun:
        """A job run of an application. Raises ResourceNotFoundException."""
        run = self._all.get(run_id)
        if run is None or run.application is not application:
            message = f"Job run {run_id} does not exist in the application {application.id}"
            raise ApiError("ResourceNotFoundException", message, status=404)
        return run

    def of(self, application: Application) -> list[JobRun]:
        """The job runs of an application, the newest first."""
        return [run for run in reversed(list(self._all.values())) if run.application is application]

    def is_at_work(self, application: Application) -> bool:
        """Whether an application has a job run that has not ended."""
        return any(run.state not in ENDS for run in self.of(application))

    def cancel(self, run: JobRun) -> None:
        """Have a job run end. Raises ValidationException when it has ended already."""
        with self._lock:
            if run.state in ENDS:
                raise validation(f"Job run {run.id} is {run.state}: it cannot be cancelled")
            if run.stop_asked_at is not None:
                return
            was_waiting = SPARK.withdraw(run)
            run.ask_to_stop()
            if was_waiting:
                run.end(RunState.CANCELLED, "Job run was cancelled", {})
                return
        self._executions.processes.interrupt(run)

    def forget(self) -> None:
        """Cancel every open job run and forget all."""
        with self._lock:
            for run in self._all.values():
                if run.state not in ENDS:
                    self.cancel(run)
            self._all.clear()
            self._tokens.clear()

    def _work(self, run: JobRun) -> None:
        ending = self._execute(run)
        while ending.state is RunState.FAILED and run.may_be_tried_again:
            run.record["attempt"] += 1
            ending = self._execute(run)
        with self._lock:
            if run.stop_asked_at is not None:
                ending = Ending(RunState.CANCELLED, "Job run was cancelled", ending.used)
            run.end(ending.state, ending.details, ending.used)

    def _execute(self, run: JobRun) -> Ending:
        with self._lock:
            if run.stop_asked_at is None:
                run.enter(RunState.SCHEDULED)
        try:
            return self._executions.execute(run)
        except Exception:
            log.exception("The job run %s was lost", run.id)
            return Ending(RunState.FAILED, "Penstock Local failed; its own log says how")
