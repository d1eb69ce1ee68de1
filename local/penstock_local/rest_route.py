"""Which operation of a service's model a REST request asks for, and with which members."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from botocore.model import OperationModel, Shape

from penstock_local.api_error import ApiError, validation
from penstock_local.service_model import ServiceModel


@dataclass(frozen=True, slots=True)
class _Route:
    method: str
    path: re.Pattern[str]
    operation: OperationModel


class RestRoutes:
    """The routes of a service that speaks rest-json."""

    def __init__(self, model: ServiceModel) -> None:
        self._model = model

    @cached_property
    def _routes(self) -> list[_Route]:
        return [
            _Route(operation.http["method"], _pattern(operation.http["requestUri"]), operation)
            for operation in self._model.operations.values()
        ]

    def read(
        self, method: str, path: str, body: bytes, query: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        """The operation and its request, with members from the path, the query and the body.

        Raises ApiError when there is no such operation or a member cannot be read.
        """
        for route in self._routes:
            found = route.path.fullmatch(path.rstrip("/"))
            if found and route.method == method:
                try:
                    members = json.loads(body or b"{}")
                except ValueError as error:
                    message = "The request is not JSON"
                    raise ApiError("SerializationException", message) from error
                named = {name: unquote(value) for name, value in found.groupdict().items()}
                members |= named | _queried(route.operation.input_shape, query)
                return route.operation.name, members
        raise ApiError("UnknownOperationException", f"{method} {path} is no operation", status=404)


def _pattern(uri: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\?\{(\w+)\\?\}", r"(?P<\1>[^/]+)", uri.rstrip("/")))


def _queried(shape: Any, query: dict[str, Any]) -> dict[str, Any]:
    """The members of the query, in the types that the model has for them."""
    members = {}
    for name, member in shape.members.items():
        if member.serialization.get("location") == "querystring":
            given = query.get(member.serialization["name"])
            if given:
                members[name] = _typed(name, member, given if isinstance(given, list) else [given])
    return members


def _typed(name: str, shape: Shape, given: list[str]) -> Any:
    if shape.type_name == "list":
        return given
    try:
        if shape.type_name == "integer":
            return int(given[0])
        if shape.type_name == "timestamp":
            return datetime.fromisoformat(given[0]).timestamp()
    except ValueError as error:
        raise validation(f"{name} cannot be read: {given[0]!r}") from error
    return given[0]
