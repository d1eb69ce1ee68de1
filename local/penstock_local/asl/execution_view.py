"""How the API shows an execution: DescribeExecution, ListExecutions and what they agree on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from penstock_local.asl.execution import Execution
from penstock_local.asl.history import EVENT_LIMIT

if TYPE_CHECKING:
    from penstock_local.asl.api import Answer

REDRIVABLE_SECONDS = 14 * 24 * 3600
"""How long after its end an execution can be redriven."""


def redrive_status(execution: Execution) -> tuple[str, str | None]:
    """Whether the execution can be redriven now, and if not, why."""
    reason = None
    if not execution.status.unsuccessful:
        reason = f"Execution is {execution.status} and cannot be redriven"
    elif execution.machine.express and execution.map_run is None:
        reason = "Execution is EXPRESS and cannot be redriven"
    elif len(execution.history) >= EVENT_LIMIT - 1:
        reason = "Execution history event limit exceeded"
    elif execution.stopped is not None and time.time() - execution.stopped > REDRIVABLE_SECONDS:
        reason = "Execution redrivable period exceeded"
    if reason is not None:
        return "NOT_REDRIVABLE", reason
    return ("REDRIVABLE" if execution.map_run is None else "REDRIVABLE_BY_MAP_RUN"), None


def listed(execution: Execution) -> Answer:
    """The execution as an entry of ListExecutions."""
    return present(
        executionArn=execution.arn,
        stateMachineArn=execution.machine.arn,
        name=execution.name,
        status=execution.status.value,
        startDate=date(execution.started),
        stopDate=date(execution.stopped),
        mapRunArn=execution.map_run and execution.map_run.arn,
        itemCount=execution.items if execution.map_run is not None else None,
        stateMachineVersionArn=execution.machine.version_arn,
        stateMachineAliasArn=execution.machine.alias_arn,
        redriveCount=execution.redrive_count,
        redriveDate=date(execution.redriven),
    )


def described(execution: Execution, *, with_data: bool = True) -> Answer:
    """The answer of DescribeExecution; without data it has neither input nor output."""
    status, reason = redrive_status(execution)
    answer = listed(execution)
    answer.pop("itemCount", None)
    answer.update(
        present(
            **payload("input", execution.input_text, with_data=with_data),
            **payload("output", execution.output, with_data=with_data),
            error=execution.error if with_data else None,
            cause=execution.cause if with_data else None,
            traceHeader=execution.trace_header,
            redriveStatus=status,
            redriveStatusReason=reason,
        )
    )
    return answer


def described_sync(execution: Execution, *, with_data: bool = True) -> Answer:
    """The answer of StartSyncExecution."""
    assert execution.stopped is not None
    milliseconds = (execution.stopped - execution.started) * 1000
    return present(
        executionArn=execution.arn,
        stateMachineArn=execution.machine.arn,
        name=execution.name,
        startDate=date(execution.started),
        stopDate=date(execution.stopped),
        status=execution.status.value,
        error=execution.error,
        cause=execution.cause,
        **payload("input", execution.input_text, with_data=with_data),
        **payload("output", execution.output, with_data=with_data),
        traceHeader=execution.trace_header,
        billingDetails={
            "billedMemoryUsedInMB": 64,
            "billedDurationInMilliseconds": -int(-milliseconds // 100) * 100,
        },
    )


def payload(field: str, text: str | None, *, with_data: bool) -> dict[str, Any]:
    """An input or output with its details; nothing when there is none."""
    if text is None:
        return {}
    shown: dict[str, Any] = {field: text} if with_data else {}
    return {**shown, f"{field}Details": {"included": with_data}}


def date(seconds: float | None) -> float | None:
    """A moment as the API writes it."""
    return None if seconds is None else round(seconds, 3)


def present(**fields: Any) -> dict[str, Any]:
    """The fields that have a value."""
    return {key: value for key, value in fields.items() if value is not None}
