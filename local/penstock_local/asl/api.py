"""What every Step Functions action shares: its errors, its constraints, its ARNs and its tokens."""

from __future__ import annotations

import base64
import binascii
import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import botocore.session

if TYPE_CHECKING:
    from botocore.model import ServiceModel, Shape

Request = dict[str, Any]
Answer = dict[str, Any]

_FORBIDDEN_IN_NAMES = re.compile(r"[\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]")


class ApiError(Exception):
    """An error that an action answers with: the API's code and a message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Arn:
    """The parts of a Step Functions ARN; `resource` may itself contain colons."""

    text: str
    region: str
    account: str
    type: str
    resource: str


def parse_arn(text: str) -> Arn:
    """Take an ARN apart; InvalidArn when it is none of Step Functions."""
    parts = text.split(":", 6)
    if parts[0] != "arn":
        raise ApiError("InvalidArn", f"Invalid Arn: 'Invalid ARN prefix: {text}'")
    if len(parts) < 7 or parts[2] != "states":
        raise ApiError("InvalidArn", f"Invalid Arn: '{text}'")
    return Arn(text, parts[3], parts[4], parts[5], parts[6])


def require_type(text: str, *types: str) -> Arn:
    """The ARN, which must be of one of the types; InvalidArn otherwise."""
    arn = parse_arn(text)
    if arn.type not in types:
        raise ApiError(
            "InvalidArn", f"Invalid Arn: 'Resource type not valid in this context: {arn.type}'"
        )
    return arn


def require_name(name: str) -> str:
    """The name of an execution; InvalidName when it has characters that names must not have."""
    if _FORBIDDEN_IN_NAMES.search(name):
        raise ApiError("InvalidName", f"Invalid Name: '{name}'")
    return name


def require_constraints(action: str, request: Request) -> None:
    """Refuse a request that breaks a constraint of the API's own model: ValidationException.

    Lengths, ranges, enumerations and required members are read from botocore's description of
    the service, so that they are those of the real one.
    """
    shape = _model().operation_model(action).input_shape
    broken = list(_violations(shape, request)) if shape is not None else []
    if broken:
        errors = "error" if len(broken) == 1 else "errors"
        raise ApiError(
            "ValidationException",
            f"{len(broken)} validation {errors} detected: {'; '.join(broken)}",
        )


@functools.cache
def _model() -> ServiceModel:
    return botocore.session.Session().get_service_model("stepfunctions")


def _violations(shape: Any, request: Request) -> Iterator[str]:
    for name, member in shape.members.items():
        value = request.get(name)
        if value is None:
            if name in shape.required_members:
                yield (
                    f"Value null at '{name}' failed to satisfy constraint: Member must not be null"
                )
            continue
        wrong = _violation(member, value)
        if wrong is not None:
            shown = "" if member.metadata.get("sensitive") else f" '{value}'"
            yield f"Value{shown} at '{name}' failed to satisfy constraint: {wrong}"


def _violation(shape: Shape, value: Any) -> str | None:
    limits = shape.metadata
    if isinstance(value, str):
        if "enum" in limits and value not in limits["enum"]:
            return f"Member must satisfy enum value set: [{', '.join(limits['enum'])}]"
        return _out_of_range(limits, len(value), "length")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _out_of_range(limits, value, "value")
    return None


def _out_of_range(limits: dict[str, Any], number: float, what: str) -> str | None:
    if number < limits.get("min", number):
        return f"Member must have {what} greater than or equal to {limits['min']}"
    if number > limits.get("max", number):
        return f"Member must have {what} less than or equal to {limits['max']}"
    return None


def page_token(**position: Any) -> str:
    """A token that says where the next page starts, and of which list."""
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def read_page_token(token: str, **unchanged: Any) -> dict[str, Any]:
    """The position in a token; InvalidToken unless it was made for the same list."""
    try:
        position = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, binascii.Error):
        position = None
    if not isinstance(position, dict) or any(
        position.get(key) != value for key, value in unchanged.items()
    ):
        raise ApiError("InvalidToken", "Invalid Token: 'Invalid token'")
    return position
