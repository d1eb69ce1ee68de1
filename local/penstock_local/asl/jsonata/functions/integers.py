"""$formatInteger and $parseInteger: whole numbers by a picture."""

from __future__ import annotations

import math

from jsonata.datetimeutils import DateTimeUtils

from penstock_local.asl.jsonata.functions.picture_faults import coded
from penstock_local.asl.jsonata.native import function


@function("formatInteger", "<n-s:s>")
def format_integer(value: float | None, picture: str) -> str | None:
    """The number, its fraction dropped, as digits, words, letters or Roman numerals."""
    if value is None:
        return None
    with coded(picture):
        text: str = DateTimeUtils.format_integer(math.floor(value), picture)
        return text


@function("parseInteger", "<s-s:n>")
def parse_integer(text: str | None, picture: str) -> float | None:
    """The number that the text shows by that picture; not a number when it shows none."""
    if text is None:
        return None
    with coded(picture):
        try:
            parsed = DateTimeUtils.parse_integer(text, picture)
        except (ValueError, TypeError):
            return math.nan
    return math.nan if parsed is None else int(parsed)
