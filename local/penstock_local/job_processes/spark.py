"""What a Spark job has besides the script: a JVM, and settings for this machine and its S3."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from penstock_local.job_processes.job_files import LaunchError
from penstock_local.job_processes.run_folder import RunFolder
from penstock_local.runtimes import jvm
from penstock_local.runtimes.folder import Runtimes
from penstock_local.settings import LOOPBACK, LocalSettings

LOGGING = Path(__file__).parent / "spark_log4j2.properties"
# The AWS SDK of the S3A connector takes the region to sign for from the host's name only; this
# file is its own way of telling it which region an unknown host belongs to.
SDK_REGIONS = "awssdk_config_override.json"
S3A = "org.apache.hadoop.fs.s3a.S3AFileSystem"
DRIVER_MEMORY = "1g"
# Glue's Spark has drivers of databases; here it has Debian's (libpostgresql-jdbc-java), if any.
JDBC_DRIVERS = (Path("/usr/share/java/postgresql.jar"),)


def java(
    runtimes: Runtimes,
    folder: RunFolder,
    settings: dict[str, str],
    region: str,
    more_jars: list[Path],
) -> dict[str, Any]:
    """Lay out the JVM's configuration and return how it is started."""
    configuration = folder.root / "spark"
    jvm.write_defaults(configuration, settings)
    mapping = {"hostNameRegex": re.escape(LOOPBACK), "regionName": region}
    sdk = json.dumps({"hostRegexToRegionMappings": [mapping]})
    (configuration / SDK_REGIONS).write_text(sdk)
    options = [
        f"-Dlog4j2.configurationFile={LOGGING.as_uri()}",
        *settings.get("spark.driver.extraJavaOptions", "").split(),
    ]
    jars = [*more_jars, *(driver for driver in JDBC_DRIVERS if driver.is_file())]
    heap = java_size(settings.get("spark.driver.memory", DRIVER_MEMORY))
    return {
        "command": jvm.command(runtimes, heap, folder.scratch, options),
        "environment": jvm.environment(runtimes, configuration, jars),
    }


def environment(folder: RunFolder) -> dict[str, str]:
    """The variables that Spark reads."""
    return {
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": LOOPBACK,
        "SPARK_LOCAL_DIRS": str(folder.scratch),
    }


def settings(
    local: LocalSettings, folder: RunFolder, name: str, asked: dict[str, str]
) -> dict[str, str]:
    """Spark's settings: ours for two cores and little data, the job's `--conf` over them."""
    return {
        "spark.master": "local[2]",
        "spark.app.name": name,
        "spark.driver.host": LOOPBACK,
        "spark.driver.bindAddress": LOOPBACK,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(folder.scratch / "warehouse"),
        **_s3a(local, folder),
        **asked,
    }


def java_size(memory: str) -> str:
    """Spark's `2g`, `2gb` or `2048` (MiB) as Java writes sizes."""
    size = memory.strip().lower().removesuffix("b")
    return f"{size}m" if size.isdigit() else size


_MEBIBYTES = {"k": 1 / 1024, "m": 1.0, "g": 1024.0, "t": 1024.0**2}


def mebibytes(memory: str) -> float:
    """The MiB of a size as Spark writes them. Raises LaunchError for what is none."""
    size = java_size(memory)
    number, unit = size[:-1], size[-1:]
    if not number.isdigit() or unit not in _MEBIBYTES:
        raise LaunchError(f"{memory!r} is not a size of memory, like 2g")
    return int(number) * _MEBIBYTES[unit]


def _s3a(local: LocalSettings, folder: RunFolder) -> dict[str, str]:
    hadoop = {
        **{f"fs.{scheme}.impl": S3A for scheme in ("s3", "s3a", "s3n")},
        "fs.AbstractFileSystem.s3.impl": "org.apache.hadoop.fs.s3a.S3A",
        "fs.s3a.endpoint": local.endpoint,
        "fs.s3a.path.style.access": "true",
        "fs.s3a.connection.ssl.enabled": "false",
        # The role session, token and all, out of the environment and into no file.
        "fs.s3a.aws.credentials.provider": (
            "com.amazonaws.auth.EnvironmentVariableCredentialsProvider"
        ),
        "fs.s3a.buffer.dir": str(folder.scratch),
        # A request that fails on loopback fails again; Hadoop would try for minutes.
        "fs.s3a.attempts.maximum": "2",
        "fs.s3a.retry.limit": "2",
        "fs.s3a.connection.establish.timeout": "5000",
        # Files become visible when the whole write has ended well; version 2 is no faster here.
        "mapreduce.fileoutputcommitter.algorithm.version": "1",
    }
    return {f"spark.hadoop.{name}": value for name, value in hadoop.items()}
