"""What CreateJob and UpdateJob keep of a job, as Glue 5.1 fills in what is left out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

PYTHON_SHELL = "pythonshell"

# Jobs made without a version run on this one.
LATEST_GLUE = "5.1"
TIMEOUT_BEFORE_5 = 2880
TIMEOUT_SINCE_5 = 480
LONGEST_TIMEOUT = 7 * 24 * 60
PYTHON_SHELL_CAPACITIES = (0.0625, 1.0)

TEXTS = (
    "JobMode",
    "Description",
    "LogUri",
    "Role",
    "SecurityConfiguration",
    "GlueVersion",
    "WorkerType",
    "ExecutionClass",
    "MaintenanceWindow",
)
STRUCTURES = (
    "Command",
    "DefaultArguments",
    "NonOverridableArguments",
    "Connections",
    "ExecutionProperty",
    "NotificationProperty",
    "SourceControlDetails",
)
# CloudFormation hands parameters over as text, even where Glue has a number.
NUMBERS = {
    "MaxRetries": int,
    "AllocatedCapacity": int,
    "Timeout": int,
    "NumberOfWorkers": int,
    "MaxCapacity": float,
}
FIELDS = (*TEXTS, *STRUCTURES, *NUMBERS, "JobRunQueuingEnabled")


class InvalidJobError(Exception):
    """What Glue answers with InvalidInputException."""


def define(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The job that a CreateJob or UpdateJob request describes, with Glue's defaults.

    Raises InvalidJobError.
    """
    job: dict[str, Any] = {"Name": name}
    job.update({field: given[field] for field in FIELDS if given.get(field) not in (None, "")})
    for field in ("Role", "Command"):
        if not job.get(field):
            raise InvalidJobError(f"{field} is required")
    _read_numbers(job)
    job.setdefault("MaxRetries", 0)
    job.setdefault("DefaultArguments", {})
    job["LastModifiedOn"] = time.time()
    if is_python_shell(job):
        _complete_python_shell(job)
    else:
        _complete_spark(job)
    job.setdefault("Timeout", _default_timeout(job))
    if not 1 <= job["Timeout"] <= LONGEST_TIMEOUT:
        raise InvalidJobError(f"Timeout must be 1 to {LONGEST_TIMEOUT} minutes")
    return job


def is_python_shell(job: Mapping[str, Any]) -> bool:
    """Whether it is a Python shell job; else it is a Spark job."""
    return bool((job.get("Command") or {}).get("Name") == PYTHON_SHELL)


def _read_numbers(job: dict[str, Any]) -> None:
    for field, kind in NUMBERS.items():
        if field in job:
            job[field] = _number(field, job[field], kind)
    concurrent = (job.get("ExecutionProperty") or {}).get("MaxConcurrentRuns", 1)
    concurrent = _number("MaxConcurrentRuns", concurrent, int)
    job["ExecutionProperty"] = {"MaxConcurrentRuns": concurrent}
    if "JobRunQueuingEnabled" in job:
        job["JobRunQueuingEnabled"] = str(job["JobRunQueuingEnabled"]).lower() == "true"


def _number(field: str, value: Any, kind: type[int | float]) -> int | float:
    try:
        return kind(value)
    except (TypeError, ValueError) as error:
        raise InvalidJobError(f"{field} must be a number, not {value!r}") from error


def _complete_python_shell(job: dict[str, Any]) -> None:
    if "WorkerType" in job or "NumberOfWorkers" in job:
        raise InvalidJobError(
            "Worker Type and Number of Workers are not supported for Python shell jobs; "
            "use MaxCapacity"
        )
    job.setdefault("MaxCapacity", PYTHON_SHELL_CAPACITIES[0])
    if job["MaxCapacity"] not in PYTHON_SHELL_CAPACITIES:
        raise InvalidJobError("Max capacity of a Python shell job is 0.0625 or 1.0")


def _complete_spark(job: dict[str, Any]) -> None:
    job.setdefault("GlueVersion", LATEST_GLUE)
    has_workers = "WorkerType" in job or "NumberOfWorkers" in job
    if has_workers and "MaxCapacity" in job:
        raise InvalidJobError(
            "Please do not set Max Capacity if using Worker Type and Number of Workers."
        )
    if not has_workers and "MaxCapacity" not in job:
        job.update(WorkerType="G.1X", NumberOfWorkers=10)


def _default_timeout(job: Mapping[str, Any]) -> int:
    version = str(job.get("GlueVersion", LATEST_GLUE)).split(".", maxsplit=1)[0]
    return TIMEOUT_SINCE_5 if version.isdigit() and int(version) >= 5 else TIMEOUT_BEFORE_5
