"""Regular expressions: JavaScript's, which expressions are written in, on Python's engine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from penstock_local.asl.jsonata.data import NULL, is_number
from penstock_local.asl.jsonata.errors import JsonataError, failure
from penstock_local.asl.jsonata.native import Native, call

_WORD = "A-Za-z0-9_"
_BLANK = r"\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_LINE_END = r"\n\r\u2028\u2029"
# Python's own classes know all of Unicode; JavaScript's know ASCII, but for white space.
_INSIDE_A_SET = {"d": "0-9", "w": _WORD, "s": _BLANK, "b": r"\x08"}
_ESCAPES = {
    "d": "[0-9]",
    "D": "[^0-9]",
    "w": f"[{_WORD}]",
    "W": f"[^{_WORD}]",
    "s": f"[{_BLANK}]",
    "S": f"[^{_BLANK}]",
    "b": f"(?:(?<![{_WORD}])(?=[{_WORD}])|(?<=[{_WORD}])(?![{_WORD}]))",
    "B": f"(?:(?<![{_WORD}])(?![{_WORD}])|(?<=[{_WORD}])(?=[{_WORD}]))",
    "0": r"\x00",
    "/": "/",
}
_CODE = re.compile(r"\\(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|c[A-Za-z])")
_TOKEN = re.compile(
    r"\\k<(?P<reference>\w+)>"
    r"|\\(?P<code>x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|c[A-Za-z])"
    r"|\\(?P<escape>.)"
    r"|\(\?<(?P<name>[A-Za-z_$][\w$]*)>"
    r"|(?P<set>\[\^?)"
    r"|(?P<other>.)",
    re.DOTALL,
)


def compile_pattern(pattern: str, *, ignore_case: bool, multiline: bool) -> re.Pattern[str]:
    """The JavaScript pattern compiled; raises JsonataError when it is not one."""
    flags = re.IGNORECASE if ignore_case else re.NOFLAG
    if multiline:
        flags |= re.MULTILINE
    try:
        return re.compile(_translated(pattern, multiline), flags)
    except re.error as fault:
        written = f"/{pattern}/g{'i' * ignore_case}{'m' * multiline}"
        problem = _PROBLEMS.get(fault.msg, fault.msg.capitalize())
        raise JsonataError(None, f"Invalid regular expression: {written}: {problem}") from None


_PROBLEMS = {
    "multiple repeat": "Nothing to repeat",
    "missing ), unterminated subpattern": "Unterminated group",
    "unbalanced parenthesis": "Unmatched ')'",
}


def _translated(pattern: str, multiline: bool) -> str:
    parts: list[str] = []
    position = 0
    while position < len(pattern):
        match = _TOKEN.match(pattern, position)
        assert match is not None
        position = match.end()
        if match["set"]:
            text, position = _set(pattern, position, negated=match["set"] == "[^")
            parts.append(text)
        else:
            parts.append(_token(match, multiline))
    return "".join(parts)


def _token(match: re.Match[str], multiline: bool) -> str:
    if match["reference"]:
        return f"(?P={match['reference']})"
    if match["code"]:
        return _character(match[0])
    if match["name"]:
        return f"(?P<{match['name']}>"
    if match["escape"]:
        return _ESCAPES.get(match["escape"]) or _as_itself(match["escape"])
    if match["other"] == ".":
        return f"[^{_LINE_END}]"
    if match["other"] == "$":
        return rf"(?=[{_LINE_END}]|\Z)" if multiline else r"\Z"
    return match[0]


def _character(code: str) -> str:
    """A character by its number; Python does not know the letters of control characters."""
    return rf"\x{ord(code[2]) % 32:02x}" if code[1] == "c" else code


def _as_itself(char: str) -> str:
    """An escaped character that Python may know as something else, and JavaScript does not."""
    is_plain_letter = char.isascii() and char.isalpha() and char not in "fnrtv"
    return char if is_plain_letter else "\\" + char


def _set(pattern: str, position: int, *, negated: bool) -> tuple[str, int]:
    """The character class that begins before `position`, and where it ends."""
    members: list[str] = []
    while position < len(pattern) and pattern[position] != "]":
        code = _CODE.match(pattern, position)
        if code:
            members.append(_character(code[0]))
            position = code.end()
        elif pattern[position] == "\\" and position + 1 < len(pattern):
            members.append(_escape_in_set(pattern[position + 1]))
            position += 2
        else:
            # Python reserves doubled signs in a set for a later syntax.
            char = pattern[position]
            members.append("\\" + char if char in "[&~|" else char)
            position += 1
    if position >= len(pattern):
        raise re.error("unterminated character class")
    if not members:
        return ("[\\s\\S]" if negated else "(?!)"), position + 1
    return f"[{'^' if negated else ''}{''.join(members)}]", position + 1


def _escape_in_set(char: str) -> str:
    if char in "DWS":
        return "\\" + char
    return _INSIDE_A_SET.get(char) or _as_itself(char)


@dataclass(frozen=True, slots=True)
class Match:
    """One place where a matcher matches; `index` counts UTF-16 code units, as JavaScript does."""

    text: str
    start: int
    end: int
    groups: list[Any]
    index: int


class Matcher(Native):
    """A regular expression as a value: a function from a text to its first match."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        super().__init__("regex", "<s-n?:o>", self._first)
        self.pattern = pattern

    def matches(self, text: str) -> Iterator[Match]:
        """Every match; raises JsonataError D1004 when an empty one would have no end."""
        found = self._search(text, 0)
        while found is not None:
            yield found
            found = self._after(text, found)

    def _search(self, text: str, start: int) -> Match | None:
        found = self.pattern.search(text, start)
        if found is None:
            return None
        groups = [NULL if group is None else group for group in found.groups()]
        index = len(text[: found.start()].encode("utf-16-le", "surrogatepass")) // 2
        return Match(found.group(), found.start(), found.end(), groups, index)

    def _after(self, text: str, match: Match) -> Match | None:
        if match.end >= len(text):
            return None
        found = self._search(text, match.end)
        if found is not None and not found.text:
            raise failure("D1004")
        return found

    def _first(self, text: str | None, start: int | None) -> dict[str, Any] | None:
        return None if text is None else self._as_value(text, self._search(text, int(start or 0)))

    def _as_value(self, text: str, match: Match | None) -> dict[str, Any] | None:
        """The match as expressions see it."""
        if match is None:
            return None
        return {
            "match": match.text,
            "start": match.start,
            "end": match.end,
            "groups": match.groups,
            "next": Native("next", "<:o>", lambda: self._as_value(text, self._after(text, match))),
        }


def matches(matcher: Any, text: str, caller: str) -> Iterator[Match]:
    """Every match that the matcher, a regex or a function of the expression, finds in the text."""
    if isinstance(matcher, Matcher):
        yield from matcher.matches(text)
        return
    found = call(matcher, text)
    while found is not None:
        if not _is_match(found):
            raise failure("T1010", token=caller)
        start, end = int(found["start"]), int(found["end"])
        yield Match(found["match"], start, end, found["groups"], start)
        found = call(found["next"]) if found.get("next") is not None else None


def _is_match(found: Any) -> bool:
    return (
        isinstance(found, dict)
        and isinstance(found.get("match"), str)
        and is_number(found.get("start"))
        and is_number(found.get("end"))
        and isinstance(found.get("groups"), list)
    )
