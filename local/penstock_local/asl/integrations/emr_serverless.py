"""Amazon EMR Serverless: job runs, and the life of applications."""

from __future__ import annotations

from penstock_local.asl.errors import TASK_FAILED, StateError
from penstock_local.asl.integrations.call import Call
from penstock_local.asl.integrations.clients import Answer
from penstock_local.asl.integrations.errors import SdkV1Service
from penstock_local.asl.integrations.optimized import Job
from penstock_local.asl.values import Json, compact

_JOB_RUN_ENDS = {"startJobRun": "SUCCESS", "cancelJobRun": "CANCELLED"}
_JOB_RUN_STATES = frozenset({"SUCCESS", "FAILED", "CANCELLED"})

_APPLICATION_ENDS = {
    "createApplication": "CREATED",
    "startApplication": "STARTED",
    "stopApplication": "STOPPED",
    "deleteApplication": "TERMINATED",
}
# States that an application does not leave for the one that is waited for.
_APPLICATION_DEAD_ENDS = {
    "createApplication": frozenset({"TERMINATED"}),
    "startApplication": frozenset({"STOPPED", "TERMINATED"}),
    "stopApplication": frozenset({"TERMINATED"}),
    "deleteApplication": frozenset[str](),
}


class EmrServerless(Job):
    """`emr-serverless:*`; the result of `startJobRun.sync` is the JobRun.

    The names of its errors on AWS are not known from a recording; they follow the pattern of the
    other optimised integrations.
    """

    sdk = SdkV1Service(
        "emr-serverless", "EMRServerless", "AWSEMRServerless", "AWSEMRServerlessException"
    )

    def result(self, call: Call, answer: Answer) -> Json:
        """The API answers nothing to some actions; Step Functions then repeats the ids."""
        assert call.resource.action is not None
        ids = ("ApplicationId", "JobRunId")
        repeated = {name: call.arguments[name] for name in ids if name in call.arguments}
        return {**repeated, **self.output(call.resource.action, answer)}

    async def poll(self, call: Call, started: Json) -> Json | None:
        action = call.resource.action or ""
        if action in _APPLICATION_ENDS:
            return await self._poll_application(call, action, started)
        arguments = {name: started[name] for name in ("ApplicationId", "JobRunId")}
        found = await self.look(call, "getJobRun", arguments)
        if found is None or found["JobRun"]["State"] not in _JOB_RUN_STATES:
            return None
        run = found["JobRun"]
        if run["State"] != _JOB_RUN_ENDS[action]:
            raise StateError(TASK_FAILED, compact(run))
        return run

    async def _poll_application(self, call: Call, action: str, started: Json) -> Json | None:
        arguments = {"ApplicationId": started["ApplicationId"]}
        found = await self.look(call, "getApplication", arguments)
        if found is None:
            return None
        application = found["Application"]
        if application["State"] in _APPLICATION_DEAD_ENDS[action]:
            raise StateError(TASK_FAILED, compact(application))
        return application if application["State"] == _APPLICATION_ENDS[action] else None

    async def stop(self, call: Call, started: Json) -> None:
        if call.resource.action == "startJobRun":
            arguments = {name: started[name] for name in ("ApplicationId", "JobRunId")}
            await self.request(call.caller, "cancelJobRun", arguments)
