"""A definition as a whole."""

from __future__ import annotations

import re
from typing import Any

from penstock_local.asl.execution_input import read_json
from penstock_local.asl.validation.expressions import check_expressions
from penstock_local.asl.validation.findings import SCHEMA, Diagnostic, Findings
from penstock_local.asl.validation.graph import check_graph, check_unique_names
from penstock_local.asl.validation.kinds import TEXT, Number
from penstock_local.asl.validation.states import check_workflow
from penstock_local.asl.validation.variables import check_assignments
from penstock_local.asl.values import Json

_UNKNOWN_WORD = re.compile(r"Unrecognized token '([^']*)'")
_FIELDS = {"Comment", "QueryLanguage", "StartAt", "TimeoutSeconds", "Version", "States"}
_LANGUAGES = ("JSONPath", "JSONata")
_TIMEOUT = Number(0, 99_999_999, expression=False)


class InvalidDefinitionError(Exception):
    """A definition that CreateStateMachine refuses; `str()` is the service's message."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        super().__init__(
            f"Invalid State Machine Definition: '{', '.join(str(one) for one in diagnostics)}'"
        )
        self.diagnostics = diagnostics


def diagnose(definition: Json, machine_type: str = "STANDARD") -> list[Diagnostic]:
    """Every finding about the definition: its form, its expressions, its variables, its graph.

    Penstock Local runs JSONata only, so of a machine in JSONPath that is all there is to say.
    """
    findings = Findings()
    if not isinstance(definition, dict):
        findings.schema("Definition must be a valid JSON object", None)
    elif _is_jsonata(definition, findings):
        _check_machine(definition, machine_type, findings)
    return findings.diagnostics


def read(text: str) -> Json | Diagnostic:
    """The value of a definition's text; a diagnostic when it is not JSON."""
    if not text.strip():
        return None
    try:
        return read_json(text)
    except ValueError as error:
        cause = error.__context__
        line, column = getattr(cause, "lineno", 1), getattr(cause, "colno", 1)
        word = _UNKNOWN_WORD.match(str(error))
        column += len(word[1]) if word else 0
        location = f'[Source: (String)"{text}"; line: {line}, column: {column}]'
        message = f"{error}\n at {location}"
        return Diagnostic("ERROR", "INVALID_JSON_DESCRIPTION", message, location)


def diagnose_text(text: str, machine_type: str = "STANDARD") -> list[Diagnostic]:
    """Every finding about the definition's text."""
    definition = read(text)
    if isinstance(definition, Diagnostic):
        return [definition]
    return diagnose(definition, machine_type)


def parse(text: str, machine_type: str = "STANDARD") -> dict[str, Any]:
    """The definition; raises InvalidDefinitionError exactly as CreateStateMachine words it."""
    definition = read(text)
    found = (
        [definition] if isinstance(definition, Diagnostic) else diagnose(definition, machine_type)
    )
    errors = [diagnostic for diagnostic in found if diagnostic.severity == "ERROR"]
    if errors:
        raise InvalidDefinitionError(errors)
    assert isinstance(definition, dict)
    return definition


def _is_jsonata(definition: dict[str, Any], findings: Findings) -> bool:
    language = definition.get("QueryLanguage", "JSONPath")
    if not findings.one_of(language, _LANGUAGES, "/QueryLanguage"):
        return False
    if language == "JSONPath" and definition.keys() & {"States", "StartAt"}:
        findings.error(
            SCHEMA,
            "Penstock Local runs state machines whose QueryLanguage is 'JSONata', and this one's is"
            " 'JSONPath'",
            "/QueryLanguage",
        )
        return False
    return True


def _check_machine(definition: dict[str, Any], machine_type: str, findings: Findings) -> None:
    for field in definition:
        if field not in _FIELDS:
            findings.unsupported(field, "/")
    if "Comment" in definition:
        TEXT.check(definition["Comment"], "/Comment", findings)
    if "Version" in definition:
        findings.one_of(definition["Version"], ("1.0",), "/Version")
    if "TimeoutSeconds" in definition:
        _TIMEOUT.check(definition["TimeoutSeconds"], "/TimeoutSeconds", findings)
    check_workflow(definition, "", machine_type, findings)
    check_expressions(definition, findings)
    check_assignments(definition, findings)
    check_unique_names(definition, findings)
    if isinstance(definition.get("States"), dict) and definition["States"]:
        check_graph(definition, findings)
