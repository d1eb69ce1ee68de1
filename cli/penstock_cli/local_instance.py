"""Starting, finding and stopping an instance of Penstock Local."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3
import psutil

from penstock_cli.errors import CommandError

STATE = Path(".penstock")
START_SECONDS = 20.0
STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Instance:
    """A running Penstock Local: its pid, its URL, its folder; `seconds` to become ready.

    `process` is there when this process has started it.
    """

    pid: int
    endpoint: str
    region: str
    home: Path
    seconds: float
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False, compare=False)

    def environment(self) -> dict[str, str]:
        """Variables by which the AWS CLI, SAM and every SDK speak to this instance."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
        }

    def client(self, service: str) -> Any:
        """A boto3 client of the instance, in the name of the account's root."""
        return self._session.client(service, endpoint_url=self.endpoint)

    def table(self, name: str) -> Any:
        """A DynamoDB table of the instance, with Python's own types."""
        return self._session.resource("dynamodb", endpoint_url=self.endpoint).Table(name)

    @property
    def _session(self) -> boto3.Session:
        return boto3.Session(
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - the root of an account that is not one
            region_name=self.region,
        )

    def stop(self) -> None:
        """End the instance and everything that it started."""
        try:
            process = psutil.Process(self.pid)
        except psutil.NoSuchProcess:
            return
        family = [process, *process.children(recursive=True)]
        process.send_signal(signal.SIGTERM)
        _, alive = psutil.wait_procs(family, timeout=STOP_SECONDS)
        for one in alive:
            one.kill()
        psutil.wait_procs(alive, timeout=STOP_SECONDS)
        if self.process is not None:
            self.process.wait()
        (self.home / "ready.json").unlink(missing_ok=True)


def start(home: Path, *, port: int | None = None, keep: bool = False) -> Instance:
    """Start an instance in `home` and wait until it serves.

    Without a port a free one is taken. `keep` leaves it running when this process ends.
    Raises CommandError with the launcher's own words when it cannot start.
    """
    home.mkdir(parents=True, exist_ok=True)
    (home / "ready.json").unlink(missing_ok=True)
    log = home.parent / f"{home.name}.log"
    env = {
        **os.environ,
        "PENSTOCK_LOCAL_HOME": str(home.resolve()),
        "PENSTOCK_LOCAL_PORT": str(port or free_port()),
    }
    if not keep:
        env["PENSTOCK_LOCAL_WITH_PARENT"] = "1"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "penstock_local"],
            env=env,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        instance = find(home)
        if instance is not None and instance.pid == process.pid:
            return replace(instance, process=process)
        if process.poll() is not None:
            raise CommandError(log.read_text().strip() or "Penstock Local ended without a word")
        time.sleep(0.02)
    process.kill()
    process.wait()
    raise CommandError(f"Penstock Local was not ready after {START_SECONDS:.0f} s; see {log}")


def find(home: Path) -> Instance | None:
    """The instance that runs in `home`, if one does."""
    try:
        facts = json.loads((home / "ready.json").read_text())
    except FileNotFoundError:
        return None
    if not psutil.pid_exists(facts["pid"]):
        return None
    return Instance(
        pid=facts["pid"],
        endpoint=facts["endpoint"],
        region=facts["region"],
        home=home,
        seconds=facts["seconds"],
    )


def free_port() -> int:
    """A port of loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
