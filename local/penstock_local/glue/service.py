"""The actions of the Glue API that have to do with jobs, in the place of ministack's."""

from __future__ import annotations

import atexit
import inspect
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import eventbridge, glue

from penstock_local import pins
from penstock_local.glue import job_definition
from penstock_local.glue.execution import Executions
from penstock_local.glue.job_definition import InvalidJobError
from penstock_local.glue.job_runs import ConcurrentRunsExceededError, JobRuns, NotStoppableError
from penstock_local.job_processes.processes import Processes
from penstock_local.late_import import after_import
from penstock_local.runtimes.folder import Runtimes
from penstock_local.settings import LocalSettings

PROVISIONERS = "ministack.services.cloudformation.provisioners"
PAGE = 200

Request = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]


def install(settings: LocalSettings) -> None:
    """Replace ministack's jobs and job runs; every process ends with this one."""
    processes = Processes(settings.home / "glue")
    atexit.register(processes.close)
    executions = Executions(settings, Runtimes(settings.runtimes), processes)
    jobs = GlueJobs(JobRuns(executions))
    put_events = inspect.signature(eventbridge._put_events)
    pins.require("allow_aws_source" in put_events.parameters, "eventbridge._put_events")
    for name, action in (
        ("_create_job", jobs.create_job),
        ("_update_job", jobs.update_job),
        ("_start_job_run", jobs.start_job_run),
        ("_get_job_run", jobs.get_job_run),
        ("_get_job_runs", jobs.get_job_runs),
        ("_batch_stop_job_run", jobs.batch_stop_job_run),
    ):
        pins.replace(glue, name, _answered(action))
    original_reset = pins.replace(glue, "reset", None)

    def reset() -> None:
        jobs.runs.forget()
        original_reset()

    glue.reset = reset
    after_import(PROVISIONERS, _keep_all_properties)


def _keep_all_properties(provisioners: ModuleType) -> None:
    """Let CloudFormation hand over every property of a job, and none that is not in the template.

    The defaults of ministack would say, for a property that an update drops, what Glue does not.
    """
    properties = provisioners._GLUE_JOB_DEFAULTS
    pins.require(isinstance(properties, dict), "provisioners._GLUE_JOB_DEFAULTS")
    properties.update(dict.fromkeys(job_definition.FIELDS))


class GlueError(Exception):
    """An error of the API: its code and its message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def _answered(action: Callable[[Request], Request]) -> Callable[[Request], Answer]:
    """The action as ministack calls it, with errors in Glue's form."""

    def answer(request: Request) -> Answer:
        try:
            answered: Answer = json_response(action(request))
        except GlueError as error:
            answered = error_response_json(error.code, str(error), 400)
        except InvalidJobError as error:
            answered = error_response_json("InvalidInputException", str(error), 400)
        return answered

    return answer


class GlueJobs:
    """The actions; each takes a request's members and returns those of the answer."""

    def __init__(self, runs: JobRuns) -> None:
        self.runs = runs

    def create_job(self, request: Request) -> Request:
        name = request.get("Name")
        if not name:
            raise InvalidJobError("Name is required")
        if name in glue._jobs:
            raise GlueError("AlreadyExistsException", f"Job {name} already exists.")
        job = job_definition.define(name, request)
        job["CreatedOn"] = job["LastModifiedOn"]
        glue._jobs[name] = job
        glue._job_runs[name] = []
        if request.get("Tags"):
            glue._tags.setdefault(glue._arn("job", name), {}).update(request["Tags"])
        return {"Name": name}

    def update_job(self, request: Request) -> Request:
        # The new definition takes the place of the whole old one, as on AWS.
        old = _job(request)
        job = job_definition.define(old["Name"], request.get("JobUpdate") or {})
        job["CreatedOn"] = old.get("CreatedOn", time.time())
        glue._jobs[old["Name"]] = job
        return {"JobName": old["Name"]}

    def start_job_run(self, request: Request) -> Request:
        job = _job(request)
        _check_arguments(request.get("Arguments") or {})
        if "MaxCapacity" in request and "WorkerType" in request:
            raise InvalidJobError(
                "Please do not set Max Capacity if using Worker Type and Number of Workers."
            )
        try:
            run = self.runs.start(job, request)
        except ConcurrentRunsExceededError as error:
            raise GlueError("ConcurrentRunsExceededException", str(error)) from error
        return {"JobRunId": run.id}

    def get_job_run(self, request: Request) -> Request:
        run_id = str(request.get("RunId"))
        run = self.runs.find(_job(request)["Name"], run_id)
        if run is None:
            raise GlueError("EntityNotFoundException", f"Job Run {run_id} not found.")
        return {"JobRun": dict(run.record)}

    def get_job_runs(self, request: Request) -> Request:
        records = list(glue._job_runs.get(_job(request)["Name"]) or [])
        start = int(request.get("NextToken") or 0)
        end = start + min(int(request.get("MaxResults") or PAGE), PAGE)
        page: Request = {"JobRuns": [dict(record) for record in records[start:end]]}
        if end < len(records):
            page["NextToken"] = str(end)
        return page

    def batch_stop_job_run(self, request: Request) -> Request:
        name = _job(request)["Name"]
        stopped, errors = [], []
        for run_id in request.get("JobRunIds") or []:
            about = {"JobName": name, "JobRunId": run_id}
            if self.runs.find(name, run_id) is None:
                detail = _detail("EntityNotFoundException", f"Job Run {run_id} not found.")
                errors.append({**about, "ErrorDetail": detail})
                continue
            try:
                self.runs.stop(run_id)
                stopped.append(about)
            except NotStoppableError as error:
                detail = _detail("JobRunNotInValidStateTransitionException", str(error))
                errors.append({**about, "ErrorDetail": detail})
        return {"SuccessfulSubmissions": stopped, "Errors": errors}


def _job(request: Request) -> dict[str, Any]:
    name = request.get("JobName")
    job: dict[str, Any] | None = glue._jobs.get(name)
    if job is None:
        raise GlueError("EntityNotFoundException", f"Job {name} not found.")
    return job


def _check_arguments(arguments: dict[str, Any]) -> None:
    for name, value in arguments.items():
        if not isinstance(value, str):
            raise GlueError("SerializationException", f"Arguments.{name} must be a string")


def _detail(code: str, message: str) -> dict[str, str]:
    return {"ErrorCode": code, "ErrorMessage": message}
