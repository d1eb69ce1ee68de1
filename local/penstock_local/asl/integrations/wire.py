"""JSON as a state holds it <-> parameters and answers as botocore holds them."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from penstock_local.asl.integrations.errors import RefusedError, UnfitArgumentsError
from penstock_local.asl.integrations.names import (
    MemberName,
    capitalised,
    java_member,
    members_by_name,
)
from penstock_local.asl.values import Json, compact

if TYPE_CHECKING:
    from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape


@dataclass(frozen=True, slots=True)
class Style:
    """How a generation of the SDK for Java writes names and times."""

    member: MemberName
    time: Callable[[dt.datetime], Json]


def _instant(moment: dt.datetime) -> str:
    """As Java's Instant: in UTC, without a fraction of zero."""
    utc = moment.astimezone(dt.UTC).replace(tzinfo=None)
    precision = "milliseconds" if utc.microsecond % 1000 == 0 else "microseconds"
    return utc.isoformat(timespec="seconds" if utc.microsecond == 0 else precision) + "Z"


def _epoch_milliseconds(moment: dt.datetime) -> int:
    return round(moment.timestamp() * 1000)


SDK_V2 = Style(java_member, _instant)
"""aws-sdk integrations, events:putEvents."""

SDK_V1 = Style(capitalised, _epoch_milliseconds)
"""The other optimised integrations."""


def to_wire(arguments: Json, operation: OperationModel, style: Style) -> dict[str, Any]:
    """The parameters of an API call.

    Members that are null are left out. Raises `UnfitArgumentsError` when a member is unknown,
    missing or of the wrong type, and `RefusedError`, in the words of the service, when a required
    one is null; every other fault is for the service to find.
    """
    reader = _Reader(style, streams=bool(operation.has_streaming_input))
    shape = operation.input_shape
    if not isinstance(arguments, dict):
        raise UnfitArgumentsError(["The Arguments must be an object"])
    if shape is None:
        parameters: dict[str, Any] = {}
        reader.problems = [_unknown(name) for name in arguments]
    else:
        generated = frozenset(operation.idempotent_members)
        parameters = reader.structure(arguments, shape, generated)
    if reader.problems:
        raise UnfitArgumentsError(reader.problems)
    if reader.nulls:
        raise _null_refused(reader.nulls, operation.service_model.metadata)
    return parameters


def _null_refused(members: list[str], metadata: Mapping[str, Any]) -> RefusedError:
    """What services answer to a required member that is null: they find it, not the SDK."""
    if "awsQueryCompatible" in metadata or metadata["protocol"] in ("query", "ec2"):
        message = f"The request must contain the parameter {members[0]}."
        return RefusedError("MissingParameter", message, 400)
    found = [
        f"Value null at '{member[:1].lower()}{member[1:]}' failed to satisfy constraint:"
        " Member must not be null"
        for member in members
    ]
    count = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: "
    return RefusedError("ValidationException", count + "; ".join(found), 400)


def _unknown(name: str) -> str:
    return f'The field "{name}" is not supported by Step Functions'


