"""The arguments of a run: how they overlay one another, and those that Glue itself reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock_local.glue.job_definition import is_python_shell

Arguments = Mapping[str, str]


def of_run(job: Mapping[str, Any], given: Arguments) -> dict[str, str]:
    """What the script gets: the job's defaults, the run's own over them, the fixed ones on top."""
    fixed = job.get("NonOverridableArguments") or {}
    merged = {**(job.get("DefaultArguments") or {}), **given, **fixed}
    return {name: str(value) for name, value in merged.items()}


def command_line(job: Mapping[str, Any], run_id: str, arguments: Arguments) -> list[str]:
    """The script's `sys.argv[1:]`; Glue tells a Spark script its job and its run besides."""
    told = {} if is_python_shell(job) else {"--JOB_NAME": job["Name"], "--JOB_RUN_ID": run_id}
    return [word for pair in {**told, **arguments}.items() for word in pair]


def listed(arguments: Arguments, name: str) -> list[str]:
    """A comma-separated argument such as `--extra-py-files`, without blanks and empty members."""
    return [part.strip() for part in arguments.get(name, "").split(",") if part.strip()]


def spark_settings(arguments: Arguments) -> dict[str, str]:
    """The settings in `--conf`, whose value holds further ones: `a=1 --conf b=2`."""
    settings = {}
    for part in arguments.get("--conf", "").split("--conf"):
        name, equals, value = part.strip().partition("=")
        if equals:
            settings[name] = value
    return settings
