"""Checks a request against the service's own model, and words refusals as AWS does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import botocore.session
from botocore.model import OperationModel

from penstock_local.api_error import ApiError, validation


class ServiceModel:
    """What the installed SDK knows of a service, by botocore's name for it."""

    def __init__(self, service: str) -> None:
        self.service = service

    @cached_property
    def operations(self) -> dict[str, OperationModel]:
        """Every operation by its name."""
        model = botocore.session.get_session().get_service_model(self.service)
        return {name: model.operation_model(name) for name in model.operation_names}

    def check(self, operation: str, request: Any) -> None:
        """Raise ValidationException for members that are missing, of a wrong type or too long."""
        shape = self.operations[operation].input_shape
        if not isinstance(request, dict):
            raise ApiError("SerializationException", "The request must be a JSON object")
        problems = list(_problems(shape, request, ""))
        if problems:
            plural = "s" if len(problems) > 1 else ""
            listed = "; ".join(problems)
            raise validation(f"{len(problems)} validation error{plural} detected: {listed}")


def _problems(shape: Any, value: Any, path: str) -> Iterator[str]:
    if shape is None:
        return
    if not _is_of_type(shape.type_name, value):
        raise ApiError(
            "SerializationException", f"{path or 'The request'} is not of type {shape.type_name}"
        )
    if shape.type_name == "structure":
        yield from _member_problems(shape, value, path)
    elif shape.type_name == "list":
        yield from _length_problems(shape, value, path)
        for number, item in enumerate(value, start=1):
            yield from _problems(shape.member, item, f"{path}.{number}.member")
    elif shape.type_name == "map":
        yield from _length_problems(shape, value, path)
        for key, item in value.items():
            yield from _problems(shape.value, item, f"{path}.{key}")
    else:
        yield from _scalar_problems(shape, value, path)


def _is_of_type(type_name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return type_name == "boolean"
    return isinstance(value, _PYTHON[type_name])


def _member_problems(shape: Any, value: dict[str, Any], path: str) -> Iterator[str]:
    for name, member in shape.members.items():
        place = f"{path}.{_lower(name)}" if path else _lower(name)
        if value.get(name) is not None:
            yield from _problems(member, value[name], place)
        elif name in shape.required_members:
            yield _problem("null", place, "Member must not be null")


def _scalar_problems(shape: Any, value: Any, path: str) -> Iterator[str]:
    if isinstance(value, str):
        yield from _length_problems(shape, value, path)
        pattern = shape.metadata.get("pattern")
        if pattern and not re.fullmatch(pattern, value):
            rule = f"Member must satisfy regular expression pattern: {pattern}"
            yield _problem(repr(value), path, rule)
        if shape.metadata.get("enum") and value not in shape.metadata["enum"]:
            allowed = ", ".join(shape.metadata["enum"])
            yield _problem(repr(value), path, f"Member must satisfy enum value set: [{allowed}]")
    elif not isinstance(value, bool):
        yield from _bound_problems(shape, value, value, "value", path)


def _length_problems(shape: Any, value: Any, path: str) -> Iterator[str]:
    yield from _bound_problems(shape, value, len(value), "length", path)


def _bound_problems(shape: Any, value: Any, size: int, measure: str, path: str) -> Iterator[str]:
    shown = repr(value) if isinstance(value, str) else f"'{value}'"
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield _problem(shown, path, f"Member must have {measure} greater than or equal to {least}")
    if most is not None and size > most:
        yield _problem(shown, path, f"Member must have {measure} less than or equal to {most}")


def _problem(value: str, path: str, rule: str) -> str:
    shown = value if len(value) <= 200 else f"{value[:200]}..."
    return f"Value {shown} at '{path}' failed to satisfy constraint: {rule}"


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]


_PYTHON: dict[str, type | tuple[type, ...]] = {
    "structure": dict,
    "list": list,
    "map": dict,
    "string": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "double": (int, float),
    "timestamp": (int, float),
}
