"""A running platform, and what the tests do with it again and again."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import textwrap
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import boto3

REPOSITORY = Path(__file__).parents[2]
RUNTIMES = REPOSITORY / ".penstock/runtimes"
REGION = "eu-central-1"
BUCKET = "jobs"
SECONDS_PER_MINUTE = 2.0
SERVICES = ("glue.amazonaws.com", "emr-serverless.amazonaws.com", "ecs-tasks.amazonaws.com")
ENDED = ("SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED")

T = TypeVar("T")


def eventually(look: Callable[[], T | None], seconds: float = 20.0) -> T:
    """What `look` sees, as soon as that is something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if seen := look():
            return seen
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s")


class Platform:
    """One platform process with a bucket and a role for jobs."""

    def __init__(self, home: Path) -> None:
        self.home = home
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(
            [
                sys.executable,
                Path(__file__).parent / "serve_platform.py",
                home,
                RUNTIMES,
                str(self.port),
                str(SECONDS_PER_MINUTE),
            ]
        )
        eventually(lambda: (home / "ready.json").exists() or self.process.poll() is not None)
        self._clients: dict[str, Any] = {}
        self.glue = self.client("glue")
        self.role = self.make_role("job-role", *SERVICES)
        self.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )

    def client(self, service: str) -> Any:
        """A client of the account's root."""
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                endpoint_url=f"http://127.0.0.1:{self.port}",
                region_name=REGION,
                aws_access_key_id="test",
                aws_secret_access_key="test",
            )
        return self._clients[service]

    def make_role(self, name: str, *services: str, logs: bool = True) -> str:
        """A role that may use the bucket, and write logs unless told otherwise."""
        iam = self.client("iam")
        principal = {"Service": list(services)}
        trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        made = iam.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )
        allowed: list[dict[str, object]] = [
            {"Effect": "Allow", "Action": "s3:*", "Resource": [f"arn:aws:s3:::{BUCKET}*"]},
        ]
        if logs:
            allowed.append({"Effect": "Allow", "Action": "logs:*", "Resource": "*"})
        iam.put_role_policy(
            RoleName=name,
            PolicyName="work",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": allowed}),
        )
        return str(made["Role"]["Arn"])

    def put(self, key: str, body: str | bytes) -> str:
        """Put an object and return its path."""
        self.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
        return f"s3://{BUCKET}/{key}"

    def read(self, key: str) -> Any:
        """A JSON object that a job has written."""
        return json.loads(self.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read())

    def job(self, script: str, kind: str = "pythonshell", **more: Any) -> str:
        """A job with that script; its name."""
        name = f"job-{uuid.uuid4().hex[:8]}"
        location = self.put(f"scripts/{name}.py", textwrap.dedent(script))
        command = {"Name": kind, "ScriptLocation": location, "PythonVersion": "3.9"}
        self.glue.create_job(**{"Name": name, "Role": self.role, "Command": command, **more})
        return name

    def start(self, job: str, **request: Any) -> str:
        """Start a run; its id."""
        return str(self.glue.start_job_run(JobName=job, **request)["JobRunId"])

    def get(self, job: str, run_id: str) -> Any:
        """The record of a run."""
        return self.glue.get_job_run(JobName=job, RunId=run_id)["JobRun"]

    def wait(self, job: str, run_id: str, *states: str, seconds: float = 30.0) -> Any:
        """The record of a run, when it has ended or is in one of the states."""

        def look() -> Any:
            record = self.get(job, run_id)
            return record if record["JobRunState"] in (states or ENDED) else None

        return eventually(look, seconds)

    def run(self, job: str, **request: Any) -> Any:
        """Start a run and wait for its end; its record."""
        return self.wait(job, self.start(job, **request))

    def log(self, record: Any, kind: str) -> list[str]:
        """The lines of a run's `output` or `error` log."""
        logs = self.client("logs")
        place = {"logGroupName": f"{record['LogGroupName']}/{kind}", "logStreamName": record["Id"]}
        with contextlib.suppress(logs.exceptions.ResourceNotFoundException):
            events = logs.get_log_events(**place, startFromHead=True)["events"]
            return [event["message"] for event in events]
        return []

    def user(self, name: str, *allowed: dict[str, object]) -> Callable[[str], Any]:
        """A user who may do just that; makes its clients."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(
            UserName=name,
            PolicyName="all",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": list(allowed)}),
        )
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return lambda service: boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name=REGION,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
        )

    def events(self, source: str, name: str) -> Callable[[], list[dict[str, Any]]]:
        """The details of the events of a source from now on; they come by a queue."""
        sqs, bus = self.client("sqs"), self.client("events")
        queue = sqs.create_queue(QueueName=name)["QueueUrl"]
        asked = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        arn = asked["Attributes"]["QueueArn"]
        bus.put_rule(Name=name, EventPattern=json.dumps({"source": [source]}))
        bus.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
        seen: list[dict[str, Any]] = []

        def look() -> list[dict[str, Any]]:
            answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
            seen.extend(json.loads(one["Body"])["detail"] for one in answer.get("Messages", []))
            return seen

        return look

    def stop(self) -> None:
        """End the platform as a signal of the shell does."""
        self.process.terminate()
        self.process.wait(20)
