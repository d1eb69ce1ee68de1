"""Schedules fire at the wall clock of their own zone, with the input that AWS would send."""

from __future__ import annotations

import datetime as dt

import pytest

from penstock_local.schedules import next_occurrence, with_context


def epoch(text: str) -> float:
    return dt.datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("expression", "zone", "after", "fires"),
    [
        ("cron(0 5 * * ? *)", "UTC", "2026-03-01T04:59:00Z", "2026-03-01T05:00:00Z"),
        ("cron(0 5 * * ? *)", "Europe/Berlin", "2026-01-10T00:00:00Z", "2026-01-10T04:00:00Z"),
        ("cron(0 5 * * ? *)", "Europe/Berlin", "2026-07-10T00:00:00Z", "2026-07-10T03:00:00Z"),
        ("cron(0 5 * * ? *)", "Asia/Tokyo", "2026-07-10T00:00:00Z", "2026-07-10T20:00:00Z"),
        ("rate(5 minutes)", "UTC", "2026-07-10T00:00:00Z", "2026-07-10T00:05:00Z"),
        ("at(2026-07-10T06:00:00)", "Europe/Berlin", "2026-07-10T00:00Z", "2026-07-10T04:00Z"),
    ],
)
def test_a_schedule_fires_at_the_wall_clock_of_its_zone(
    expression: str, zone: str, after: str, fires: str
) -> None:
    schedule = {"ScheduleExpression": expression, "ScheduleExpressionTimezone": zone}
    assert next_occurrence(schedule, epoch(after)) == epoch(fires)


def test_a_one_time_schedule_does_not_fire_again() -> None:
    schedule = {"ScheduleExpression": "at(2026-07-10T06:00:00)"}
    assert next_occurrence(schedule, epoch("2026-07-10T06:00:00Z")) is None


def test_the_scheduled_time_is_filled_into_the_input() -> None:
    text = '{"category": "Daily", "scheduled_time": "<aws.scheduler.scheduled-time>"}'
    assert with_context(text, {"Arn": "arn"}, epoch("2026-07-10T06:00:00Z")) == (
        '{"category": "Daily", "scheduled_time": "2026-07-10T06:00:00Z"}'
    )
