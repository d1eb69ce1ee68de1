"""The days that a RunCondition names."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.domain.run_condition import UnknownCalendarError, UnreadableConditionError, parse

NOVEMBER = [date(2026, 11, day) for day in range(1, 31)]  # 1 November 2026 is a Sunday
HOLIDAYS = {"Holidays": {date(2026, 11, 18), date(2026, 12, 25)}}


def days(condition: str) -> list[int]:
    parsed = parse(condition)
    return [day.day for day in NOVEMBER if parsed.is_due(day, HOLIDAYS)]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("ALL_DAYS", list(range(1, 31))),
        ("all_days", list(range(1, 31))),
        ("MONDAY,WEDNESDAY", [2, 4, 9, 11, 16, 18, 23, 25, 30]),
        ("mon, wed", [2, 4, 9, 11, 16, 18, 23, 25, 30]),
        ("Tues,THURS", [3, 5, 10, 12, 17, 19, 24, 26]),
        ("WEEKENDS", [1, 7, 8, 14, 15, 21, 22, 28, 29]),
        (
            "WEEKDAYS",
            [2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 16, 17, 18, 19, 20, 23, 24, 25, 26, 27, 30],
        ),
        ("DAY 1,15", [1, 15]),
        ("DAY 31", []),
        ("day 1, 15, LAST_DAY", [1, 15, 30]),
        ("LAST_DAY", [30]),
        ("LAST DAY", [30]),
        ("FIRST MONDAY", [2]),
        ("FIFTH SUNDAY", [29]),
        ("FIFTH TUESDAY", []),
        ("LAST FRIDAY", [27]),
        ("LAST MONDAY, SECOND TUE", [10, 30]),
        ("WEDNESDAY EXCEPT Holidays", [4, 11, 25]),
        ("LAST FRIDAY,  DAY 18  except   Holidays", [27]),
    ],
)
def test_a_condition_names_its_days(condition: str, expected: list[int]) -> None:
    assert days(condition) == expected


@pytest.mark.parametrize(
    "condition",
    [
        "",
        "FUNDAY",
        "MO",
        "MONDAY,",
        ",MONDAY",
        "MONDAY WEDNESDAY",
        "DAY",
        "DAY 0",
        "DAY 32",
        "DAY x",
        "DAY 1 15",
        "1,15",
        "DAY 1,MONDAY,15",
        "FIRST",
        "SIXTH MONDAY",
        "FIRST 1",
        "MONDAY EXCEPT",
        "EXCEPT Holidays",
    ],
)
def test_a_text_outside_the_grammar_is_refused_with_what_is_allowed(condition: str) -> None:
    with pytest.raises(UnreadableConditionError, match=r"FIRST MONDAY|day of a month|calendar"):
        parse(condition)


def test_a_calendar_that_nobody_defined_is_an_error_and_not_a_day_off() -> None:
    with pytest.raises(UnknownCalendarError, match="'Easter'"):
        parse("ALL_DAYS EXCEPT Easter").is_due(NOVEMBER[0], HOLIDAYS)


any_day = st.dates(date(2024, 1, 1), date(2034, 12, 31))


@given(any_day)
def test_last_day_is_the_day_before_the_first(day: date) -> None:
    assert parse("LAST_DAY").is_due(day, {}) == ((day + timedelta(days=1)).day == 1)


@given(any_day)
def test_each_day_is_one_ordinal_of_its_weekday_and_last_if_none_follows(day: date) -> None:
    name = f"{day:%A}"
    ordinals = [
        ordinal
        for ordinal in ("FIRST", "SECOND", "THIRD", "FOURTH", "FIFTH")
        if parse(f"{ordinal} {name}").is_due(day, {})
    ]
    assert len(ordinals) == 1
    is_last = (day + timedelta(days=7)).month != day.month
    assert parse(f"LAST {name}").is_due(day, {}) == is_last


@given(any_day)
def test_weekdays_and_weekends_share_the_week(day: date) -> None:
    assert parse("WEEKDAYS").is_due(day, {}) != parse("WEEKENDS").is_due(day, {})
    assert parse("WEEKDAYS,WEEKENDS").is_due(day, {})
