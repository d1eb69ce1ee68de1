"""JSONata expressions, as Step Functions evaluates them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from penstock_local.asl.values import Json


class Undefined:
    """The type of `UNDEFINED`: what an expression gives that selects nothing."""


UNDEFINED: Final = Undefined()


class JsonataError(Exception):
    """An expression that cannot be parsed or evaluated; `str()` is "T1006: Attempted to …"."""

    def __init__(self, code: str | None, message: str) -> None:
        super().__init__(f"{code}: {message}" if code else message)
        self.code = code


def check(expression: str) -> None:
    """Parse the expression; raises `JsonataError` when it is not JSONata."""
    raise NotImplementedError


def evaluate(expression: str, bindings: Mapping[str, Json]) -> Json | Undefined:
    """The value of the expression, or `UNDEFINED`; raises `JsonataError`."""
    raise NotImplementedError
