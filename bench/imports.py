"""What importing each handler costs beyond boto3's own import, and the size of the zip.

Each import is measured in a fresh interpreter that sees only the built artifact and boto3, as
on Lambda; the median of several runs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

RUNS = 7
HANDLERS = sorted(
    path.stem
    for path in Path("functions/penstock/handlers").glob("*.py")
    if "\ndef handler(" in path.read_text()
)
MEASURE = """
import sys, time
import boto3
started = time.perf_counter()
__import__(sys.argv[1])
print(time.perf_counter() - started)
"""
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "POWERTOOLS_SERVICE_NAME": "penstock",
    "POWERTOOLS_METRICS_NAMESPACE": "Penstock",
    "ENVIRONMENT": "dev",
    "STACK_NAME": "bench",
    "CONTROL_TABLE": "control",
    "RUN_TABLE": "run",
    "DATA_BUCKET": "data",
    "ERROR_QUEUE_URL": "http://127.0.0.1/queue",
    "DEFAULT_POOL_LIMIT": "4",
    "RETENTION_DAYS": "400",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one object instead of a table")
    options = parser.parse_args()
    figures = {name: round(median_seconds(name) * 1000) for name in HANDLERS}
    if options.json:
        print(json.dumps({"milliseconds_beyond_boto3": figures}))
        return
    print(f"{'handler':20} {'ms beyond boto3':>16}")
    for name, milliseconds in figures.items():
        print(f"{name:20} {milliseconds:16}")


def median_seconds(handler: str) -> float:
    env = {**ENVIRONMENT, "PYTHONPATH": "functions"}
    command = [sys.executable, "-c", MEASURE, f"penstock.handlers.{handler}"]
    runs = [
        float(subprocess.run(command, env=env, capture_output=True, check=True).stdout)
        for _ in range(RUNS)
    ]
    return statistics.median(runs)


if __name__ == "__main__":
    main()
