"""10,000 children of a Distributed Map that all wait for a task token: the launcher's memory.

Each child sends its token to an SQS queue and waits. Runs its own Penstock Local; prints resident
megabytes before and while all wait, the launcher's threads, and seconds until all have arrived.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from penstock_cli import local_instance
from roles import make_role

LONGEST_SECONDS = 300.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--children", type=int, default=10_000)
    parser.add_argument("--json", action="store_true", help="one object instead of a line")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        instance = local_instance.start(Path(folder) / "local")
        try:
            figures = measure(instance, options.children)
        finally:
            instance.stop()
    if options.json:
        print(json.dumps(figures))
        return
    print(
        f"{figures['children']} children wait after {figures['seconds']} s: "
        f"{figures['waiting_mb']} MB, {figures['before_mb']} MB before, "
        f"{figures['threads']} threads"
    )


def measure(instance: local_instance.Instance, children: int) -> dict[str, Any]:
    launcher = psutil.Process(instance.pid)
    queue = instance.client("sqs").create_queue(QueueName="tokens")["QueueUrl"]
    bucket = fill_bucket(instance, children)
    states = instance.client("stepfunctions")
    machine = states.create_state_machine(
        name="waiting",
        roleArn=make_role(instance, ["states"], ["sqs:*", "s3:*", "states:*"]),
        definition=json.dumps(definition(bucket, queue)),
    )["stateMachineArn"]
    before = launcher.memory_info().rss >> 20
    started = time.monotonic()
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]
    while waiting(instance, queue) < children:
        if time.monotonic() - started > LONGEST_SECONDS:
            raise SystemExit(f"only {waiting(instance, queue)} children have arrived")
        time.sleep(0.5)
    figures = {
        "children": children,
        "seconds": round(time.monotonic() - started, 1),
        "before_mb": before,
        "waiting_mb": launcher.memory_info().rss >> 20,
        "threads": launcher.num_threads(),
    }
    states.stop_execution(executionArn=execution)
    return figures


def waiting(instance: local_instance.Instance, queue: str) -> int:
    asked = instance.client("sqs").get_queue_attributes(
        QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(asked["Attributes"]["ApproximateNumberOfMessages"])


def fill_bucket(instance: local_instance.Instance, children: int) -> str:
    """A plan of one line per child, about as long as a real one."""
    s3 = instance.client("s3")
    s3.create_bucket(
        Bucket="plans", CreateBucketConfiguration={"LocationConstraint": instance.region}
    )
    line = {"job_name": "job", "arguments": {"--path": "x" * 700}}
    lines = [json.dumps({**line, "n": number}) for number in range(children)]
    s3.put_object(Bucket="plans", Key="plan.jsonl", Body="\n".join(lines).encode())
    return "plans"


def definition(bucket: str, queue: str) -> dict[str, Any]:
    wait = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Arguments": {"QueueUrl": queue, "MessageBody": "{% $states.context.Task.Token %}"},
        "End": True,
    }
    run_all = {
        "Type": "Map",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSONL"},
            "Arguments": {"Bucket": bucket, "Key": "plan.jsonl"},
        },
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "Wait",
            "States": {"Wait": wait},
        },
        "End": True,
    }
    return {"QueryLanguage": "JSONata", "StartAt": "Run All", "States": {"Run All": run_all}}


if __name__ == "__main__":
    main()