@dataclass(slots=True)
class _Reader:
    """Reads JSON by the shapes of the API and collects what does not fit.

    `nulls` are the required members that are there and null.
    """

    style: Style
    streams: bool
    problems: list[str] = field(default_factory=list)
    nulls: list[str] = field(default_factory=list)

    def structure(
        self, value: Json, shape: StructureShape, generated: frozenset[str] = frozenset()
    ) -> dict[str, Any]:
        known = members_by_name(shape, self.style.member)
        result = {}
        for name, member_value in value.items():
            member = known.get(name)
            if member is None:
                self.problems.append(_unknown(name))
            elif member_value is not None:
                result[member] = self.value(member_value, shape.members[member], name)
        for member in shape.required_members:
            if member in result or member in generated:
                continue
            name = self.style.member(member)
            if name in value:
                self.nulls.append(member)
            else:
                self.problems.append(f"The field '{name}' is required but was missing")
        return result

    def value(self, value: Json, shape: Shape, name: str) -> Any:
        if getattr(shape, "is_document_type", False):
            return value
        read = _READERS[shape.type_name]
        try:
            return read(self, value, shape, name)
        except (TypeError, ValueError, AttributeError):
            self.problems.append(f"The field '{name}' must be {_EXPECTED[shape.type_name]}")
            return None

    def _structure(self, value: Json, shape: Shape, name: str) -> Any:
        del name
        return self.structure(value, cast("StructureShape", shape))

    def _list(self, value: Json, shape: Shape, name: str) -> Any:
        if not isinstance(value, list):
            raise TypeError
        member = cast("ListShape", shape).member
        return [self.value(item, member, name) for item in value if item is not None]

    def _map(self, value: Json, shape: Shape, name: str) -> Any:
        member = cast("MapShape", shape).value
        return {
            key: self.value(item, member, f"{name}/{key}")
            for key, item in value.items()
            if item is not None
        }

    def _blob(self, value: Json, shape: Shape, name: str) -> bytes:
        """A body that the SDK streams is the value's JSON, a text with its quotes (as measured)."""
        del shape, name
        if isinstance(value, bytes):
            return value
        if isinstance(value, str) and not self.streams:
            return value.encode()
        return compact(value).encode()

    def _string(self, value: Json, shape: Shape, name: str) -> str:
        del shape, name
        return value if isinstance(value, str) else compact(value)

    def _whole(self, value: Json, shape: Shape, name: str) -> int:
        del shape, name
        number = float(_numeric(value))
        if not number.is_integer():
            raise ValueError
        return int(value) if isinstance(value, (int, str)) else int(number)

    def _fraction(self, value: Json, shape: Shape, name: str) -> float:
        del shape, name
        return float(_numeric(value))

    def _boolean(self, value: Json, shape: Shape, name: str) -> bool:
        del shape, name
        if isinstance(value, bool):
            return value
        return {"true": True, "false": False}[value] if value in ("true", "false") else _refuse()

    def _timestamp(self, value: Json, shape: Shape, name: str) -> dt.datetime:
        del shape, name
        if isinstance(value, str):
            moment = dt.datetime.fromisoformat(value)
            return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        return dt.datetime.fromtimestamp(float(_numeric(value)), dt.UTC)


def _numeric(value: Json) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        _refuse()
    return value


def _refuse() -> Any:
    raise TypeError


_READERS: dict[str, Callable[[_Reader, Json, Any, str], Any]] = {
    "structure": _Reader._structure,
    "list": _Reader._list,
    "map": _Reader._map,
    "blob": _Reader._blob,
    "string": _Reader._string,
    "character": _Reader._string,
    "integer": _Reader._whole,
    "long": _Reader._whole,
    "float": _Reader._fraction,
    "double": _Reader._fraction,
    "boolean": _Reader._boolean,
    "timestamp": _Reader._timestamp,
}

_EXPECTED = {
    "structure": "an object",
    "list": "an array",
    "map": "an object",
    "integer": "a whole number",
    "long": "a whole number",
    "float": "a number",
    "double": "a number",
    "boolean": "a boolean",
    "timestamp": "a timestamp",
}


def from_wire(answer: Any, shape: Shape | None, style: Style) -> Json:
    """The answer of an API call as JSON, names in the SDK's order (the alphabet)."""
    if isinstance(answer, bytes):
        return _text(answer)
    if isinstance(answer, dt.datetime):
        return style.time(answer)
    if isinstance(answer, list):
        member = cast("ListShape", shape).member if _is(shape, "list") else None
        return [from_wire(item, member, style) for item in answer]
    if not isinstance(answer, dict):
        return answer
    if _is(shape, "map"):
        value_shape = cast("MapShape", shape).value
        return {key: from_wire(item, value_shape, style) for key, item in answer.items()}
    if shape is None or getattr(shape, "is_document_type", False):
        return answer
    return _structure_from_wire(answer, cast("StructureShape", shape), style)


def _structure_from_wire(answer: dict[str, Any], shape: StructureShape, style: Style) -> Json:
    named = {
        style.member(member): from_wire(value, shape.members[member], style)
        for member, value in answer.items()
        if member in shape.members and value is not None
    }
    return dict(sorted(named.items()))


def _is(shape: Shape | None, kind: str) -> bool:
    return shape is not None and shape.type_name == kind


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return base64.b64encode(data).decode()
