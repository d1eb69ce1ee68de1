"""AWS CodeBuild: a build, waited for through BatchGetBuilds."""

from __future__ import annotations

from penstock_local.asl.errors import TASK_FAILED, StateError
from penstock_local.asl.integrations.call import Call
from penstock_local.asl.integrations.errors import SdkV1Service
from penstock_local.asl.integrations.optimized import Job, NotPerformedError
from penstock_local.asl.values import Json, compact


class CodeBuild(Job):
    """`codebuild:*`; the result of `startBuild.sync` holds the Build."""

    sdk = SdkV1Service("codebuild", "CodeBuild", "AWSCodeBuild", "AWSCodeBuildException")

    async def poll(self, call: Call, started: Json) -> Json | None:
        if call.resource.action != "startBuild":
            raise NotPerformedError(call.resource.text)
        found = await self.look(call, "batchGetBuilds", {"Ids": [started["Build"]["Id"]]})
        if found is None or not found.get("Builds"):
            return None
        build = found["Builds"][0]
        if build["BuildStatus"] == "IN_PROGRESS":
            return None
        if build["BuildStatus"] != "SUCCEEDED":
            raise StateError(TASK_FAILED, compact({"Build": build}))
        return {"Build": build}

    async def stop(self, call: Call, started: Json) -> None:
        await self.request(call.caller, "stopBuild", {"Id": started["Build"]["Id"]})
