"""Amazon ECS: a task, waited for through DescribeTasks."""

from __future__ import annotations

from penstock_local.asl.errors import TASK_FAILED, StateError
from penstock_local.asl.integrations.call import Call
from penstock_local.asl.integrations.clients import Answer
from penstock_local.asl.integrations.errors import SdkV1Service
from penstock_local.asl.integrations.optimized import Job, with_metadata
from penstock_local.asl.values import Json, compact


class Ecs(Job):
    """`ecs:runTask`; the result of `.sync` is the stopped task.

    A task whose containers did not all exit with 0, or did not start, has failed.
    """

    sdk = SdkV1Service("ecs", "ECS", "AmazonECS", "AmazonECSException")

    def result(self, call: Call, answer: Answer) -> Json:
        """The answer; failures in it fail a task that waits, and no other (developer guide)."""
        started = self.output("runTask", answer)
        if started.get("Failures") and call.resource.pattern is not None:
            raise StateError("AmazonECS.Unknown", compact(with_metadata(started, answer)))
        return started

    async def poll(self, call: Call, started: Json) -> Json | None:
        found = await self.look(call, "describeTasks", self._task(started, "Tasks"))
        if found is None:
            return None
        if not found.get("Tasks"):
            raise StateError("AmazonECS.Unknown", compact(found))
        task = found["Tasks"][0]
        if task.get("LastStatus") != "STOPPED":
            return None
        if any(container.get("ExitCode") != 0 for container in task.get("Containers", [])):
            raise StateError(TASK_FAILED, compact(task))
        return task

    async def stop(self, call: Call, started: Json) -> None:
        reason = {"Reason": f"Stopped by the execution {call.execution_arn}"}
        await self.request(call.caller, "stopTask", {**self._task(started, "Task"), **reason})

    @staticmethod
    def _task(started: Json, name: str) -> dict[str, Json]:
        task = started["Tasks"][0]
        arn = task["TaskArn"]
        return {"Cluster": task["ClusterArn"], name: [arn] if name == "Tasks" else arn}
