"""Starts Spark's JVM for a script, which finds it as if pyspark had started it itself."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

PATIENCE = 60.0


class SparkGateway:
    """The JVM of one Spark job.

    It starts while Python imports pyspark. It ends by itself when its standard input is closed,
    and so with this process, however that ends.
    """

    def __init__(self, java: dict[str, Any]) -> None:
        self._wait = bool(java.get("wait"))
        self._connection = Path(tempfile.mkdtemp()) / "connection"
        variables = {**os.environ, **java["environment"]}
        variables["_PYSPARK_DRIVER_CONN_INFO_PATH"] = str(self._connection)
        self._process = subprocess.Popen(java["command"], stdin=subprocess.PIPE, env=variables)

    def connect(self) -> None:
        """Tell pyspark, by its own variables, which JVM to use."""
        from pyspark.serializers import UTF8Deserializer, read_int
        from pyspark.sql import SparkSession  # noqa: F401 - imported while the JVM starts

        deadline = time.monotonic() + PATIENCE
        while not self._connection.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("Spark's JVM did not start; the error log says why")
            time.sleep(0.01)
        with self._connection.open("rb") as stream:
            os.environ["PYSPARK_GATEWAY_PORT"] = str(read_int(stream))
            os.environ["PYSPARK_GATEWAY_SECRET"] = UTF8Deserializer().loads(stream)

    def death(self) -> str:
        """Why the JVM is no longer there; empty while it is."""
        try:
            status = self._process.wait(0.2)  # Python may notice before the JVM is quite gone
        except subprocess.TimeoutExpired:
            return ""
        return (
            f"Spark's JVM ended with status {status} during the run; if the error log tells of "
            "memory, give it more with --conf spark.driver.memory=2g"
        )

    def close(self) -> None:
        """Let the JVM end."""
        if self._process.stdin:
            self._process.stdin.close()
        if self._wait:
            self._process.wait()
