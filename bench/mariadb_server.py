"""A MariaDB server of one's own on the loopback, for tests: Debian's programs."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pymysql

HOST, USER, PASSWORD, DATABASE = "127.0.0.1", "penstock", "a 'secret' word", "shop"
START_SECONDS = 60.0
NOBODY = "nobody"


class MariaDbMissingError(Exception):
    """There are no programs of MariaDB here."""


@dataclass
class MariaDbServer:
    """A server that is started by `start` and leaves nothing behind after `stop`."""

    certificate: tuple[bytes, bytes] | None = None  # and its key, both in PEM, for TLS
    port: int = 0
    folder: Path = field(init=False)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> MariaDbServer:
        """Make a data folder and serve it. Raises MariaDbMissingError."""
        programs = [shutil.which(name) for name in ("mariadb-install-db", "mariadbd")]
        if None in programs:
            raise MariaDbMissingError("Debian's mariadb-server is not installed")
        install, server = map(str, programs)
        self.folder = Path(tempfile.mkdtemp(prefix="penstock-mariadb-"))
        account = f"--user={NOBODY}" if os.geteuid() == 0 else "--user="
        if os.geteuid() == 0:
            shutil.chown(self.folder, NOBODY)
        data = f"--datadir={self.folder / 'data'}"
        common = ["--no-defaults", data, *([account] if account != "--user=" else [])]
        done = subprocess.run(
            [install, *common, "--auth-root-authentication-method=normal", "--skip-test-db"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise MariaDbMissingError(f"mariadb-install-db failed: {done.stderr}{done.stdout}")
        start = self.folder / "start.sql"
        word = PASSWORD.replace("'", "''")
        start.write_text(
            f"CREATE USER IF NOT EXISTS '{USER}'@'%' IDENTIFIED BY '{word}';\n"
            f"GRANT ALL ON *.* TO '{USER}'@'%';\nCREATE DATABASE IF NOT EXISTS {DATABASE};\n"
        )
        start.chmod(0o644)
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            self.port = int(probe.getsockname()[1])
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    server,
                    *common,
                    f"--socket={self.folder / 'socket'}",
                    f"--bind-address={HOST}",
                    f"--port={self.port}",
                    f"--init-file={start}",
                    f"--pid-file={self.folder / 'pid'}",
                    "--innodb-flush-log-at-trx-commit=0",
                    "--skip-log-bin",
                    *self._tls(),
                ],
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        try:
            self._wait()
        except pymysql.Error:
            self.stop()
            raise
        return self

    def _tls(self) -> list[str]:
        """The options by which the server speaks TLS, if it has a certificate."""
        options = []
        for name, content in zip(("ssl-cert", "ssl-key"), self.certificate or (), strict=False):
            file = self.folder / f"{name}.pem"
            file.write_bytes(content)
            file.chmod(0o600)
            if os.geteuid() == 0:
                shutil.chown(file, NOBODY)
            options.append(f"--{name}={file}")
        return options

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.connect().close()
            except pymysql.Error:
                assert self.process is not None
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """End the server and remove its data."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self) -> Any:
        """A connection that commits by itself."""
        return pymysql.connect(
            host=HOST,
            port=self.port,
            user=USER,
            password=PASSWORD,
            database=DATABASE,
            charset="utf8mb4",
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
