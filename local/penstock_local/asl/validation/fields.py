"""Which fields a state may have, by its type; measured on the service, 8 types by 50 fields."""

from __future__ import annotations

from typing import Any

from penstock_local.asl.validation.findings import Findings
from penstock_local.asl.validation.kinds import (
    FILLED_LIST,
    FLAG,
    LIST,
    LIST_OR_EXPRESSION,
    OBJECT,
    OBJECT_OR_EXPRESSION,
    TEXT,
    Kind,
    Number,
)

JSONPATH_FIELDS = (
    "InputPath",
    "OutputPath",
    "ResultPath",
    "Parameters",
    "ResultSelector",
    "Result",
    "ItemsPath",
    "TimeoutSecondsPath",
    "HeartbeatSecondsPath",
    "SecondsPath",
    "TimestampPath",
    "MaxConcurrencyPath",
    "ToleratedFailurePercentagePath",
    "ToleratedFailureCountPath",
    "ErrorPath",
    "CausePath",
)
"""Fields of states in the other query language."""

_EVERYWHERE = {"Type", "Comment", "QueryLanguage"}
_FLOW = {"InputPath", "OutputPath", "Output"}
_STEP = {*_FLOW, "Assign", "Next", "End"}
_WORK = {*_STEP, "ResultPath", "Parameters", "ResultSelector", "Retry", "Catch"}

ALLOWED: dict[str, set[str]] = {
    "Pass": {*_STEP, "Result", "ResultPath", "Parameters"},
    "Task": {
        *_WORK,
        *("Arguments", "Resource", "Credentials", "TimeoutSeconds", "TimeoutSecondsPath"),
        *("HeartbeatSeconds", "HeartbeatSecondsPath"),
    },
    "Wait": {*_STEP, "Seconds", "Timestamp", "SecondsPath", "TimestampPath"},
    "Parallel": {*_WORK, "Arguments", "Branches"},
    "Map": {
        *_WORK,
        *("ItemProcessor", "Iterator", "ItemsPath", "Items", "ItemSelector", "ItemReader"),
        *("ItemBatcher", "ResultWriter", "MaxConcurrency", "MaxConcurrencyPath", "Label"),
        *("ToleratedFailurePercentage", "ToleratedFailurePercentagePath"),
        *("ToleratedFailureCount", "ToleratedFailureCountPath"),
    },
    "Choice": {*_FLOW, "Assign", "Choices", "Default"},
    "Succeed": set(_FLOW),
    "Fail": {"Error", "Cause", "ErrorPath", "CausePath"},
}

REQUIRED: dict[str, tuple[str, ...]] = {
    "Task": ("Resource",),
    "Choice": ("Choices",),
    "Parallel": ("Branches",),
}

_MOST_SECONDS = 99_999_999

VALUES: dict[str, Kind | Number] = {
    "Comment": TEXT,
    "Next": TEXT,
    "End": FLAG,
    "Default": TEXT,
    "Resource": TEXT,
    "Label": TEXT,
    "Error": TEXT,
    "Cause": TEXT,
    "Assign": OBJECT,
    "Credentials": OBJECT,
    "Choices": FILLED_LIST,
    "Branches": FILLED_LIST,
    "Retry": LIST,
    "Catch": LIST,
    "Items": LIST_OR_EXPRESSION,
    "ItemSelector": OBJECT_OR_EXPRESSION,
    "ItemReader": OBJECT,
    "ItemBatcher": OBJECT,
    "ResultWriter": OBJECT,
    "ItemProcessor": OBJECT,
    "Iterator": OBJECT,
    "Seconds": Number(0, _MOST_SECONDS),
    "TimeoutSeconds": Number(1, _MOST_SECONDS),
    "HeartbeatSeconds": Number(1, _MOST_SECONDS),
    "MaxConcurrency": Number(0),
    "ToleratedFailurePercentage": Number(0, 100, whole=False),
    "ToleratedFailureCount": Number(0),
}
"""The kinds of values, for fields that have one whatever the type of the state."""


def check_fields(state: dict[str, Any], location: str, findings: Findings) -> None:
    """Check which fields the state has, and the kinds of their values."""
    allowed = ALLOWED[state["Type"]] | _EVERYWHERE
    for field in state:
        if field not in allowed:
            findings.unsupported(field, location)
        elif field in JSONPATH_FIELDS:
            refuse_jsonpath(field, location, findings)
    findings.required(_missing(state), location)
    for field, value in state.items():
        if field in allowed and field in VALUES:
            VALUES[field].check(value, f"{location}/{field}", findings)


def _missing(state: dict[str, Any]) -> list[str]:
    return [field for field in REQUIRED.get(state["Type"], ()) if field not in state]


def refuse_jsonpath(field: str, location: str, findings: Findings) -> None:
    """Note a field that only states with JSONPath have."""
    findings.schema(
        f"The QueryLanguage is set to 'JSONata', but field '{field}' is only supported for the"
        " 'JSONPath' QueryLanguage",
        location,
    )
