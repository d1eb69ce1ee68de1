"""What an expression can do wrong, in the words of JSONata 2.0.6, which are AWS's."""

from __future__ import annotations

import json
import math
import re
from typing import Any, TypeVar

from jsonata.jexception import JException
from jsonata.utils import Utils


class JsonataError(Exception):
    """An expression that cannot be parsed or evaluated.

    `code` is JSONata's ("T1006"); None for what the evaluation itself ran into: its limits.
    `message` is the text without the code; `str()` is "T1006: Attempted to invoke a non-function".
    """

    def __init__(self, code: str | None, message: str) -> None:
        super().__init__(f"{code}: {message}" if code else message)
        self.code = code
        self.message = message


class UnsupportedResultError(Exception):
    """The result is a function, which no JSON value can hold."""


MEMORY_EXCEEDED = "Expression evaluation memory limit exceeded: Check for excessive memory usage"
_TEXT_LIMIT = 6_990_256

_PLACEHOLDER = re.compile(r"\{\{\{(\w+)\}\}\}|\{\{(\w+)\}\}")
_ARRAYS_OF = {
    "a": "arrays",
    "b": "booleans",
    "f": "functions",
    "n": "numbers",
    "o": "objects",
    "s": "strings",
}


_Value = TypeVar("_Value")


def within_memory(value: _Value) -> _Value:
    """The value, unless it is a text that takes more memory than AWS grants."""
    if isinstance(value, str) and len(value) > _TEXT_LIMIT:
        raise JsonataError(None, MEMORY_EXCEEDED)
    return value


def failure(code: str, **inserts: Any) -> JsonataError:
    """The error of that code, its text filled with the named inserts as the reference does."""

    def fill(match: re.Match[str]) -> str:
        raw, quoted = match.groups()
        value = inserts.get(raw or quoted)
        return str(value) if raw else _json_text(value)

    return JsonataError(code, _PLACEHOLDER.sub(fill, _template(code)))


def signature_failure(code: str, name: str | None, fault: JException) -> JsonataError:
    """A call with the wrong arguments: T0410, T0411 or T0412, as the package tells of it."""
    if code == "T0411":
        return failure(code, index=fault.expected, token=name)
    if code == "T0412":
        kind = _ARRAYS_OF.get(fault.extra, fault.extra)
        return failure(code, index=fault.current, token=name, type=kind)
    return failure(code, index=fault.current, token=name)


def translated(fault: JException) -> JsonataError:
    """An error that the package raised, worded as the reference words it.

    The package fills its texts by position; its inserts come in the order of the placeholders.
    """
    code = str(fault.error)
    if code not in JException.error_codes:
        return JsonataError(None, code)
    names = [raw or quoted for raw, quoted in _PLACEHOLDER.findall(_template(code))]
    given = (fault.current, fault.expected, fault.extra)
    return failure(code, **dict(zip(names, given, strict=False)))


def _template(code: str) -> str:
    text: str = JException.error_codes[code]
    # The package was made from a Java port that turned every "function" into "Object".
    return re.sub(r"\bObject\b", "function", text).replace('"', "'")


def _json_text(value: Any) -> str:
    """The value as the reference's JSON.stringify would insert it."""
    if value is None:
        return "undefined"
    if isinstance(value, float) and not math.isfinite(value):
        return "null"
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_unserialisable)


def _unserialisable(value: Any) -> Any:
    return None if value is Utils.NULL_VALUE else {}
