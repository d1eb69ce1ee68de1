"""The input text of StartExecution, refused as the service refuses it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from penstock_local.asl.api import ApiError
from penstock_local.asl.limits import exceeds_limit
from penstock_local.asl.values import PAYLOAD_LIMIT

if TYPE_CHECKING:
    from penstock_local.asl.values import Json

_WORD = re.compile(r"\s*([A-Za-z_][\w.-]*)")
_SINGLE_QUOTE_KEY = re.compile(r"[{,]\s*'")
_LITERALS = frozenset({"null", "true", "false"})


def read_input(text: str) -> Json:
    """The value of an execution's input.

    Raises ApiError: InvalidExecutionInput for text that is not JSON, ValidationException beyond
    256 KiB.
    """
    if exceeds_limit(text):
        raise ApiError(
            "ValidationException",
            "1 validation error detected: Value at 'input' failed to satisfy constraint: Member"
            f" must have length less than or equal to {PAYLOAD_LIMIT}",
        )
    try:
        return read_json(text)
    except ValueError as error:
        raise ApiError(
            "InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'"
        ) from None


def read_json(text: str) -> Json:
    """The value of JSON text; a ValueError is in the words of the service's parser."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except ValueError as error:
        raise ValueError(_explained(text, error)) from None


def _refuse(constant: str) -> Json:
    raise ValueError(f"Non-standard token '{constant}'")


def _explained(text: str, error: ValueError) -> str:
    if not text.strip():
        return "Invalid execution input."
    word = _WORD.match(text)
    if word is not None and word[1] not in _LITERALS:
        return (
            f"Unrecognized token '{word[1]}': was expecting (JSON String, Number, Array, Object or"
            " token 'null', 'true' or 'false')"
        )
    if _SINGLE_QUOTE_KEY.search(text):
        return (
            "Unexpected character (''' (code 39)): was expecting double-quote to start field name"
        )
    return str(error)
