"""`RunCondition`: the days on which a job is due.

The grammar, in any case and with blanks wherever they do no harm:

    condition = days ["EXCEPT" calendar]
    days      = term {"," term}                         a day is due if any term names it
    term      = "ALL_DAYS" | "WEEKDAYS" | "WEEKENDS" | "LAST_DAY"
              | weekday                                 MONDAY or MON
              | "DAY" number                            day of the month; more may follow: DAY 1,15
              | ordinal weekday                         FIRST MONDAY … FIFTH MONDAY, LAST FRIDAY

A calendar is a named list of dates, for example of holidays. `DAY 31` means just that: it names
no day of a shorter month, which is what `LAST_DAY` is for.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet
    from datetime import date

_NAMES: Final = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_ORDINALS: Final = {"FIRST": 1, "SECOND": 2, "THIRD": 3, "FOURTH": 4, "FIFTH": 5, "LAST": -1}
_LONGEST_MONTH: Final = 31
_SHORTEST_ABBREVIATION: Final = 3
_EXCEPT: Final = re.compile(r"\s+EXCEPT(?:\s+|$)", re.IGNORECASE)


class UnreadableConditionError(ValueError):
    """A RunCondition does not follow the grammar."""


class UnknownCalendarError(ValueError):
    """A RunCondition excepts a calendar that nobody has defined."""


@dataclass(frozen=True, slots=True)
class RunCondition:
    """A parsed condition. Weekdays count from Monday = 0; LAST is the ordinal -1."""

    text: str
    weekdays: frozenset[int] = frozenset()
    days_of_month: frozenset[int] = frozenset()
    last_day: bool = False
    nth_weekdays: frozenset[tuple[int, int]] = frozenset()
    calendar: str | None = None

    def is_due(self, day: date, calendars: Mapping[str, AbstractSet[date]]) -> bool:
        """Tell whether the day is due; raise UnknownCalendarError for a calendar not given."""
        if self.calendar is None:
            return self._names(day)
        if self.calendar not in calendars:
            raise UnknownCalendarError(f"there is no calendar {self.calendar!r}")
        return self._names(day) and day not in calendars[self.calendar]

    def _names(self, day: date) -> bool:
        days_in_month = monthrange(day.year, day.month)[1]
        ordinal = (day.day - 1) // 7 + 1
        is_last_of_its_kind = day.day + 7 > days_in_month
        return (
            day.weekday() in self.weekdays
            or day.day in self.days_of_month
            or (self.last_day and day.day == days_in_month)
            or (ordinal, day.weekday()) in self.nth_weekdays
            or (is_last_of_its_kind and (-1, day.weekday()) in self.nth_weekdays)
        )


EVERY_WEEKDAY: Final = frozenset(range(7))
_SETS_OF_WEEKDAYS: Final = {
    "ALL_DAYS": EVERY_WEEKDAY,
    "WEEKDAYS": frozenset(range(5)),
    "WEEKENDS": frozenset({5, 6}),
}


def parse(text: str) -> RunCondition:
    """Return the condition that the text states; raise UnreadableConditionError otherwise."""
    stated = " ".join(text.split())
    days, *calendar = _EXCEPT.split(f" {stated}", maxsplit=1)
    if calendar and not calendar[0]:
        raise UnreadableConditionError(f"{stated!r}: EXCEPT needs the name of a calendar")
    terms = _Terms(stated)
    for term in days.upper().split(","):
        terms.add(term.split())
    return RunCondition(
        text=stated,
        weekdays=frozenset(terms.weekdays),
        days_of_month=frozenset(terms.days_of_month),
        last_day=terms.last_day,
        nth_weekdays=frozenset(terms.nth_weekdays),
        calendar=calendar[0] if calendar else None,
    )


class _Terms:
    """Collects the terms of one condition, from left to right."""

    def __init__(self, stated: str) -> None:
        self.stated = stated
        self.weekdays: set[int] = set()
        self.days_of_month: set[int] = set()
        self.last_day = False
        self.nth_weekdays: set[tuple[int, int]] = set()
        self.numbers_may_follow = False

    def add(self, words: list[str]) -> None:
        after_a_day = self.numbers_may_follow
        self.numbers_may_follow = False
        match words:
            case ["LAST_DAY"] | ["LAST", "DAY"]:
                self.last_day = True
            case [name] if name in _SETS_OF_WEEKDAYS:
                self.weekdays |= _SETS_OF_WEEKDAYS[name]
            case ["DAY", number]:
                self._add_day_of_month(number)
            case [number] if after_a_day and number.isdecimal():
                self._add_day_of_month(number)
            case [name]:
                self.weekdays.add(self._weekday(name))
            case [ordinal, name] if ordinal in _ORDINALS:
                self.nth_weekdays.add((_ORDINALS[ordinal], self._weekday(name)))
            case _:
                raise self._unreadable(" ".join(words))

    def _add_day_of_month(self, number: str) -> None:
        if not (number.isdecimal() and 1 <= int(number) <= _LONGEST_MONTH):
            raise UnreadableConditionError(f"in {self.stated!r}, {number!r} is no day of a month")
        self.days_of_month.add(int(number))
        self.numbers_may_follow = True

    def _weekday(self, name: str) -> int:
        if len(name) >= _SHORTEST_ABBREVIATION:
            for number, full_name in enumerate(_NAMES):
                if full_name.startswith(name):
                    return number
        raise self._unreadable(name)

    def _unreadable(self, term: str) -> UnreadableConditionError:
        what = f"{term!r} is no day" if term else "a day is missing"
        where = "" if term == self.stated.upper() else f"in {self.stated!r}, "
        return UnreadableConditionError(
            f"{where}{what}; a condition is ALL_DAYS, WEEKDAYS, WEEKENDS, weekdays "
            "(MONDAY,WED), DAY 1,15, LAST_DAY or FIRST MONDAY … LAST FRIDAY, "
            "each with EXCEPT <calendar> if wanted"
        )
