"""The day that a run is for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.domain.errors import InvalidRequestError
from penstock.domain.instant import day_at
from penstock.domain.logical_date import logical_date_of, zone_of_category
from penstock.domain.messages import RunRequest

STARTED = "2026-11-20T23:30:00.123Z"
ZONES = sorted(available_timezones())


def day(request: RunRequest, zone: str = "UTC", started_at: str = STARTED) -> str:
    return logical_date_of(request, started_at, zone).run.isoformat()


def test_a_given_date_holds_in_every_zone() -> None:
    given_date = logical_date_of({"category": "D", "logical_date": "2026-02-28"}, STARTED, "UTC")
    assert given_date.run == date(2026, 2, 28)
    assert given_date.for_zone("Pacific/Kiritimati") == date(2026, 2, 28)


def test_the_scheduled_time_comes_before_the_start() -> None:
    assert day({"category": "D", "scheduled_time": "2026-11-19T05:00:00Z"}) == "2026-11-19"


def test_without_a_scheduled_time_the_day_is_that_of_the_start() -> None:
    assert day({"category": "D"}) == "2026-11-20"


def test_a_placeholder_that_the_scheduler_has_not_filled_is_no_time() -> None:
    assert (
        day({"category": "D", "scheduled_time": "<aws.scheduler.scheduled-time>"}) == "2026-11-20"
    )


def test_the_day_is_that_of_the_categorys_zone() -> None:
    assert day({"category": "D"}, "Europe/Vienna") == "2026-11-21"
    assert day({"category": "D"}, "America/New_York") == "2026-11-20"


def test_a_row_with_its_own_zone_is_judged_by_its_own_day() -> None:
    logical_date = logical_date_of({"category": "D"}, STARTED, "UTC")
    assert logical_date.for_zone(None) == date(2026, 11, 20)
    assert logical_date.for_zone("Asia/Tokyo") == date(2026, 11, 21)


@pytest.mark.parametrize(
    "request_",
    [
        {"category": "D", "logical_date": "21.11.2026"},
        {"category": "D", "logical_date": "2026-02-30"},
        {"category": "D", "logical_date": "20261121"},
        {"category": "D", "logical_date": 20261121},
        {"category": "D", "scheduled_time": "yesterday"},
        {"category": "D", "scheduled_time": "2026-11-21T05:00:00"},
        {"category": "D", "scheduled_time": 5},
    ],
)
def test_a_day_that_cannot_be_read_refuses_the_run(request_: RunRequest) -> None:
    with pytest.raises(InvalidRequestError):
        day(request_)


@pytest.mark.parametrize(
    ("zones", "expected"),
    [
        ([], "UTC"),
        ([None, None], "UTC"),
        ([None, "Asia/Tokyo"], "Asia/Tokyo"),
        (["Asia/Tokyo", "Asia/Tokyo"], "Asia/Tokyo"),
        (["Asia/Tokyo", "Europe/Vienna"], "UTC"),
    ],
)
def test_the_zone_of_a_category_is_the_one_its_rows_agree_on(
    zones: list[str | None], expected: str
) -> None:
    assert zone_of_category(zones, "UTC") == expected


@given(
    st.sampled_from(ZONES),
    st.datetimes(datetime(2024, 1, 1), datetime(2034, 12, 31)),  # noqa: DTZ001 - made aware below
)
def test_in_every_zone_the_day_is_the_one_on_the_wall(zone: str, moment: datetime) -> None:
    instant = moment.replace(tzinfo=UTC)
    found = day_at(instant, zone)
    midnight = datetime(found.year, found.month, found.day, tzinfo=ZoneInfo(zone))
    assert abs(found - instant.date()) <= timedelta(days=1)
    assert midnight.date() == instant.astimezone(ZoneInfo(zone)).date()
