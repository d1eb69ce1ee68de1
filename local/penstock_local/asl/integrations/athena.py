"""Amazon Athena: a query, waited for through GetQueryExecution."""

from __future__ import annotations

from penstock_local.asl.errors import TASK_FAILED, StateError
from penstock_local.asl.integrations.call import Call
from penstock_local.asl.integrations.errors import SdkV1Service
from penstock_local.asl.integrations.optimized import Job
from penstock_local.asl.values import Json, compact


class Athena(Job):
    """`athena:*`; the result of `startQueryExecution.sync` holds the QueryExecution."""

    sdk = SdkV1Service("athena", "Athena", "AmazonAthena", "AmazonAthenaException")

    async def poll(self, call: Call, started: Json) -> Json | None:
        arguments = {"QueryExecutionId": started["QueryExecutionId"]}
        found = await self.look(call, "getQueryExecution", arguments)
        if found is None:
            return None
        state = found["QueryExecution"]["Status"]["State"]
        if state in ("FAILED", "CANCELLED"):
            raise StateError(TASK_FAILED, compact(found))
        return found if state == "SUCCEEDED" else None

    async def stop(self, call: Call, started: Json) -> None:
        arguments = {"QueryExecutionId": started["QueryExecutionId"]}
        await self.request(call.caller, "stopQueryExecution", arguments)
