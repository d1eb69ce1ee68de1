"""The logical date: the day a run is for, which need not be the day it runs on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from penstock.domain.errors import InvalidRequestError
from penstock.domain.instant import UNSUBSTITUTED, day_at, parse_day, parse_instant

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from penstock.domain.messages import RunRequest


@dataclass(frozen=True, slots=True)
class LogicalDate:
    """The day of a run, and of each job in its own zone when the day comes from an instant."""

    run: date
    instant: datetime | None

    def for_zone(self, zone_name: str | None) -> date:
        """Return the day on which a job of this zone is judged; a given date holds everywhere."""
        if self.instant is None or zone_name is None:
            return self.run
        return day_at(self.instant, zone_name)


def zone_of_category(row_zones: Iterable[str | None], default: str) -> str:
    """Return the zone that the rows agree on, or the default if they state none or several."""
    stated = {zone_name for zone_name in row_zones if zone_name}
    return stated.pop() if len(stated) == 1 else default


def logical_date_of(request: RunRequest, started_at: str, category_zone: str) -> LogicalDate:
    """Return the logical date of a run: as given, else the day it was scheduled or started.

    Raises InvalidRequestError for a date or a time that cannot be read.
    """
    given = request.get("logical_date")
    if given:
        try:
            return LogicalDate(run=parse_day(given), instant=None)
        except ValueError as error:
            raise InvalidRequestError(f"logical_date: {error}") from None
    scheduled = request.get("scheduled_time")
    when = scheduled if scheduled and scheduled != UNSUBSTITUTED else started_at
    instant = parse_instant(when)
    return LogicalDate(run=day_at(instant, category_zone), instant=instant)
