"""The actions of EMR Serverless; each takes a request's members and returns the answer's."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

from penstock_local import authorization
from penstock_local.api_error import validation
from penstock_local.emr_serverless.applications import Applications
from penstock_local.emr_serverless.execution import PRINCIPAL, Executions
from penstock_local.emr_serverless.job_runs import JobRuns

PAGE = 50

Request = dict[str, Any]


class Actions:
    """What the service does; `access_key` is the caller's."""

    def __init__(self, executions: Executions) -> None:
        self.applications = Applications()
        self.job_runs = JobRuns(executions)
        self._by_name: dict[str, Callable[[Request], Request]] = {
            "CreateApplication": self.create_application,
            "GetApplication": self.get_application,
            "ListApplications": self.list_applications,
            "StartApplication": self.start_application,
            "StopApplication": self.stop_application,
            "DeleteApplication": self.delete_application,
            "GetJobRun": self.get_job_run,
            "CancelJobRun": self.cancel_job_run,
            "ListJobRuns": self.list_job_runs,
        }

    def answer(self, operation: str, request: Request, access_key: str) -> Request:
        """Answer a request. Raises ApiError."""
        if operation == "StartJobRun":
            return self.start_job_run(request, access_key)
        if operation not in self._by_name:
            raise validation(f"Penstock Local does not have the action {operation}")
        return self._by_name[operation](request)

    def create_application(self, request: Request) -> Request:
        made = self.applications.create(request).record
        return {name: made[name] for name in ("applicationId", "name", "arn") if name in made}

    def get_application(self, request: Request) -> Request:
        return {"application": dict(self.applications.get(request["applicationId"]).record)}

    def list_applications(self, request: Request) -> Request:
        found = [one.summary for one in self.applications.listed()]
        return _page("applications", _in_states(found, request), request)

    def start_application(self, request: Request) -> Request:
        self.applications.start(request["applicationId"])
        return {}

    def stop_application(self, request: Request) -> Request:
        application = self.applications.get(request["applicationId"])
        is_at_work = self.job_runs.is_at_work(application)
        self.applications.stop(application.id, is_at_work=is_at_work)
        return {}

    def delete_application(self, request: Request) -> Request:
        self.applications.delete(request["applicationId"])
        return {}

    def start_job_run(self, request: Request, access_key: str) -> Request:
        application = self.applications.get(request["applicationId"])
        if not request.get("jobDriver"):
            raise validation("JobDriver is required")
        authorization.require_pass_role(access_key, request["executionRoleArn"], PRINCIPAL)
        created_by = authorization.caller_arn(access_key)
        record = self.job_runs.start(application, request, created_by).record
        return {name: record[name] for name in ("applicationId", "jobRunId", "arn")}

    def get_job_run(self, request: Request) -> Request:
        application = self.applications.get(request["applicationId"])
        return {"jobRun": dict(self.job_runs.get(application, request["jobRunId"]).record)}

    def cancel_job_run(self, request: Request) -> Request:
        application = self.applications.get(request["applicationId"])
        run = self.job_runs.get(application, request["jobRunId"])
        self.job_runs.cancel(run)
        return {"applicationId": application.id, "jobRunId": run.id}

    def list_job_runs(self, request: Request) -> Request:
        application = self.applications.get(request["applicationId"])
        after = request.get("createdAtAfter", 0.0)
        before = request.get("createdAtBefore", float("inf"))
        found = [
            run.summary
            for run in self.job_runs.of(application)
            if after <= run.record["createdAt"] <= before
            and request.get("mode") in (None, run.record["mode"])
        ]
        return _page("jobRuns", _in_states(found, request), request)


def _in_states(found: list[Request], request: Request) -> list[Request]:
    states = request.get("states")
    return found if not states else [one for one in found if one["state"] in states]


def _page(name: str, found: list[Request], request: Request) -> Request:
    """The items after the one that nextToken names: new ones do not move the place."""
    start = 0
    if token := request.get("nextToken"):
        ids = [one["id"] for one in found]
        try:
            start = ids.index(base64.urlsafe_b64decode(token).decode()) + 1
        except (ValueError, binascii.Error) as error:
            raise validation("nextToken is invalid") from error
    end = start + request.get("maxResults", PAGE)
    page: Request = {name: found[start:end]}
    if end < len(found):
        page["nextToken"] = base64.urlsafe_b64encode(found[end - 1]["id"].encode()).decode()
    return page
