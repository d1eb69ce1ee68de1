"""AWS Glue: a job run, waited for through GetJobRun."""

from __future__ import annotations

from penstock_local.asl.errors import TASK_FAILED, StateError
from penstock_local.asl.integrations.call import Call
from penstock_local.asl.integrations.clients import Answer
from penstock_local.asl.integrations.errors import SdkV1Service
from penstock_local.asl.integrations.optimized import Job
from penstock_local.asl.values import Json, compact

_FAILED = ("FAILED", "TIMEOUT", "ERROR", "EXPIRED")

# A run that somebody stopped is, as far as is known of AWS, no failure of the task: the result
# says JobRunState "STOPPED", and a state machine that cares has to look. Accounts of what AWS does
# contradict each other, so a definition should be right either way.
_ENDED = ("SUCCEEDED", "STOPPED")


class Glue(Job):
    """`glue:startJobRun`; the result of `.sync` is the JobRun."""

    sdk = SdkV1Service(
        "glue",
        "Glue",
        "AWSGlue",
        "AWSGlueException",
        unmodelled=frozenset({"ThrottlingException"}),
    )

    def result(self, call: Call, answer: Answer) -> Json:
        started = self.output("startJobRun", answer)
        return {"JobName": call.arguments["JobName"], **started}

    async def poll(self, call: Call, started: Json) -> Json | None:
        arguments = {"JobName": started["JobName"], "RunId": started["JobRunId"]}
        found = await self.look(call, "getJobRun", arguments)
        if found is None:
            return None
        run = found["JobRun"]
        if run["JobRunState"] in _FAILED:
            raise StateError(TASK_FAILED, compact(run))
        return run if run["JobRunState"] in _ENDED else None

    async def stop(self, call: Call, started: Json) -> None:
        arguments = {"JobName": started["JobName"], "JobRunIds": [started["JobRunId"]]}
        await self.request(call.caller, "batchStopJobRun", arguments)
