"""All functions in one house: the real adapters on AWS in memory, and children that listen."""

from __future__ import annotations

import importlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Penstock")
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "penstock")

from tests.unit.conftest import BUCKET, CONTROL_TABLE, RUN_TABLE

from penstock.adapters import clients
from penstock.adapters.control_table import ControlTable
from penstock.adapters.job_items import JobItems
from penstock.adapters.leases import Leases
from penstock.adapters.pool_items import PoolItems
from penstock.adapters.run_table import RunTable
from penstock.domain.job_record import JobRecord
from penstock.handlers.parts import Parts

EVENTS = Path(__file__).parents[3] / "events"
ENVIRONMENT = {
    "ENVIRONMENT": "dev",
    "STACK_NAME": "penstock-dev",
    "CONTROL_TABLE": CONTROL_TABLE,
    "RUN_TABLE": RUN_TABLE,
    "DATA_BUCKET": BUCKET,
    "DEFAULT_POOL_LIMIT": "2",
    "TIME_ZONE": "Europe/Vienna",
    "RETENTION_DAYS": "400",
}
CONTEXT = SimpleNamespace(
    function_name="f",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:f",
    aws_request_id="1",
)


def event(name: str) -> Any:
    """Return a sample event."""
    return json.loads((EVENTS / f"{name}.json").read_text())


@dataclass
class Children:
    """A client of Step Functions that remembers what it was asked to tell."""

    granted: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    def send_task_success(self, taskToken: str, output: str) -> None:  # noqa: N803 - the API's name
        json.loads(output)
        self.granted.append(taskToken)

    def send_task_failure(self, taskToken: str, error: str, cause: str) -> None:  # noqa: N803
        self.refused[taskToken] = f"{error}: {cause}"


class House:
    """The functions by name, and a look into what they keep."""

    def __init__(self, dynamodb: Any, s3: Any, queue: tuple[Any, str], children: Children) -> None:
        self.dynamodb, self.s3 = dynamodb, s3
        self.sqs, self.queue_url = queue
        self.children = children
        self.control = ControlTable(dynamodb, CONTROL_TABLE)
        self.runs = RunTable(dynamodb, RUN_TABLE, lambda: 0)
        self.leases = Leases(dynamodb, RUN_TABLE, lambda: 0)
        self.jobs = JobItems(dynamodb, RUN_TABLE)
        self.pools = PoolItems(dynamodb, RUN_TABLE, 2, lambda: 0)

    def call(self, function: str, request: Any) -> Any:
        """Invoke a function as Lambda does: JSON in, JSON out."""
        module = importlib.import_module(f"penstock.handlers.{function}")
        answer = module.handler(json.loads(json.dumps(request)), CONTEXT)
        return json.loads(json.dumps(answer))

    def apply(self, *rows: dict[str, Any]) -> None:
        for row in rows:
            self.control.apply(
                {"JobCategory": "Daily_Covid", "JobType": "python_shell", "Target": "x"} | row
            )

    def job(self, job_id: str, name: str) -> JobRecord:
        return next(job for job in self.runs.jobs_of(job_id) if job.job_name == name)

    def messages(self) -> list[dict[str, Any]]:
        """Return what is on the error queue, and leave it there."""
        answer = self.sqs.receive_message(
            QueueUrl=self.queue_url, MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]

    def send(self, message: dict[str, Any]) -> None:
        self.sqs.send_message(QueueUrl=self.queue_url, MessageBody=json.dumps(message))

    def read(self, key: str) -> str:
        return str(self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode())


@pytest.fixture
def house(dynamodb: Any, s3: Any, queue: tuple[Any, str], monkeypatch: pytest.MonkeyPatch) -> House:
    for name, value in {**ENVIRONMENT, "ERROR_QUEUE_URL": queue[1]}.items():
        monkeypatch.setenv(name, value)
    children = Children()
    monkeypatch.setattr(clients, "step_functions", lambda: children)
    monkeypatch.setattr("penstock.adapters.error_queue._WAIT_SECONDS", 0)
    for function in ("plan_run", "extract_config_manager", "await_turn", "settle_job", "close_run"):
        monkeypatch.setattr(f"penstock.handlers.{function}.parts", Parts())
    return House(dynamodb, s3, queue, children)
