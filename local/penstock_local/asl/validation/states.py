"""The form of states: fields, transitions, and what only one type has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from penstock_local.asl.definition import (
    STATE_TYPES,
    Located,
    child_type,
    states_of,
    sub_workflows,
)
from penstock_local.asl.validation.error_handling import check_catch, check_retry
from penstock_local.asl.validation.fields import check_fields, refuse_jsonpath
from penstock_local.asl.validation.findings import Findings
from penstock_local.asl.validation.kinds import OBJECT, TEXT, check_condition, check_timestamp
from penstock_local.asl.validation.maps import check_map
from penstock_local.asl.validation.tasks import check_task

LONGEST_NAME = 80

_LANGUAGES = ("JSONPath", "JSONata")
_RULE_FIELDS = {"Condition", "Next", "Assign", "Output", "Comment"}
_RULE_KINDS = ("And", "Or", "Not", "Variable", "Condition")
_TERMINAL = ("Succeed", "Fail")


def check_workflow(workflow: Any, location: str, machine_type: str, findings: Findings) -> None:
    """Check the states of a scope and of all scopes inside; `workflow` has StartAt and States."""
    if not isinstance(workflow, dict):
        OBJECT.check(workflow, location, findings)
        return
    findings.required(
        (field for field in ("States", "StartAt") if field not in workflow), location or "/"
    )
    if "StartAt" in workflow:
        TEXT.check(workflow["StartAt"], f"{location}/StartAt", findings)
    if not isinstance(workflow.get("States", {}), dict):
        OBJECT.check(workflow["States"], f"{location}/States", findings)
    elif not workflow.get("States", True):
        findings.schema("Value cannot be empty", f"{location}/States")
    for found in states_of(workflow, location):
        _check_state(found, machine_type, findings)


def _check_state(found: Located, machine_type: str, findings: Findings) -> None:
    state, location = found.state, found.location
    if len(found.name) > LONGEST_NAME:
        findings.error(
            "INVALID_STATE_NAME",
            f"Invalid State name: {found.name} exceeds the {LONGEST_NAME}-character limit allowed"
            " by the service",
            location,
        )
    if not isinstance(state, dict):
        OBJECT.check(state, location, findings)
    elif "Type" not in state:
        findings.required(["Type"], location)
    elif state["Type"] not in STATE_TYPES:
        findings.schema(
            f"The field 'Type' should have one of these values: [{', '.join(STATE_TYPES)}]",
            f"{location}/Type",
        )
    else:
        _check_known_state(state, location, machine_type, findings)


def _check_known_state(
    state: dict[str, Any], location: str, machine_type: str, findings: Findings
) -> None:
    _check_language(state, location, findings)
    check_fields(state, location, findings)
    _check_transition(state, location, findings)
    check_retry(state, location, findings)
    check_catch(state, location, findings)
    if state["Type"] in _BY_TYPE:
        _BY_TYPE[state["Type"]](state, location, machine_type, findings)
    for inner in sub_workflows(state):
        where = f"{location}/{inner.path}"
        _refuse_language(inner.definition, where, findings)
        check_workflow(inner.definition, where, child_type(state, machine_type), findings)


def _check_language(state: dict[str, Any], location: str, findings: Findings) -> None:
    if "QueryLanguage" not in state:
        return
    language = state["QueryLanguage"]
    if findings.one_of(language, _LANGUAGES, f"{location}/QueryLanguage") and language != "JSONata":
        findings.schema(
            "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine",
            location,
        )


def _refuse_language(workflow: Any, location: str, findings: Findings) -> None:
    """Refuse a query language on what is no state."""
    if isinstance(workflow, dict) and "QueryLanguage" in workflow:
        findings.unsupported("QueryLanguage", location)


def _check_transition(state: dict[str, Any], location: str, findings: Findings) -> None:
    if state["Type"] in (*_TERMINAL, "Choice"):
        return
    ways = {
        field: state[field] for field in ("Next", "End") if state.get(field) not in (None, False)
    }
    findings.only_one_of(ways, ("Next", "End"), location)


def _check_choice(
    state: dict[str, Any],
    location: str,
    machine_type: str,  # noqa: ARG001 - the same for every type
    findings: Findings,
) -> None:
    rules = state.get("Choices")
    for index, rule in enumerate(rules if isinstance(rules, list) else ()):
        _check_rule(rule, f"{location}/Choices[{index}]", findings)


def _check_rule(rule: Any, location: str, findings: Findings) -> None:
    if not isinstance(rule, dict):
        OBJECT.check(rule, location, findings)
        return
    for field in rule:
        if field not in _RULE_FIELDS:
            refuse_jsonpath(field, location, findings)
    findings.required((field for field in ("Next",) if field not in rule), location)
    if sum(kind in rule for kind in _RULE_KINDS) != 1:
        kinds = ", ".join(_RULE_KINDS)
        findings.schema(
            f"The object must have only one of the following fields, [{kinds}]", location
        )
    if "Condition" in rule:
        check_condition(rule["Condition"], f"{location}/Condition", findings)
    for field, kind in (("Next", TEXT), ("Assign", OBJECT), ("Comment", TEXT)):
        if field in rule:
            kind.check(rule[field], f"{location}/{field}", findings)


def _check_wait(
    state: dict[str, Any],
    location: str,
    machine_type: str,  # noqa: ARG001 - the same for every type
    findings: Findings,
) -> None:
    findings.only_one_of(state, ("SecondsPath", "Seconds", "TimestampPath", "Timestamp"), location)
    if "Timestamp" in state:
        check_timestamp(state["Timestamp"], f"{location}/Timestamp", findings)


_BY_TYPE: dict[str, Callable[[dict[str, Any], str, str, Findings], None]] = {
    "Task": check_task,
    "Map": check_map,
    "Choice": _check_choice,
    "Wait": _check_wait,
}
