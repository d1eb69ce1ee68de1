"""$fromMillis, $toMillis, $now and $millis."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from jsonata.datetimeutils import DateTimeUtils

from penstock_local.asl.jsonata.errors import JsonataError, failure
from penstock_local.asl.jsonata.functions.date_parsing import epoch_millis, parsed
from penstock_local.asl.jsonata.functions.picture_faults import coded
from penstock_local.asl.jsonata.native import current, function

ISO_8601 = "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001][Z01:01t]"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIMESTAMP = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>[01]\d))?(?:-(?P<day>[0-3]\d))?"
    r"(?:T(?P<hour>[0-2]\d):(?P<minute>[0-5]\d):(?P<second>[0-5]\d))?"
    r"(?:\.(?P<fraction>\d+))?(?:(?P<sign>[+-])(?P<hours>[0-2]\d):?(?P<minutes>[0-5]\d)|Z)?"
)
_OFFSET = re.compile(r"\s*[+-]?\d+")


@function("now", "<s?s?:s>")
def now(picture: str | None = None, timezone: str | None = None) -> str:
    """The moment at which the evaluation began."""
    return _formatted(current.get().started, picture, timezone)


@function("millis", "<:n>")
def millis() -> int:
    """The moment at which the evaluation began, in milliseconds since 1970."""
    return current.get().started


@function("fromMillis", "<n-s?s?:s>")
def from_millis(value: float | None, picture: str | None, timezone: str | None) -> str | None:
    """The moment as text, in ISO 8601 unless there is a picture."""
    return None if value is None else _formatted(value, picture, timezone)


def _formatted(value: float, picture: str | None, timezone: str | None) -> str:
    hours, minutes = _offset(timezone)
    try:
        shift = timedelta(milliseconds=math.trunc(value), hours=hours, minutes=minutes)
        moment = _EPOCH + shift
    except (OverflowError, ValueError):
        raise JsonataError(None, f"The moment {value} is out of range") from None
    used = ISO_8601 if picture is None else picture
    with coded(used):
        return "".join(
            part.value
            if part.type == "literal"
            else DateTimeUtils._format_component(moment, part, hours, minutes)
            for part in DateTimeUtils._analyse_datetime_picture(used).parts
        )


def _offset(timezone: str | None) -> tuple[int, int]:
    """Hours and minutes of an offset such as +0530 or -0800."""
    if timezone is None:
        return 0, 0
    match = _OFFSET.match(timezone)
    if match is None:
        raise JsonataError(None, f"The timezone '{timezone}' is not an offset such as +0100")
    offset = int(match[0])
    return math.trunc(offset / 100), int(math.fmod(offset, 100))


@function("toMillis", "<s-s?:n>")
def to_millis(text: str | None, picture: str | None) -> float | None:
    """The moment that the text shows, in milliseconds since 1970; nothing if it shows none."""
    if text is None:
        return None
    if picture is not None:
        return parsed(text, picture, current.get().started)
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise failure("D3110", value=text)
    return _timestamp(match.groupdict())


def _timestamp(found: dict[str, Any]) -> float:
    number = {
        name: int(text or _UNSAID.get(name, 0))
        for name, text in found.items()
        if name not in ("sign", "fraction")
    }
    if not 1 <= number["month"] <= 12 or not 1 <= number["day"] <= 31 or number["hour"] > 24:
        return math.nan
    thousandths = int((found["fraction"] or "0")[:3].ljust(3, "0"))
    offset = number["hours"] * 60 + number["minutes"]
    return epoch_millis(
        number["year"],
        number["month"],
        number["day"],
        minutes=number["hour"] * 60
        + number["minute"]
        - (-offset if found["sign"] == "-" else offset),
        thousandths=number["second"] * 1000 + thousandths,
    )


_UNSAID = {"month": 1, "day": 1}
