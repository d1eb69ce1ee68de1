"""An application on the running platform, and what the tests do with its job runs."""

from __future__ import annotations

import textwrap
import uuid
from typing import Any

from tests.local.running_platform import BUCKET, Platform, eventually

ENDED = ("SUCCESS", "FAILED", "CANCELLED")


class JobRuns:
    """The application that every instance has."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.api = platform.client("emr-serverless")
        self.application = "local"

    def start(self, script: str, *arguments: str, api: Any = None, **request: Any) -> str:
        """Start a job run of a script; its id."""
        return str(self.ask(script, *arguments, api=api, **request)["jobRunId"])

    def ask(self, script: str, *arguments: str, api: Any = None, **request: Any) -> Any:
        """Start a job run of a script; the answer."""
        key = f"scripts/{uuid.uuid4().hex}.py"
        submit = {
            "entryPoint": self.platform.put(key, textwrap.dedent(script)),
            "entryPointArguments": list(arguments),
        }
        if parameters := request.pop("parameters", None):
            submit["sparkSubmitParameters"] = parameters
        asked = {
            "applicationId": self.application,
            "executionRoleArn": self.platform.role,
            "jobDriver": {"sparkSubmit": submit},
        }
        return (api or self.api).start_job_run(**(asked | request))

    def get(self, run_id: str) -> Any:
        return self.api.get_job_run(applicationId=self.application, jobRunId=run_id)["jobRun"]

    def wait(self, run_id: str, *states: str, seconds: float = 60.0) -> Any:
        """The job run, when it has ended or is in one of the states."""

        def look() -> Any:
            run = self.get(run_id)
            return run if run["state"] in (states or ENDED) else None

        return eventually(look, seconds)

    def cancel(self, run_id: str) -> None:
        self.api.cancel_job_run(applicationId=self.application, jobRunId=run_id)

    def written(self, key: str) -> bool:
        """Whether a job run has put this object."""
        listed = self.platform.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=key)
        return bool(listed["KeyCount"])

    def log(self, run_id: str, kind: str) -> list[str]:
        stream = f"applications/{self.application}/jobs/{run_id}/SPARK_DRIVER/{kind}"
        events = self.platform.client("logs").get_log_events(
            logGroupName="/aws/emr-serverless", logStreamName=stream, startFromHead=True
        )["events"]
        return [event["message"] for event in events]
