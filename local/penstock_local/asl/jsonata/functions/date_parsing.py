"""$toMillis with a picture: reading the parts of a date and a time out of a text."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from jsonata.datetimeutils import DateTimeUtils

from penstock_local.asl.jsonata.errors import failure
from penstock_local.asl.jsonata.functions.picture_faults import coded

_MINUTE = 60_000
_DAY = 24 * 60 * _MINUTE
_TWO_DIGIT_YEARS = 100
_FIXED_WIDTH = "YMD"


def epoch_millis(year: int, month: int, day: int, *, minutes: int = 0, thousandths: int = 0) -> int:
    """The moment in milliseconds since 1970; days and minutes may run over, as in JavaScript."""
    first = date(year, month, 1).toordinal() - date(1970, 1, 1).toordinal()
    return (first + day - 1) * _DAY + minutes * _MINUTE + thousandths


def parsed(text: str, picture: str, now: int) -> int | None:
    """The moment that the text shows by the picture; None when the text is not of that form.

    What is missing on the left is taken from `now`, on the right it is the least; a gap between
    raises JsonataError D3136.
    """
    with coded(picture):
        readers = [_reader(part) for part in DateTimeUtils._analyse_datetime_picture(picture).parts]
    pattern = "".join(f"({expression})" for _, expression, _ in readers)
    match = re.fullmatch(pattern, text, re.IGNORECASE)
    if match is None:
        return None
    found = {
        name: read(group)
        for (name, _, read), group in zip(readers, match.groups(), strict=True)
        if name is not None and read is not None
    }
    return _moment(found, now) if found else None


_Reader = tuple[str | None, str, Callable[[str], int] | None]


def _reader(part: Any) -> _Reader:
    """What a part of the picture is called, what it looks like and how it is read."""
    if part.type == "literal":
        return None, re.escape(part.value), None
    if part.component in "Zz" or part.integerFormat is None:
        return _named(part)
    form = part.integerFormat
    reader = DateTimeUtils._generate_regex_with_component(part.component, form)
    expression = reader.regex
    if form.primary == DateTimeUtils.Formats.DECIMAL:
        expression = f"[0-9]{_width(part)}" + ("(?:th|st|nd|rd)" if form.ordinal else "")
    return part.component, expression, reader.parse


def _named(part: Any) -> _Reader:
    """A part that the package reads: a name of a month or a day, a.m. or p.m., an offset."""
    reader = DateTimeUtils._generate_regex(_Spec([part])).parts[0]
    names = getattr(reader, "_lookup", None)
    if names is None:
        return part.component, reader.regex.replace("+-", "-+"), reader.parse
    return part.component, reader.regex, lambda text: _looked_up(names, text)


class _Spec:
    """A picture of these parts alone."""

    def __init__(self, parts: list[Any]) -> None:
        self.parts = parts


def _looked_up(names: dict[str, int], text: str) -> int:
    lowered = {name.lower(): value for name, value in names.items()}
    return lowered.get(text.lower(), 0)


def _width(part: Any) -> str:
    if part.component not in _FIXED_WIDTH:
        return "+"
    form = part.integerFormat
    if part.width is not None and part.width[1] is not None:
        return f"{{{part.width[1]}}}"
    places = form.mandatoryDigits + form.optionalDigits
    if places < 2:
        return "+"
    return f"{{{form.mandatoryDigits},{places}}}" if form.optionalDigits else f"{{{places}}}"


def _moment(found: dict[str, int], now: int) -> int:
    dates = "Yd" if "d" in found and not {"M", "D"} & found.keys() else "YMD"
    if {"X", "W", "w"} & found.keys() and "M" not in found and "D" not in found:
        raise failure("D3136")
    times = "Phmsf" if {"P", "h"} & found.keys() else "Hmsf"
    part = _completed(found, dates + times, now)
    year = part["Y"] + 1900 if part["Y"] < _TWO_DIGIT_YEARS else part["Y"]
    month, day = (1, part["d"]) if dates == "Yd" else (max(part["M"], 1), part["D"])
    hour = part["H"] if times == "Hmsf" else part["h"] % 12 + 12 * (part["P"] == 1)
    return epoch_millis(
        year + (month - 1) // 12,
        (month - 1) % 12 + 1,
        day,
        minutes=hour * 60 + part["m"] - found.get("Z", found.get("z", 0)),
        thousandths=part["s"] * 1000 + part["f"],
    )


def _completed(found: dict[str, int], order: str, now: int) -> dict[str, int]:
    """The parts in that order, those that were not found filled in."""
    present = datetime.fromtimestamp(now // 1000, UTC).replace(microsecond=now % 1000 * 1000)
    complete: dict[str, int] = {}
    begun = ended = False
    for name in order:
        if name in found:
            if ended:
                raise failure("D3136")
            begun = True
            complete[name] = found[name]
        else:
            ended = begun
            complete[name] = (1 if name in "MDd" else 0) if begun else _of(present, name)
    return complete


def _of(moment: datetime, name: str) -> int:
    parts = {
        "Y": moment.year,
        "M": moment.month,
        "D": moment.day,
        "d": moment.timetuple().tm_yday,
        "H": moment.hour,
        "h": moment.hour % 12 or 12,
        "P": 0,
        "m": moment.minute,
        "s": moment.second,
        "f": moment.microsecond // 1000,
    }
    return parts[name]
