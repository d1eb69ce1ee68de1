"""A run of no-op jobs in 100 chains, on the template as it is deployed on Penstock Local.

Each job is a Lambda function that does nothing, so what is measured is Penstock itself and the
platform under it: three invocations, four transitions and some ten requests to DynamoDB per job.
Runs of growing size follow one another on one instance; prints jobs per second, the launcher's
memory, the length of the parent's history and the largest payload of it.
"""

from __future__ import annotations

import argparse
import io
import json
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import psutil

from penstock.adapters.attribute_values import to_item
from penstock_cli import deployment, local_instance, pipeline

CHAINS = 100
SLOTS = 100
LONGEST_SECONDS = 3_600.0
FUNCTION = "def handler(event, context):\n    return {}\n"


def main() -> None:
    """Print a line per size, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1_000, 3_000, 10_000])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        instance = local_instance.start(Path(folder) / "local")
        try:
            outputs = deployment.deploy(instance).outputs
            prepare(instance, outputs)
            for jobs in options.jobs:
                rows.append(measure(instance, outputs, jobs))
                if not options.json:
                    print("  ".join(f"{name} {value}" for name, value in rows[-1].items()))
        finally:
            instance.stop()
    spread = rows[-1]["ms_per_job"] / rows[0]["ms_per_job"]
    if options.json:
        print(json.dumps({"sizes": rows, "time_per_job_last_to_first": round(spread, 2)}))
    else:
        print(f"time per job, last to first: {spread:.2f}")


def prepare(instance: local_instance.Instance, outputs: dict[str, str]) -> None:
    """Create the function that jobs call, and let many run at once."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
             "Action": "sts:AssumeRole"}  # fmt: skip
    role = instance.client("iam").create_role(
        RoleName="job-noop",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("job.py", FUNCTION)
    instance.client("lambda").create_function(
        FunctionName="job-noop", Runtime="python3.13", Handler="job.handler", Role=role,
        Code={"ZipFile": archive.getvalue()},
    )  # fmt: skip
    pool = {"PK": "POOL#default", "SK": "POOL", "Limit": SLOTS}
    instance.client("dynamodb").put_item(TableName=outputs["RunTable"], Item=to_item(pool))


def measure(
    instance: local_instance.Instance, outputs: dict[str, str], jobs: int
) -> dict[str, Any]:
    """Run a category of so many jobs to its end."""
    category = f"Scale_{jobs}"
    fill(instance.client("dynamodb"), outputs["ControlTable"], category, jobs)
    states = instance.client("stepfunctions")
    peak = Peak(instance.pid)
    started = time.monotonic()
    arn = states.start_execution(
        stateMachineArn=outputs["PipelineStateMachineArn"],
        input=json.dumps({"category": category, "logical_date": "2026-11-21"}),
    )["executionArn"]
    while (ending := pipeline.ending(states, arn)) is None:
        if time.monotonic() - started > LONGEST_SECONDS:
            raise SystemExit(f"{jobs} jobs do not end")
        time.sleep(0.5)
    took = time.monotonic() - started
    if ending.status != "SUCCEEDED":
        raise SystemExit(f"the run of {jobs} jobs ended as {ending}")
    events = history(states, arn)
    return {
        "jobs": jobs,
        "seconds": round(took, 1),
        "jobs_per_second": round(jobs / took, 1),
        "ms_per_job": round(took / jobs * 1000, 1),
        "launcher_mb": peak.stop(),
        "parent_events": len(events),
        "largest_event_bytes": max(len(json.dumps(event, default=str)) for event in events),
    }


def fill(dynamodb: Any, table: str, category: str, jobs: int) -> None:
    """Write the rows: chains of equal length."""
    puts = [
        {
            "PutRequest": {
                "Item": to_item(
                    {
                        "JobName": f"{category}-{number:05d}",
                        "JobCategory": category,
                        "JobType": "lambda",
                        "Target": "job-noop",
                        "TimeoutMinutes": 10,
                        "DependsOn": [f"{category}-{number - CHAINS:05d}"]
                        if number >= CHAINS
                        else [],
                    }
                )
            }
        }
        for number in range(jobs)
    ]
    for start in range(0, jobs, 25):
        dynamodb.batch_write_item(RequestItems={table: puts[start : start + 25]})


def history(states: Any, arn: str) -> list[Any]:
    """All events of the parent execution."""
    pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
    return [event for page in pages for event in page["events"]]


class Peak:
    """The highest resident memory of a process while it is watched."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._highest = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """Megabytes."""
        self._over.set()
        self._thread.join()
        return self._highest >> 20

    def _watch(self) -> None:
        while not self._over.wait(0.5):
            self._highest = max(self._highest, self._process.memory_info().rss)


if __name__ == "__main__":
    main()
