"""Fields of a state: JSON in which every text "{% … %}" is a JSONata expression."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from penstock_local.asl import jsonata
from penstock_local.asl.errors import EvaluationError
from penstock_local.asl.values import Json, compact, type_name

Expected = Literal["number", "string", "array", "boolean", "object", "timestamp"]

_OPENING, _CLOSING = "{%", "%}"


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression can see: the variables, and `$states` (input, context, …)."""

    variables: Mapping[str, Json]
    states: Mapping[str, Json]


def is_expression(value: Json) -> bool:
    """Whether the value is a text that begins with "{%" and ends with "%}", no blanks outside."""
    return (
        isinstance(value, str)
        and len(value) >= len(_OPENING) + len(_CLOSING)
        and value.startswith(_OPENING)
        and value.endswith(_CLOSING)
    )


def expression_of(text: str) -> str:
    """The JSONata between the delimiters, trimmed."""
    return text[len(_OPENING) : -len(_CLOSING)].strip()


def render(value: Json, scope: Scope, field: str) -> Json:
    """The field's value with every expression in it evaluated.

    `field` is the location of the value inside the state: "Arguments", and for a member
    "Arguments/FunctionName", for a member of a list "Arguments/Items[0]". Raises EvaluationError.
    """
    bindings = jsonata.Bindings({**scope.variables, "states": dict(scope.states)})
    return _rendered(value, bindings, field)


def render_as(value: Json, scope: Scope, field: str, expected: Expected) -> Json:
    """The rendered value, which must be of the expected type; else EvaluationError.

    A "timestamp" is a text in ISO-8601's extended form with an offset.
    """
    result = render(value, scope, field)
    if not _ACCEPTS[expected](result):
        raise EvaluationError(_unexpected(value, field, expected, result), field)
    if expected == "timestamp" and not _TIMESTAMP.fullmatch(result):
        name = field.rpartition("/")[2]
        raise EvaluationError(
            f"The {name} field cannot be parsed as an ISO-8601 extended offset date-time format"
            f" string: {result}",
            field,
        )
    return result


def _rendered(value: Json, bindings: jsonata.Bindings, field: str) -> Json:
    if is_expression(value):
        return _evaluated(value, bindings, field)
    if isinstance(value, dict):
        return {key: _rendered(member, bindings, f"{field}/{key}") for key, member in value.items()}
    if isinstance(value, list):
        return [
            _rendered(member, bindings, f"{field}[{index}]") for index, member in enumerate(value)
        ]
    return value


def _evaluated(text: str, bindings: jsonata.Bindings, field: str) -> Json:
    try:
        result = jsonata.evaluate(expression_of(text), bindings)
    except jsonata.UnsupportedResultError:
        detail = f"{_specified(text, field)} returned an unsupported result type."
        raise EvaluationError(detail, field) from None
    except jsonata.JsonataError as fault:
        # A fault with a code is a sentence of its own; a limit that was passed is not.
        link = ". " if fault.code else ": "
        detail = f"{_specified(text, field)} threw an error during evaluation{link}{fault}"
        raise EvaluationError(detail, field) from fault
    if isinstance(result, jsonata.Undefined):
        detail = f"{_specified(text, field)} returned nothing (undefined)."
        raise EvaluationError(detail, field)
    return result


_TIMESTAMP = re.compile(
    r"[+-]?\d{4,}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d"
    r"(:[0-5]\d(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}(:\d{2})?)"
)


def _is_number(value: Json) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_text(value: Json) -> bool:
    return isinstance(value, str)


_ACCEPTS: dict[Expected, Callable[[Json], bool]] = {
    "number": _is_number,
    "string": _is_text,
    "timestamp": _is_text,
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
}


def _unexpected(value: Json, field: str, expected: Expected, result: Json) -> str:
    name = "string" if expected == "timestamp" else expected
    found = f"Expected '{name}', but was '{type_name(result)}' for value: {compact(result)}"
    if not is_expression(value):
        return f"The field '{field}' has an unexpected type. {found}"
    return f"{_specified(value, field)} returned an unexpected result type. {found}"


def _specified(text: str, field: str) -> str:
    return f"The JSONata expression '{expression_of(text)}' specified for the field '{field}'"
