"""Points in time: reading and writing them, and the day they fall on somewhere."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from penstock.domain.errors import InvalidRequestError

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")

UNSUBSTITUTED: Final = "<aws.scheduler.scheduled-time>"
"""What EventBridge Scheduler leaves in place when a schedule's input is used by anyone else."""


def parse_instant(text: str) -> datetime:
    """Return the instant in UTC; raise InvalidRequestError unless it is ISO 8601 with an offset."""
    try:
        instant = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise InvalidRequestError(f"{text!r} is no point in time of ISO 8601") from None
    if instant.tzinfo is None:
        raise InvalidRequestError(f"{text!r} has no offset from UTC; end it with Z or +01:00")
    return instant.astimezone(UTC)


def parse_day(value: object) -> date:
    """Return the date written as `2026-11-21`; raise ValueError for any other form of it."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    text = str(value)
    if not _DAY.fullmatch(text):
        raise ValueError(f"{text!r} is no date like 2026-11-21")
    return date.fromisoformat(text)


def written(instant: datetime) -> str:
    """Return the instant as `2026-11-21T05:00:00.000Z`, which sorts as text."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{instant.microsecond // 1000:03d}Z"


def written_of(text: str) -> str:
    """Return an instant that somebody else has written as Penstock writes it."""
    return written(parse_instant(text))


def seconds_between(start: str | None, end: str | None) -> float | None:
    """Return the seconds from one written instant to another, or None if either is unknown."""
    if not (start and end):
        return None
    return max(0.0, (parse_instant(end) - parse_instant(start)).total_seconds())


@cache
def zone(name: str) -> ZoneInfo:
    """Return the IANA time zone; raise ValueError for a name that is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone of the IANA database") from None


def day_at(instant: datetime, zone_name: str) -> date:
    """Return the calendar day of the instant in the zone."""
    return instant.astimezone(zone(zone_name)).date()
