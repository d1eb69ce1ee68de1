"""$string, $substring, $pad and the other functions of texts."""

from __future__ import annotations

import math
import re
from typing import Any

from penstock_local.asl.jsonata import notation
from penstock_local.asl.jsonata.data import is_function, is_number
from penstock_local.asl.jsonata.errors import JsonataError, failure
from penstock_local.asl.jsonata.native import function

_INDENT = 2


@function("string", "<x-b?:s>")
def string(value: Any, prettify: bool | None = None) -> str | None:
    """The value as text: a text unchanged, a function empty, all else as JSON."""
    if value is None or isinstance(value, str):
        return value
    if is_function(value):
        return ""
    if is_number(value) and not math.isfinite(value):
        raise failure("D3001", value=value)
    return notation.json_text(value, _INDENT if prettify else 0)


@function("length", "<s-:n>")
def length(text: str | None) -> int | None:
    """How many characters the text has."""
    return None if text is None else len(text)


@function("substring", "<s-nn?:s>")
def substring(text: str | None, start: float, count: float | None) -> str | None:
    """The characters from `start`, counted from the end when negative."""
    if text is None:
        return None
    if start is None:
        return text if count is None else ""
    begin = start if len(text) + start >= 0 else 0
    if count is None:
        return text[_index(begin) :]
    if count <= 0:
        return ""
    end = begin + count if begin >= 0 else len(text) + begin + count
    return text[_index(begin) : _index(end)]


def _index(position: float) -> int:
    return math.trunc(position)


@function("substringBefore", "<s-s:s>")
def substring_before(text: str | None, chars: str | None) -> str | None:
    """What stands before the first `chars`; the whole text when they do not occur."""
    if text is None or chars is None:
        return text
    before, found, _ = text.partition(chars) if chars else ("", "", text)
    return before if found or not chars else text


@function("substringAfter", "<s-s:s>")
def substring_after(text: str | None, chars: str | None) -> str | None:
    """What stands after the first `chars`; the whole text when they do not occur."""
    if text is None or not chars:
        return text
    _, found, after = text.partition(chars)
    return after if found else text


@function("lowercase", "<s-:s>")
def lowercase(text: str | None) -> str | None:
    """The text in small letters."""
    return None if text is None else text.lower()


@function("uppercase", "<s-:s>")
def uppercase(text: str | None) -> str | None:
    """The text in capitals."""
    return None if text is None else text.upper()


@function("trim", "<s-:s>")
def trim(text: str | None) -> str | None:
    """The text with every run of blanks made one, and none at its ends."""
    return None if text is None else re.sub(r"[ \t\n\r]+", " ", text).strip(" ")


@function("pad", "<s-ns?:s>")
def pad(text: str | None, width: float | None, char: str | None) -> str | None:
    """The text filled to `width` characters: on the right, or on the left when it is negative."""
    if text is None or width is None:
        return text
    missing = abs(width) - len(text)
    if missing <= 0:
        return text
    if not float(missing).is_integer():
        raise JsonataError(None, "Invalid array length")
    filling = char or " "
    padding = (filling * (int(missing) // len(filling) + 1))[: int(missing)]
    return text + padding if width > 0 else padding + text


@function("join", "<a<s>s?:s>")
def join(texts: list[str] | None, separator: str | None) -> str | None:
    """The texts in one, the separator between them."""
    return None if texts is None else (separator or "").join(texts)
