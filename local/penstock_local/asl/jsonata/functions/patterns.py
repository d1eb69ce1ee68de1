"""$match, $contains, $replace and $split: what looks for a text or a regular expression."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable
from typing import Any

from penstock_local.asl.jsonata.data import sequence
from penstock_local.asl.jsonata.errors import failure
from penstock_local.asl.jsonata.native import call, function
from penstock_local.asl.jsonata.regex import Match, matches


@function("match", "<s-f<s:o>n?:a<o>>")
def match(text: str | None, matcher: Any, limit: float | None) -> Any:
    """Every match, at most `limit`, with the groups it has."""
    if text is None:
        return None
    if limit is not None and limit < 0:
        raise failure("D3040", value=limit)
    found = _at_most(matches(matcher, text, "match"), limit)
    return sequence({"match": one.text, "index": one.index, "groups": one.groups} for one in found)


@function("contains", "<s-(sf):b>")
def contains(text: str | None, token: Any) -> bool | None:
    """Whether the text or the pattern occurs."""
    if text is None:
        return None
    if isinstance(token, str):
        return token in text
    return next(matches(token, text, "contains"), None) is not None


@function("replace", "<s-(sf)(sf)n?:s>")
def replace(text: str | None, pattern: Any, replacement: Any, limit: float | None) -> str | None:
    """The text with the occurrences, at most `limit`, replaced."""
    if text is None:
        return None
    if pattern == "":
        raise failure("D3010", value=pattern)
    if limit is not None and limit < 0:
        raise failure("D3011", value=limit)
    if isinstance(pattern, str):
        by = "undefined" if replacement is None else replacement
        return text.replace(pattern, by, -1 if limit is None else math.ceil(limit))
    return _replaced(text, pattern, _replacer(replacement), limit)


def _replaced(
    text: str, pattern: Any, replacer: Callable[[Match], Any], limit: float | None
) -> str:
    parts: list[str] = []
    position = 0
    for one in _at_most(matches(pattern, text, "replace"), limit):
        by = replacer(one)
        if not isinstance(by, str):
            raise failure("D3012", value=by)
        parts += [text[position : one.start], by]
        position = one.start + len(one.text)
    return "".join(parts) + text[position:]


def _replacer(replacement: Any) -> Callable[[Match], Any]:
    if isinstance(replacement, str):
        return lambda one: _substituted(replacement, one)
    return lambda one: call(
        replacement,
        {"match": one.text, "start": one.start, "end": one.end, "groups": one.groups},
    )


_REFERENCE = re.compile(r"\$(\$|\d+)")


def _substituted(template: str, one: Match) -> str:
    """The template with $0, $1, … replaced by what was matched, and $$ by a dollar sign."""
    digits = len(str(len(one.groups))) if one.groups else 1

    def fill(reference: re.Match[str]) -> str:
        name = reference[1]
        if name == "$":
            return "$"
        if name[0] == "0":
            return one.text + name[1:]
        number = name[:digits]
        if len(number) > 1 and int(number) > len(one.groups):
            number = number[:-1]
        index = int(number)
        known = 1 <= index <= len(one.groups) and isinstance(one.groups[index - 1], str)
        return (one.groups[index - 1] if known else "") + name[len(str(index)) :]

    return _REFERENCE.sub(fill, template)


@function("split", "<s-(sf)n?:a<s>>")
def split(text: str | None, separator: Any, limit: float | None) -> list[str] | None:
    """The parts of the text between the separators, at most `limit`."""
    if text is None:
        return None
    if limit is not None and limit < 0:
        raise failure("D3020", value=limit)
    most = None if limit is None else math.floor(limit)
    if isinstance(separator, str):
        parts = text.split(separator) if separator else list(text)
        return parts[:most]
    return _split_by(text, separator, limit)


def _split_by(text: str, separator: Any, limit: float | None) -> list[str]:
    parts: list[str] = []
    position = 0
    complete = True
    for one in matches(separator, text, "split"):
        if limit is not None and len(parts) >= limit:
            complete = False
            break
        parts.append(text[position : one.start])
        position = one.end
    if complete and (limit is None or len(parts) < limit):
        parts.append(text[position:])
    return parts


def _at_most(found: Any, limit: float | None) -> Any:
    return found if limit is None else itertools.islice(found, math.ceil(limit))
