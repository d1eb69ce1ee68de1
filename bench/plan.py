"""Plan Run for 10,000 jobs with 20,000 dependencies: seconds and memory of the handler.

The tables, the bucket and the queue are those of Penstock Local, in a process of their own, so what
is measured here is a fresh process that does what Lambda would: imports, reads the rows, decides,
stores the plan and the items of all jobs. The requests take longer here than at AWS or shorter;
`busy` is what the handler itself computes.
"""

from __future__ import annotations

import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import redirect_stdout
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

from penstock.adapters.attribute_values import to_item
from penstock_cli import local_instance

JOBS = 10_000


def main() -> None:
    """Fill a control table, then call the handler in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        instance = local_instance.start(Path(folder) / "local")
        try:
            environment = create(instance)
            fill(instance.client("dynamodb"))
            command = [sys.executable, __file__, "handler"]
            env = os.environ | instance.environment() | environment
            subprocess.run(command, env=env, check=True)
        finally:
            instance.stop()


def create(instance: local_instance.Instance) -> dict[str, str]:
    """Create what the handler needs; return its environment."""
    dynamodb = instance.client("dynamodb")
    dynamodb.create_table(
        TableName="run",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"},
                   {"AttributeName": "SK", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("PK", "SK")],
    )  # fmt: skip
    dynamodb.create_table(
        TableName="control",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "JobName", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": n, "AttributeType": "S"} for n in ("JobName", "JobCategory")
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "JobCategory-index",
                "KeySchema": [{"AttributeName": "JobCategory", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    place: Any = {"LocationConstraint": instance.region}
    instance.client("s3").create_bucket(Bucket="data", CreateBucketConfiguration=place)
    queue = instance.client("sqs").create_queue(QueueName="errors")["QueueUrl"]
    return {
        "ENVIRONMENT": "bench", "STACK_NAME": "bench", "CONTROL_TABLE": "control",
        "RUN_TABLE": "run", "DATA_BUCKET": "data", "ERROR_QUEUE_URL": queue,
        "DEFAULT_POOL_LIMIT": "20", "RETENTION_DAYS": "400",
        "POWERTOOLS_METRICS_NAMESPACE": "Bench", "POWERTOOLS_SERVICE_NAME": "bench",
        "POWERTOOLS_METRICS_DISABLED": "true",
    }  # fmt: skip


def fill(dynamodb: Any) -> None:
    """Write the rows: each job depends on two before it."""
    random = Random(1)
    puts = []
    for number in range(JOBS):
        upstream = {f"job{random.randrange(number):05d}" for _ in range(2)} if number else set()
        row = {
            "JobName": f"job{number:05d}",
            "JobCategory": "Bench",
            "JobType": "python_shell",
            "Target": "{stack}-load",
            "Arguments": {"table": f"t{number}", "where": "day = {logical_date}"},
            "DependsOn": sorted(upstream),
            "Recent": json.dumps([[12.5 + number % 7, 1_000, 0.01]] * 9),
        }
        puts.append({"PutRequest": {"Item": to_item(row)}})
    for start in range(0, JOBS, 25):
        dynamodb.batch_write_item(RequestItems={"control": puts[start : start + 25]})


def handle() -> None:
    """Be the Lambda function, once, and print what it took."""
    started = time.perf_counter()
    from penstock.handlers.plan_run import handler

    imported = time.perf_counter()
    event = {
        "job_id": "20261121T050000Z-bench",
        "execution_arn": "arn:aws:states:us-east-1:000000000000:execution:bench:1",
        "started_at": "2026-11-21T05:00:00Z",
        "input": {"category": "Bench", "logical_date": "2026-11-21"},
    }
    context = SimpleNamespace(
        function_name="f", memory_limit_in_mb=1024, invoked_function_arn="a", aws_request_id="1"
    )
    with redirect_stdout(io.StringIO()):  # what the function logs
        answer: Any = handler(event, context)  # type: ignore[arg-type]
    usage = resource.getrusage(resource.RUSAGE_SELF)
    result = {
        "jobs": answer["counts"]["planned"],
        "import_seconds": round(imported - started, 2),
        "handler_seconds": round(time.perf_counter() - imported, 2),
        "busy_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mb": round(usage.ru_maxrss / 1024),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    (handle if sys.argv[1:] == ["handler"] else main)()
