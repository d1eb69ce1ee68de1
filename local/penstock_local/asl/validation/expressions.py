"""The expressions of a definition: that they are JSONata, and read what there is to read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from penstock_local.asl.definition import all_states
from penstock_local.asl.jsonata import JsonataError
from penstock_local.asl.jsonata.references import References, references
from penstock_local.asl.template import expression_of, is_expression
from penstock_local.asl.validation.findings import Findings
from penstock_local.asl.validation.kinds import check_closed

_UNSUPPORTED = "UNSUPPORTED_JSONATA_EXPRESSION"
_EVERYWHERE = frozenset({"input", "context"})
_WITH_RESULT = _EVERYWHERE | {"result"}
_WITH_ERROR = _EVERYWHERE | {"errorOutput"}
_HAVING_RESULT = ("Task", "Map", "Parallel")

_NOT_EVALUATED = frozenset(
    {
        *("Type", "Comment", "QueryLanguage", "Next", "Default", "End", "Resource", "Label"),
        *("ErrorEquals", "Retry", "Credentials", "CSVHeaders"),
        *("Branches", "ItemProcessor", "Iterator"),
    }
)
"""Fields of the language that the service takes as they stand. Members of a payload (Output,
Assign, Arguments, …) may have these names and are evaluated all the same."""

_PAYLOADS = frozenset(
    {"Output", "Assign", "Arguments", "Items", "ItemSelector", "BatchInput", "Error", "Cause"}
)


class Expression(NamedTuple):
    """One expression of a state: its text, where it stands, the fields of `$states` there are."""

    text: str
    location: str
    fields: frozenset[str]


def expressions_of(state: dict[str, Any], location: str) -> Iterator[Expression]:
    """The texts of a state that are, or begin as, expressions."""
    has_result = state.get("Type") in _HAVING_RESULT
    for field, value in state.items():
        if field in _NOT_EVALUATED:
            continue
        where = f"{location}/{field}"
        if field == "Catch":
            yield from _catchers(value, where)
            continue
        after = has_result and field in ("Output", "Assign")
        fields = _WITH_RESULT if after else _EVERYWHERE
        yield from _within(value, where, fields, in_payload=field in _PAYLOADS)


def _catchers(catch: Any, location: str) -> Iterator[Expression]:
    for index, catcher in enumerate(catch if isinstance(catch, list) else ()):
        for field, value in catcher.items() if isinstance(catcher, dict) else ():
            if field not in _NOT_EVALUATED:
                where = f"{location}[{index}]/{field}"
                yield from _within(value, where, _WITH_ERROR, in_payload=True)


def _within(
    value: Any, location: str, fields: frozenset[str], *, in_payload: bool
) -> Iterator[Expression]:
    if isinstance(value, dict):
        for key, member in value.items():
            if in_payload or key not in _NOT_EVALUATED:
                inside = in_payload or key in _PAYLOADS
                yield from _within(member, f"{location}/{key}", fields, in_payload=inside)
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _within(member, f"{location}[{index}]", fields, in_payload=in_payload)
    elif isinstance(value, str) and value.startswith("{%"):
        yield Expression(value, location, fields)


def check_expressions(workflow: dict[str, Any], findings: Findings) -> None:
    """Check every expression of the definition."""
    for found in all_states(workflow):
        if isinstance(found.state, dict):
            for expression in expressions_of(found.state, found.location):
                _check(expression, findings)


def _check(expression: Expression, findings: Findings) -> None:
    if not is_expression(expression.text):
        check_closed(expression.text, expression.location, findings)
        return
    try:
        refers = references(expression_of(expression.text))
    except JsonataError as error:
        findings.error("INVALID_JSONATA_EXPRESSION", error.message, expression.location)
        return
    _check_references(refers, expression, findings)


def _check_references(refers: References, expression: Expression, findings: Findings) -> None:
    location = expression.location
    for name in refers.context:
        message = f"Reference to '{name}' at the top level is not supported."
        findings.error(_UNSUPPORTED, message, location)
    if refers.root:
        findings.error(_UNSUPPORTED, "Reference to '$$' is not supported.", location)
    for field in refers.states_fields:
        if field not in expression.fields:
            message = f"Field '$states.{field}' does not exist."
            findings.error(_UNSUPPORTED, message, location)


def variable_references(workflow: dict[str, Any]) -> dict[str, list[str]]:
    """State name -> sorted names of the variables it reads; states that read none are left out."""
    found: dict[str, list[str]] = {}
    for located in all_states(workflow):
        if isinstance(located.state, dict):
            names = sorted(_variables(located.state))
            if names:
                found[located.name] = names
    return found


def _variables(state: dict[str, Any]) -> set[str]:
    return {
        name
        for expression in expressions_of(state, "")
        if is_expression(expression.text)
        for name in references(expression_of(expression.text)).variables
    }
