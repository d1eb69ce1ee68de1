"""What a job run says of Spark: spark-submit's options and the `spark-defaults` of its settings."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from penstock_local.job_processes.job_files import LaunchError

_SETTING_OF = {
    "--driver-memory": "spark.driver.memory",
    "--driver-cores": "spark.driver.cores",
    "--executor-memory": "spark.executor.memory",
    "--executor-cores": "spark.executor.cores",
    "--num-executors": "spark.executor.instances",
    "--name": "spark.app.name",
    "--jars": "spark.jars",
    "--py-files": "spark.submit.pyFiles",
    "--files": "spark.files",
    "--archives": "spark.archives",
    "--packages": "spark.jars.packages",
}
_WITHOUT_MEANING = ("--master", "--deploy-mode", "--class")
_DEFAULTS = "spark-defaults"


def settings_of(*configurations: Iterable[Mapping[str, Any]], parameters: str) -> dict[str, str]:
    """Spark's settings: each configuration over the one before, spark-submit's options on top.

    Raises LaunchError for options that cannot be read.
    """
    settings: dict[str, str] = {}
    for configuration in configurations:
        for part in configuration:
            if part.get("classification") == _DEFAULTS:
                settings |= part.get("properties") or {}
    return settings | _options(parameters)


def listed(settings: dict[str, str], name: str) -> list[str]:
    """Take a comma-separated setting out of the settings."""
    parts = settings.pop(name, "").split(",")
    return [part.strip() for part in parts if part.strip()]


def _options(parameters: str) -> dict[str, str]:
    try:
        words = iter(shlex.split(parameters))
    except ValueError as error:
        raise LaunchError(f"sparkSubmitParameters cannot be read: {error}") from error
    settings = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            value = next(words, "")
        if name == "--conf":
            key, _, setting = value.partition("=")
            settings[key] = setting
        elif name in _SETTING_OF:
            settings[_SETTING_OF[name]] = value
        elif name not in _WITHOUT_MEANING:
            raise LaunchError(f"sparkSubmitParameters: Penstock Local does not know {word}")
    return settings
