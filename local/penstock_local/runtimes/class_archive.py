"""An archive of the classes that Spark jobs load, made once by a job that loads them.

The JVM maps the archive into memory instead of finding, reading and verifying ten thousand
classes: every later Spark job needs about five seconds of processor time less.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from penstock_local.runtimes import jvm
from penstock_local.runtimes.folder import Runtimes
from penstock_local.runtimes.uv import PreparationError

STEP = "class_archive"
TRAINING = Path(__file__).parent / "training_job.py"
SHIM = Path(__file__).parents[1] / "job_processes/shim"
LOOPBACK = "127.0.0.1"
DEADLINE = 30.0


def stamp(runtimes: Runtimes) -> str:
    """The Java and the jars that an archive fits; the JVM ignores it with any others."""
    # The JVM compares the time and size of every jar of the class path.
    parts = [str(runtimes.java), *map(_identity, runtimes.spark_class_path)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def prepare(runtimes: Runtimes) -> str:
    """Run the training job in a JVM that archives its classes when it ends.

    Returns the size of the archive. Raises PreparationError.
    """
    folder = runtimes.root / "training"
    shutil.rmtree(folder, ignore_errors=True)
    runtimes.class_archive.unlink(missing_ok=True)
    try:
        with _platform(folder / "platform") as endpoint:
            _train(runtimes, folder, endpoint)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if not runtimes.class_archive.is_file():
        raise PreparationError("The JVM did not write the archive of Spark's classes")
    return f"{runtimes.class_archive.stat().st_size / 1e6:.0f} MB"


def _train(runtimes: Runtimes, folder: Path, endpoint: str) -> None:
    settings = {
        "spark.master": "local[2]",
        "spark.ui.enabled": "false",
        "spark.driver.host": LOOPBACK,
        "spark.driver.bindAddress": LOOPBACK,
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        "spark.hadoop.fs.s3a.endpoint": endpoint,
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.buffer.dir": str(folder / "tmp"),
    }
    # An archive can be made with a class path of jars only, so the settings come by their path.
    jvm.write_defaults(folder / "conf", settings)
    (folder / "tmp").mkdir()
    variables = jvm.environment(runtimes, folder / "conf")
    variables["CLASSPATH"] = os.pathsep.join(map(str, runtimes.spark_class_path))
    option = f"-XX:ArchiveClassesAtExit={runtimes.class_archive}"
    java = {
        "command": jvm.command(runtimes, "1g", folder / "tmp", [option]),
        "environment": variables,
        "wait": True,
    }
    plan = {"failure": str(folder / "failure"), "java": java}
    (folder / "boot.json").write_text(json.dumps(plan))
    ran = subprocess.run(
        [sys.executable, "-m", "penstock_boot", folder / "boot.json", TRAINING],
        env=_environment(folder, endpoint),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise PreparationError(f"Spark does not work here:\n{ran.stderr[-4000:]}")


def _environment(folder: Path, endpoint: str) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "PYTHONPATH": str(SHIM),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": LOOPBACK,
        "SPARK_LOCAL_DIRS": str(folder / "tmp"),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": endpoint,
    }


@contextlib.contextmanager
def _platform(folder: Path) -> Iterator[str]:
    """An S3 for the training job, with a bucket `training`."""
    (folder / "tmp").mkdir(parents=True)
    with socket.socket() as free:
        free.bind((LOOPBACK, 0))
        port = free.getsockname()[1]
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": "us-east-1",  # what the SDK signs for when it is not told a region
        "STATE_DIR": str(folder / "state"),
        "S3_DATA_DIR": str(folder / "s3"),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "ERROR",
    }
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "ministack"], env=environment, stdout=log, stderr=log
        )
    try:
        endpoint = f"http://{LOOPBACK}:{port}"
        _make_bucket(f"{endpoint}/training", server)
        yield endpoint
    finally:
        server.terminate()
        server.wait()


def _make_bucket(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="PUT"), timeout=5).close()  # noqa: S310
        except urllib.error.URLError:
            time.sleep(0.1)
        else:
            return
    raise PreparationError("The S3 for Spark's training job did not start")


def _identity(jar: Path) -> str:
    found = jar.stat()
    return f"{jar} {found.st_size} {found.st_mtime_ns}"
