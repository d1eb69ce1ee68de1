"""Parts the lines of a JSON Lines file into records and those that are none.

A record comes out as an object of texts: each value as it is written, so that no engine rounds a
number on the way; what is nested stays the JSON it was. null and a missing name are both NULL.
"""

from __future__ import annotations

import json
import re
from typing import Any, BinaryIO, NoReturn

from penstock_job.csv_records import (
    BLOCK,
    BYTE_ORDER_MARK,
    LONGEST_EXCERPT,
    LONGEST_RECORD,
    Parted,
)

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\n\r]*")


class _NoRecordError(Exception):
    """A line that is no record; the message is the reason of its reject."""


def part_json_lines(source: BinaryIO, well_formed: BinaryIO, malformed: BinaryIO) -> Parted:
    """Copy each line of `source` to one of two files.

    `well_formed` gets an object of texts a line. `malformed` gets an object with the number of
    the line, the reason and the text. The header is made of all names, in the order in which they
    first come.
    """
    names: dict[str, None] = {}
    good = bad = blank = number = 0
    while lines := source.readlines(BLOCK):
        for line in lines:
            number += 1
            content = (line[len(BYTE_ORDER_MARK) :] if _has_mark(line, number) else line).strip()
            if not content:
                blank += 1
                continue
            try:
                record = _record(content)
            except _NoRecordError as error:
                bad += 1
                malformed.write(_reject(number, str(error), content))
                continue
            good += 1
            names.update(dict.fromkeys(record))
            well_formed.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
    return Parted(list(names), good, bad, blank)


def _has_mark(line: bytes, number: int) -> bool:
    return number == 1 and line.startswith(BYTE_ORDER_MARK)


def _record(content: bytes) -> dict[str, str | None]:
    if len(content) > LONGEST_RECORD:
        raise _NoRecordError(f"longer than {LONGEST_RECORD} bytes")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise _NoRecordError("not text in UTF-8") from None
    try:
        record = json.loads(
            text, parse_int=str, parse_float=str, parse_constant=_refuse, object_pairs_hook=_pairs
        )
    except (ValueError, RecursionError) as error:
        raise _NoRecordError(f"no JSON: {error}") from None
    if not isinstance(record, _Object):
        raise _NoRecordError("no JSON object")
    written = _as_written(text) if any(map(_is_nested, record.values())) else {}
    return {name: _text(value, written.get(name, "")) for name, value in record.items()}


class _Object(dict[str, Any]):
    """A JSON object."""


def _pairs(pairs: list[tuple[str, Any]]) -> _Object:
    found = _Object(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands in an object twice")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _is_nested(value: Any) -> bool:
    return isinstance(value, (dict, list))


def _text(value: Any, written: str) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    text = written if _is_nested(value) else str(value)
    if "\0" in text:
        raise _NoRecordError("a zero byte")
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON may spell and UTF-8 may not
        raise _NoRecordError("not text in UTF-8") from None
    return text


def _as_written(text: str) -> dict[str, str]:
    """The members of an object (known to be one) with each value as it is written."""
    found = {}
    position = _after_space(text, text.index("{") + 1)
    while text[position] != "}":
        name, position = _DECODER.raw_decode(text, position)
        start = _after_space(text, text.index(":", position) + 1)
        _, end = _DECODER.raw_decode(text, start)
        found[name] = text[start:end]
        position = _after_space(text, end)
        if text[position] == ",":
            position = _after_space(text, position + 1)
    return found


def _after_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _reject(number: int, reason: str, content: bytes) -> bytes:
    text = content[:LONGEST_EXCERPT].decode(errors="backslashreplace")
    entry = {"line": number, "reason": reason, "text": text}
    return json.dumps(entry, ensure_ascii=False).encode() + b"\n"
