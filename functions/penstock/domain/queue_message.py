"""The messages of the error queue: what Penstock itself has put there, and rubbish."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXTS: Final = {
    "job": ("category", "job_name"),
    "run_log": ("job_id",),
    "rejects": ("category", "job_name", "job_id", "path"),
}
"""For each kind the texts that a message must have."""
_MAY_BE_TEXTS: Final = ("job_id", "logical_date", "outcome", "error", "cause")
_NUMBERS: Final = ("attempt", "times")
_MOST_DIGITS: Final = 9
_SHOWN: Final = 60


class PoisonError(ValueError):
    """No run will ever be able to read the message."""


def read_message(text: str) -> dict[str, Any]:
    """Return the message; raise PoisonError with the reason if it is none of Penstock's."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        raise PoisonError("the message is no JSON") from None
    if not isinstance(body, dict):
        raise PoisonError(f"the message is no JSON object but a {type(body).__name__}")
    if "kind" not in body and "TopicArn" in body:
        raise PoisonError("the message is wrapped by SNS: subscribe with raw message delivery")
    kind = body.get("kind")
    if not isinstance(kind, str) or kind not in _TEXTS:
        raise PoisonError(f"its kind is {_short(kind)}, but {' or '.join(_TEXTS)} is expected")
    _check_fields(body, _TEXTS[kind])
    return body


def _check_fields(body: Mapping[str, Any], required: tuple[str, ...]) -> None:
    for name in required:
        if not isinstance(body.get(name), str) or not body[name].strip():
            raise PoisonError(f"its {name} is {_short(body.get(name))}, but a text is expected")
    for name in _MAY_BE_TEXTS:
        if not isinstance(body.get(name, ""), str | None):
            raise PoisonError(f"its {name} is {_short(body[name])}, but a text is expected")
    for name in _NUMBERS:
        value = body.get(name, 1)
        if isinstance(value, bool) or not isinstance(value, int) or not _is_count(value):
            raise PoisonError(f"its {name} is {_short(value)}, but a number is expected")


def _is_count(value: int) -> bool:
    return 0 <= value < 10**_MOST_DIGITS


def _short(value: Any) -> str:
    if value is None:
        return "missing"
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
