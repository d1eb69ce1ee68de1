"""How the Java process of a Spark job is started: without spark-submit, tuned for small data."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from penstock_local.runtimes.folder import Runtimes, spark_home

# What Spark's own launcher opens for Java 17 (org.apache.spark.launcher.JavaModuleOptions).
OPENED = (
    "java.lang",
    "java.lang.invoke",
    "java.lang.reflect",
    "java.io",
    "java.net",
    "java.nio",
    "java.util",
    "java.util.concurrent",
    "java.util.concurrent.atomic",
    "jdk.internal.ref",
    "sun.nio.ch",
    "sun.nio.cs",
    "sun.security.action",
    "sun.util.calendar",
)
MODULES = (
    "-XX:+IgnoreUnrecognizedVMOptions",
    *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENED),
    "-Djdk.reflect.useDirectMethodHandle=false",
)
# A job of a few seconds ends before the optimizing compiler has paid off: with the first compiler
# alone it takes half the time. A job with much data can have both back with
# `--conf spark.driver.extraJavaOptions=-XX:TieredStopAtLevel=4`.
TUNED = (
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
    "-Xlog:disable",
    "-Xlog:all=error:stderr",
    "-Djava.net.preferIPv4Stack=true",
)


def command(runtimes: Runtimes, heap: str, scratch: Path, options: Sequence[str] = ()) -> list[str]:
    """The command line of a JVM that waits for one Python process to drive Spark in it."""
    archive = runtimes.class_archive
    return [
        str(runtimes.java),
        *MODULES,
        *TUNED,
        f"-Xmx{heap}",
        f"-Djava.io.tmpdir={scratch}",
        *([f"-XX:SharedArchiveFile={archive}"] if archive.is_file() else []),
        *options,
        "org.apache.spark.deploy.SparkSubmit",
        "pyspark-shell",
    ]


def environment(runtimes: Runtimes, folder: Path, more_jars: Sequence[Path] = ()) -> dict[str, str]:
    """The variables of that JVM; its `spark-defaults.conf` lies in `folder`.

    `folder` and `more_jars` come after Spark's own jars, as the class archive demands.
    """
    return {
        "CLASSPATH": os.pathsep.join(map(str, [*runtimes.spark_class_path, *more_jars, folder])),
        "SPARK_HOME": str(spark_home()),
        "SPARK_CONF_DIR": str(folder),
        "SPARK_SCALA_VERSION": "2.12",
    }


def write_defaults(folder: Path, settings: dict[str, str]) -> None:
    """Write Spark's settings as the properties file that a JVM started in `folder` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = (f"{name} {_escaped(value)}\n" for name, value in settings.items())
    (folder / "spark-defaults.conf").write_text("".join(lines))


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n")
