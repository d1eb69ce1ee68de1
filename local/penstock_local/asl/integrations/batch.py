"""AWS Batch: a job, waited for through DescribeJobs."""

from __future__ import annotations

from penstock_local.asl.errors import TASK_FAILED, StateError
from penstock_local.asl.integrations.call import Call
from penstock_local.asl.integrations.errors import SdkV1Service
from penstock_local.asl.integrations.optimized import Job
from penstock_local.asl.values import Json, compact


class Batch(Job):
    """`batch:submitJob`; the result of `.sync` is the job's details."""

    sdk = SdkV1Service("batch", "Batch", "AWSBatch", "AWSBatchException")

    async def poll(self, call: Call, started: Json) -> Json | None:
        found = await self.look(call, "describeJobs", {"Jobs": [started["JobId"]]})
        jobs = found.get("Jobs") if found else None
        if not jobs:
            return None
        if jobs[0]["Status"] == "FAILED":
            raise StateError(TASK_FAILED, compact(jobs[0]))
        return jobs[0] if jobs[0]["Status"] == "SUCCEEDED" else None

    async def stop(self, call: Call, started: Json) -> None:
        reason = f"Stopped by the execution {call.execution_arn}"
        arguments = {"JobId": started["JobId"], "Reason": reason}
        await self.request(call.caller, "terminateJob", arguments)
