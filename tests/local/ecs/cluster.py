"""A cluster on the running platform, and what the tests do with its tasks."""

from __future__ import annotations

import textwrap
import uuid
from typing import Any

from tests.local.running_platform import BUCKET, Platform, eventually

NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-local"]}}
COMMAND_TAG = "penstock:local-command"


class Cluster:
    """The cluster that every instance has."""

    name = "local"

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.api = platform.client("ecs")

    def define(self, command: str | None, **more: Any) -> str:
        """A task definition with a local command; its family."""
        family = f"job-{uuid.uuid4().hex[:8]}"
        container = {"name": family, "image": "job:1", "essential": True}
        container |= more.pop("container", {})
        self.api.register_task_definition(
            **{
                "family": family,
                "requiresCompatibilities": ["FARGATE"],
                "networkMode": "awsvpc",
                "cpu": "256",
                "memory": "512",
                "taskRoleArn": self.platform.role,
                "executionRoleArn": self.platform.role,
                "containerDefinitions": [container, *more.pop("sidecars", [])],
                "tags": [{"key": COMMAND_TAG, "value": command}] if command else [],
                **more,
            }
        )
        return family

    def script(self, text: str, **more: Any) -> str:
        """A task definition whose local command is a Python script in S3; its family."""
        key = f"scripts/{uuid.uuid4().hex}.py"
        return self.define(f"python {self.platform.put(key, textwrap.dedent(text))}", **more)

    def ask(self, family: str, *command: str, api: Any = None, **request: Any) -> Any:
        """Run a task; the answer."""
        override: dict[str, Any] = {"name": family, "command": list(command)}
        override |= request.pop("override", {})
        return (api or self.api).run_task(
            **{
                "cluster": self.name,
                "taskDefinition": family,
                "launchType": "FARGATE",
                "networkConfiguration": NETWORK,
                "overrides": {"containerOverrides": [override]},
                **request,
            }
        )

    def start(self, family: str, *command: str, **request: Any) -> str:
        """Run a task; its ARN."""
        answer = self.ask(family, *command, **request)
        assert answer["failures"] == []
        return str(answer["tasks"][0]["taskArn"])

    def get(self, arn: str) -> Any:
        return self.api.describe_tasks(cluster=self.name, tasks=[arn])["tasks"][0]

    def wait(self, arn: str, status: str = "STOPPED", seconds: float = 30.0) -> Any:
        def look() -> Any:
            task = self.get(arn)
            return task if task["lastStatus"] == status else None

        return eventually(look, seconds)

    def run(self, family: str, *command: str, **request: Any) -> Any:
        """Run a task to its end."""
        return self.wait(self.start(family, *command, **request))

    def stop(self, arn: str, reason: str) -> Any:
        return self.api.stop_task(cluster=self.name, task=arn, reason=reason)["task"]

    def written(self, key: str) -> bool:
        listed = self.platform.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=key)
        return bool(listed["KeyCount"])
