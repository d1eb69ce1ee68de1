"""`penstock up` and `penstock down`: Penstock Local with the application, left running."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from penstock_cli import deployment, example, local_instance
from penstock_cli.demo import step
from penstock_cli.errors import CommandError
from penstock_cli.local_instance import STATE

HOME = STATE / "up"
SOURCES_PID = STATE / "sources.pid"
DEFAULT_PORT = 4577


def bring_up(console: Console, data: Path | None, port: int | None) -> None:
    """Start an instance with the application and the example's rows, and say how to use it."""
    instance = local_instance.find(HOME)
    if instance is None:
        instance = local_instance.start(HOME, port=port or DEFAULT_PORT, keep=True)
        step(console, f"Penstock Local is ready at {instance.endpoint}", instance.seconds)
    else:
        step(console, f"Penstock Local runs already at {instance.endpoint}")
    try:
        with console.status("sam build, sam deploy", spinner="dots"):
            deployed = deployment.deploy(instance)
        step(console, "sam build and sam deploy", deployed.build_seconds + deployed.deploy_seconds)
        source_url = _serve_sources(data)
        rows = example.apply_rows(instance, deployed.outputs, source_url)
        step(console, f"{len(rows)} job rows applied, their sources at {source_url}")
    except BaseException:
        bring_down(console)
        raise
    exports = " ".join(f"{name}={value}" for name, value in instance.environment().items())
    machine = deployed.outputs["PipelineStateMachineArn"]
    start = f"aws stepfunctions start-execution --state-machine-arn {machine}"
    console.print("\nIn a shell, to use it with the AWS CLI, SAM or any SDK:\n", soft_wrap=True)
    for line in (f"export {exports}", f'{start} --input \'{{"category": "Daily_Covid"}}\''):
        console.print(f"  {line}", soft_wrap=True, highlight=False)
    console.print("\nTo stop it: make down")


def bring_down(console: Console) -> None:
    """Stop the instance and the server of its sources, if they run."""
    instance = local_instance.find(HOME)
    if SOURCES_PID.exists():
        with contextlib.suppress(ProcessLookupError):  # it may have ended by itself
            os.kill(int(SOURCES_PID.read_text()), signal.SIGTERM)
        SOURCES_PID.unlink()
    if instance is None:
        console.print("Penstock Local is not running.")
        return
    instance.stop()
    step(console, "Penstock Local is stopped")


def _serve_sources(data: Path | None) -> str:
    """Serve the example's CSV files for as long as the instance stands; their URL."""
    if data is not None and not data.is_dir():
        raise CommandError(f"{data} is no folder: DATA names the folder with the CSV files")
    command = [sys.executable, "-m", "penstock_cli.source_server"]
    if data is not None:
        command.append(str(data))
    server = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert server.stdout is not None
    SOURCES_PID.write_text(str(server.pid))
    url = server.stdout.readline().strip()
    if not url:
        raise CommandError("the sources could not be served over loopback")
    return url
