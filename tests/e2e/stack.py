"""A deployed stack as the tests drive it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from penstock_cli import example, pipeline
from penstock_cli.deployment import Deployment
from penstock_cli.local_instance import Instance
from penstock_cli.pipeline import Ending
from penstock_cli.run_view import JobView, RunView

LONGEST_SECONDS = 240.0


@dataclass(frozen=True, slots=True)
class Ran:
    """A run that has ended: its execution and what the run table has of it."""

    execution_arn: str
    ending: Ending
    view: RunView
    digest: str

    def job(self, name: str) -> JobView:
        return next(job for job in self.view.jobs if job.name == name)

    @property
    def outcomes(self) -> dict[str, str]:
        return {job.name: job.state for job in self.view.jobs}


@dataclass(frozen=True, slots=True)
class Stack:
    instance: Instance
    deployed: Deployment

    def client(self, service: str) -> Any:
        return self.instance.client(service)

    def output(self, key: str) -> str:
        return self.deployed.outputs[key]

    def apply(self, source_url: str) -> list[dict[str, Any]]:
        return example.apply_rows(self.instance, self.deployed.outputs, source_url)

    def reconcile(self) -> None:
        """Have open runs looked after, as every five minutes."""
        function = self.client("cloudformation").describe_stack_resource(
            StackName="penstock-local", LogicalResourceId="ReconcileRunsFunction"
        )["StackResourceDetail"]["PhysicalResourceId"]
        answer = self.client("lambda").invoke(
            FunctionName=function, Payload=json.dumps({"check": "runs"}).encode()
        )
        assert "FunctionError" not in answer, answer["Payload"].read()

    def start(self, **more: Any) -> str:
        """Start a run of the example category; the ARN of its execution."""
        started = self.client("stepfunctions").start_execution(
            stateMachineArn=self.output("PipelineStateMachineArn"),
            input=json.dumps({"category": "Daily_Covid", **more}),
        )
        return str(started["executionArn"])

    def run(self, **more: Any) -> Ran:
        """Run the example category to its end."""
        states = self.client("stepfunctions")
        arn = self.start(**more)
        deadline = time.monotonic() + LONGEST_SECONDS
        while (ending := pipeline.ending(states, arn)) is None:
            assert time.monotonic() < deadline, f"{arn} does not end"
            time.sleep(0.3)
        job_id = pipeline.job_id(states, arn)
        assert job_id is not None, ending
        runs = example.runs(self.instance, self.deployed.outputs)
        return Ran(arn, ending, runs.read(job_id), pipeline.digest(states, arn) or "")
