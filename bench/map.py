"""A Distributed Map of 1,000 children that each invoke one Lambda function, cold and warm.

Prints seconds, invocations per second and the launcher's memory. Runs its own Penstock Local.
"""

from __future__ import annotations

import argparse
import io
import json
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import psutil

from penstock_cli import local_instance
from roles import make_role

HANDLER = "def handler(event, context):\n    return {'n': event}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--children", type=int, default=1000)
    parser.add_argument("--json", action="store_true", help="one object instead of a table")
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
    print(f"{'':6} {'seconds':>8} {'per second':>11}")
    for name in ("cold", "warm"):
        seconds = figures[f"{name}_seconds"]
        print(f"{name:6} {seconds:8.2f} {options.children / seconds:11.0f}")
    print(f"launcher {figures['launcher_mb']} MB, all processes {figures['all_mb']} MB")


def measure(instance: local_instance.Instance, children: int) -> dict[str, Any]:
    role = make_role(instance, ["states", "lambda"], ["lambda:*", "states:*", "logs:*"])
    function = make_function(instance, role)
    machine = make_machine(instance, role, function)
    states = instance.client("stepfunctions")
    figures: dict[str, Any] = {"children": children}
    for name in ("cold", "warm"):
        started = time.monotonic()
        arn = states.start_execution(
            stateMachineArn=machine, input=json.dumps(list(range(children)))
        )["executionArn"]
        while (execution := states.describe_execution(executionArn=arn))["status"] == "RUNNING":
            time.sleep(0.05)
        if execution["status"] != "SUCCEEDED":
            raise SystemExit(f"the execution {execution['status']}: {execution.get('cause')}")
        figures[f"{name}_seconds"] = round(time.monotonic() - started, 2)
    launcher = psutil.Process(instance.pid)
    family = [launcher, *launcher.children(recursive=True)]
    figures["launcher_mb"] = launcher.memory_info().rss >> 20
    figures["all_mb"] = sum(one.memory_info().rss for one in family) >> 20
    return figures


def make_function(instance: local_instance.Instance, role: str) -> str:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("app.py", HANDLER)
    created = instance.client("lambda").create_function(
        FunctionName="bench",
        Runtime="python3.13",
        Role=role,
        Handler="app.handler",
        Code={"ZipFile": archive.getvalue()},
        Timeout=60,
    )
    arn: str = created["FunctionArn"]
    return arn


def make_machine(instance: local_instance.Instance, role: str, function: str) -> str:
    invoke = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": function, "Payload": "{% $states.input %}"},
        "Output": "{% $states.result.Payload.n %}",
        "End": True,
    }
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Invoke",
        "States": {"Invoke": invoke},
    }
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "Run All",
        "States": {"Run All": {"Type": "Map", "ItemProcessor": processor, "End": True}},
    }
    created = instance.client("stepfunctions").create_state_machine(
        name="bench", roleArn=role, definition=json.dumps(definition)
    )
    arn: str = created["stateMachineArn"]
    return arn


if __name__ == "__main__":
    main()
