"""What a service says of the work it did: the same JSON as result of a task and as its cause.

Shapes: GetJobRun of Glue and of EMR Serverless, DescribeTasks of ECS, DescribeExecution of
Step Functions, DescribeStatement of the Redshift Data API, Invoke of Lambda, the error of a
Lambda function.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from penstock.domain.figures import Figures
from penstock.domain.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_OUTCOMES: Final = {
    "SUCCEEDED": Outcome.SUCCEEDED,  # Glue, Step Functions
    "SUCCESS": Outcome.SUCCEEDED,  # EMR Serverless
    "FINISHED": Outcome.SUCCEEDED,  # Redshift Data API
    "STOPPED": Outcome.ABORTED,
    "STOPPING": Outcome.ABORTED,
    "CANCELLED": Outcome.ABORTED,
    "CANCELLING": Outcome.ABORTED,
    "ABORTED": Outcome.ABORTED,
    "TIMEOUT": Outcome.TIMED_OUT,
    "TIMED_OUT": Outcome.TIMED_OUT,
}
"""A word that is not among these is no success, so it is a failure."""

_NANOSECONDS: Final = 1_000_000_000
_MILLISECONDS: Final = 1_000
_HOUR: Final = 3_600
_UNITS_PER_VCPU: Final = 1_024
_MIB_PER_GIB: Final = 1_024


@dataclass(frozen=True, slots=True)
class ServiceReport:
    """The outcome as the service sees it, its cause in plain words, and what it measured."""

    outcome: Outcome
    cause: str = ""
    figures: Figures = field(default_factory=Figures)
    usage: Mapping[str, float] = field(default_factory=dict)
    """What is paid for, by the names of `prices.py`; empty where the service does not say."""


def report_of(body: Any) -> ServiceReport | None:
    """Return what the JSON reports, or None if it is of no shape that is known."""
    if isinstance(body, dict):
        for marks, read in _SHAPES:
            if all(mark in body for mark in marks):
                return read(body)
    return None


def _glue(run: Mapping[str, Any]) -> ServiceReport:
    seconds = _number(run.get("ExecutionTime"))
    dpu_seconds = _number(run.get("DPUSeconds") or run.get("DpuSeconds"))
    capacity = _number(run.get("MaxCapacity"))
    if dpu_seconds is None and seconds is not None and capacity is not None:
        dpu_seconds = seconds * capacity
    figures = Figures(seconds=seconds, dpu_seconds=dpu_seconds)
    usage = {} if dpu_seconds is None else {"glue_dpu_hour": dpu_seconds / _HOUR}
    return _report("the Glue run", run["JobRunState"], run.get("ErrorMessage"), figures, usage)


def _emr(run: Mapping[str, Any]) -> ServiceReport:
    seconds = _number(run.get("TotalExecutionDurationSeconds"))
    billed = run.get("BilledResourceUtilization") or run.get("TotalResourceUtilization") or {}
    units = {"VCPUHour": "emr_vcpu_hour", "MemoryGBHour": "emr_gb_hour"}
    used = {price: _number(billed.get(unit)) for unit, price in units.items()}
    usage = {price: amount for price, amount in used.items() if amount is not None}
    figures = Figures(seconds=seconds)
    return _report("the EMR job run", run.get("State"), run.get("StateDetails"), figures, usage)


def _emr_nested(body: Mapping[str, Any]) -> ServiceReport:
    run = body["JobRun"]
    return _emr(run) if isinstance(run, dict) else ServiceReport(Outcome.FAILED, "no JobRun")


def _ecs(task: Mapping[str, Any]) -> ServiceReport:
    seconds = _seconds(task.get("StartedAt"), task.get("StoppedAt"))
    ended = _containers(task)
    usage: dict[str, float] = {}
    if seconds is not None and task.get("Cpu") and task.get("Memory"):
        usage["fargate_vcpu_hour"] = float(task["Cpu"]) / _UNITS_PER_VCPU * seconds / _HOUR
        usage["fargate_gb_hour"] = float(task["Memory"]) / _MIB_PER_GIB * seconds / _HOUR
    return replace(ended, figures=Figures(seconds=seconds), usage=usage)


def _containers(task: Mapping[str, Any]) -> ServiceReport:
    """Judge a task by its containers: every one of them has to end with exit code 0."""
    reason = str(task.get("StoppedReason") or "")
    for container in task["Containers"] or ():
        code = container.get("ExitCode")
        if code != 0:
            ended = f"ended with exit code {code}" if code is not None else "did not start"
            why = container.get("Reason") or reason
            cause = f"container {container.get('Name')} {ended}" + (f": {why}" if why else "")
            stopped = task.get("StopCode") == "UserInitiated"
            return ServiceReport(Outcome.ABORTED if stopped else Outcome.FAILED, cause)
    return ServiceReport(Outcome.SUCCEEDED)


def _status(body: Mapping[str, Any]) -> ServiceReport:
    """Read an execution or a statement: both say how they ended in `Status`."""
    error = ": ".join(str(body[name]) for name in ("Error", "Cause") if body.get(name))
    duration = _number(body.get("Duration"))
    figures = Figures(seconds=duration / _NANOSECONDS if duration else None)
    return _report("it", body["Status"], error, figures)


def _invocation(body: Mapping[str, Any]) -> ServiceReport:
    if body.get("FunctionError"):
        inner = report_of(body.get("Payload"))
        return inner or ServiceReport(Outcome.FAILED, "the function failed")
    return ServiceReport(Outcome.SUCCEEDED)


def _function_error(body: Mapping[str, Any]) -> ServiceReport:
    return ServiceReport(Outcome.FAILED, str(body["errorMessage"]))


def _report(
    what: str,
    state: Any,
    message: Any,
    figures: Figures,
    usage: Mapping[str, float] | None = None,
) -> ServiceReport:
    outcome = _OUTCOMES.get(str(state), Outcome.FAILED)
    good = outcome is Outcome.SUCCEEDED
    cause = "" if good else str(message or f"{what} ended as {state}")
    return ServiceReport(outcome, cause, figures, usage or {})


def _seconds(start: Any, end: Any) -> float | None:
    """Return the seconds between two times, each in milliseconds or as ISO 8601."""
    try:
        times = [_moment(start), _moment(end)]
    except ValueError:
        return None
    return max(0.0, times[1] - times[0])


def _moment(value: Any) -> float:
    if isinstance(value, (int, float)):
        return value / _MILLISECONDS
    return datetime.fromisoformat(str(value)).timestamp()


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and value >= 0 else None


_SHAPES: Final[tuple[tuple[tuple[str, ...], Callable[[Mapping[str, Any]], ServiceReport]], ...]] = (
    (("JobRunState",), _glue),
    (("JobRun",), _emr_nested),
    (("ApplicationId", "State"), _emr),
    (("Containers",), _ecs),
    (("ExecutionArn", "Status"), _status),
    (("Id", "Status"), _status),
    (("errorMessage",), _function_error),
    (("StatusCode",), _invocation),
)
"""The members by which each shape is known, and who reads it; the first match counts."""
