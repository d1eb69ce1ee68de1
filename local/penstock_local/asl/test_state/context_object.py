"""`$states.context` of a state under test: as the caller gives it, or made up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock_local.asl.api import ApiError
from penstock_local.asl.callbacks import new_token
from penstock_local.asl.definition import is_distributed
from penstock_local.asl.execution_input import read_json
from penstock_local.asl.map_items import STATE_DATA
from penstock_local.asl.test_state.mock import waiting_resource
from penstock_local.asl.visit import RETRYABLE, MapItem, Visit, timestamp

if TYPE_CHECKING:
    from penstock_local.asl.execution import Execution
    from penstock_local.asl.test_state.subject import Subject

_TASK_ONLY = (
    "Context object contains 'Task' when state is not a Task state with a '.sync' or"
    " '.waitForTaskToken' service integration pattern"
)
_TYPES: dict[str, dict[str, tuple[type, str]]] = {
    "Execution": {
        "Id": (str, "a string"),
        "Name": (str, "a string"),
        "RoleArn": (str, "a string"),
        "StartTime": (str, "a string"),
        "RedriveCount": (int, "a number"),
        "RedriveTime": (str, "a string"),
    },
    "StateMachine": {"Id": (str, "a string"), "Name": (str, "a string")},
    "State": {
        "Name": (str, "a string"),
        "EnteredTime": (str, "a string"),
        "RetryCount": (int, "a number"),
    },
    "Task": {"Token": (str, "a string")},
}
_EXECUTION_INPUT = ("Execution", "Input")
"""The one member that can be anything."""


def given_context(text: str, subject: Subject) -> dict[str, Any]:
    """The context that the caller gives: taken as it is, nothing added. Raises ApiError."""
    try:
        context = read_json(text)
    except ValueError as error:
        raise _invalid(str(error)) from None
    if not isinstance(context, dict):
        raise _invalid("Context object must be a JSON object")
    for field, value in context.items():
        if field == "Map":
            raise _invalid("'Map' field is not supported when mocking a Context object")
        if field not in _TYPES:
            raise _invalid(f"Field '{field}' is not allowed")
        _require_members(field, value)
    if "Task" in context and waiting_resource(subject.state) is None:
        raise _invalid(_TASK_ONLY)
    return context


def _require_members(field: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise _invalid(f"{field} must be an object")
    for name in value:
        if name not in _TYPES[field] and (field, name) != _EXECUTION_INPUT:
            raise _invalid(f"Field '{name}' is not allowed")
    for name, (kind, wanted) in _TYPES[field].items():
        if name in value and (not isinstance(value[name], kind) or isinstance(value[name], bool)):
            raise _invalid(f"{field}.{name} must be {wanted}")


def _invalid(problem: str) -> ApiError:
    return ApiError("ValidationException", f"Invalid Context object provided: {problem}")


def made_up_context(
    execution: Execution, visit: Visit, subject: Subject, role_arn: str | None
) -> dict[str, Any]:
    """The context of a state that is tested without one."""
    machine = execution.machine
    context: dict[str, Any] = {
        "Execution": {
            "Id": execution.arn,
            "Input": execution.input,
            "Name": execution.name,
            "RoleArn": role_arn,
            "StartTime": timestamp(execution.started),
        },
        "StateMachine": {"Id": machine.arn, "Name": machine.name},
        "State": {"Name": visit.name, "EnteredTime": timestamp(visit.entered_at)},
    }
    if visit.type in RETRYABLE:
        context["State"]["RetryCount"] = 0
    if waiting_resource(subject.state) is not None:
        context["Task"] = {"Token": new_token()}
    item = first_item(subject, visit.input)
    return context if item is None else {**context, "Map": item.as_context()}


def first_item(subject: Subject, value: Any) -> MapItem | None:
    """The item that a state inside a Map is tested with: the first one, its value the input."""
    maps = [state for state in subject.around if state["Type"] == "Map"]
    if not maps:
        return None
    return MapItem(0, value, STATE_DATA if is_distributed(maps[-1]) else None)
