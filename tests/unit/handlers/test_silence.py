"""Silent categories: what should have run and did not, told once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.conftest import RUN_TABLE
from tests.unit.handlers.conftest import House

from penstock.adapters.silent_days import SilentDays
from penstock.domain.job_record import JobRecord
from penstock.domain.outcome import Outcome, Verdict
from penstock.domain.run_record import RunRecord
from penstock.domain.silence_watch import SilenceWatch
from penstock.domain.site import Site

FIRST = datetime(2026, 11, 2, 4, 0, 5, tzinfo=UTC)
"""A Monday; the schedule fires at 5:00 in Vienna."""
LATER = datetime(2026, 11, 23, 5, 30, tzinfo=UTC)
"""Monday three weeks later, half past six in Vienna."""


class Watched:
    """A watch, and what people have heard."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.told: list[tuple[str, str, str]] = []
        days = SilentDays(house.dynamodb, RUN_TABLE, lambda: 2_000_000_000)
        site = Site("dev", "penstock-dev", "data", "Europe/Vienna", None)
        self.watch = SilenceWatch(house.runs, house.control, days, self, site)

    def publish(self, subject: str, text: str, verdict: str) -> None:
        self.told.append((subject, text, verdict))

    def ran(self, started: datetime, *names: str, **changes: Any) -> None:
        """Note a run for the day of its start, with records of these jobs."""
        job_id, day = f"{started:%Y%m%dT%H%M%SZ}-x", f"{started:%Y-%m-%d}"
        run = RunRecord(
            job_id, "Daily", day, "schedule", started_at=f"{started:%Y-%m-%dT%H:%M:%S.000Z}",
            ended_at=f"{started:%Y-%m-%dT%H:59:59.000Z}", verdict=Verdict.SUCCEEDED,
        )  # fmt: skip
        run = replace(run, **changes)
        self.house.runs.save(run)
        self.house.runs.create_jobs(
            [JobRecord(job_id, name, "spark", "Daily", day, Outcome.SUCCEEDED) for name in names]
        )

    def ran_daily(self, days: int, skip: tuple[int, ...] = ()) -> None:
        for number in range(days):
            if number not in skip:
                self.ran(FIRST + timedelta(days=number), "a")


@pytest.fixture
def watched(house: House) -> Watched:
    house.apply({"JobName": "a", "JobCategory": "Daily"})
    return Watched(house)


def test_a_category_that_has_not_run_an_hour_after_its_time_is_told_once(watched: Watched) -> None:
    watched.ran_daily(21)
    assert watched.watch.check(LATER - timedelta(minutes=31)) == 0
    assert watched.watch.check(LATER) == 1
    assert watched.watch.check(LATER + timedelta(hours=1)) == 0
    ((subject, text, verdict),) = watched.told
    assert (subject, verdict) == ("Penstock SILENT: Daily 2026-11-23", "SILENT")
    assert text.startswith("Daily has not run for 2026-11-23. Due are: a\n")


def test_a_category_that_has_run_today_is_not_silent_whoever_started_it(watched: Watched) -> None:
    watched.ran_daily(21)
    watched.ran(LATER - timedelta(hours=1), "a", trigger="manual", verdict=Verdict.FAILED)
    assert watched.watch.check(LATER) == 0


def test_a_duplicate_or_a_backfill_is_no_run_of_the_day(watched: Watched) -> None:
    watched.ran_daily(21)
    watched.ran(LATER - timedelta(minutes=80), verdict=Verdict.DUPLICATE)
    watched.ran(LATER - timedelta(minutes=70), "a", lane="backfill")
    assert watched.watch.check(LATER) == 1


def test_yesterday_is_told_too_even_if_nobody_looked_then(watched: Watched) -> None:
    watched.ran_daily(20)
    assert watched.watch.check(LATER - timedelta(hours=3)) == 1
    assert "Daily has not run for 2026-11-22." in watched.told[0][1]


def test_a_day_on_which_nothing_is_due_is_not_silent(watched: Watched) -> None:
    watched.house.apply({"JobName": "a", "JobCategory": "Daily", "RunCondition": "TUESDAY"})
    watched.house.apply({"JobName": "b", "JobCategory": "Daily", "SkipFlag": True})
    watched.house.apply({"JobName": "c", "JobCategory": "Daily", "Environment": ["prod"]})
    watched.ran_daily(21)
    assert watched.watch.check(LATER) == 0


def test_a_condition_that_nobody_can_read_counts_as_due(watched: Watched) -> None:
    watched.house.dynamodb.put_item(
        TableName="control",
        Item={
            name: {"S": value}
            for name, value in {
                "JobName": "a", "JobCategory": "Daily", "RunCondition": "FUNDAY",
            }.items()
        },
    )  # fmt: skip
    watched.ran_daily(21)
    assert watched.watch.check(LATER) == 1


def test_a_holiday_is_not_silent(watched: Watched) -> None:
    row = {"JobName": "a", "JobCategory": "Daily", "RunCondition": "ALL_DAYS EXCEPT Holidays"}
    watched.house.apply(row)
    watched.house.dynamodb.put_item(
        TableName="control",
        Item={"JobName": {"S": "CALENDAR#Holidays"}, "Dates": {"L": [{"S": "2026-11-23"}]}},
    )
    watched.ran_daily(21)
    assert watched.watch.check(LATER) == 0


def test_a_weekday_on_which_the_schedule_does_not_fire_is_not_silent(watched: Watched) -> None:
    watched.ran_daily(21, skip=(0, 7, 14))
    watched.ran(FIRST - timedelta(days=7, hours=-1), "a", trigger="manual")
    watched.ran(FIRST - timedelta(days=5), "a")
    assert watched.watch.check(LATER) == 0


def test_a_category_that_nobody_schedules_is_never_silent(watched: Watched) -> None:
    for number in range(21):
        watched.ran(FIRST + timedelta(days=number), "a", trigger="manual")
    assert watched.watch.check(LATER) == 0


def test_a_due_job_that_no_run_of_yesterday_knew_is_named(watched: Watched) -> None:
    watched.ran_daily(21)
    watched.ran(LATER - timedelta(hours=1), "a")
    for name, last in (("forgotten", "20261101T000000Z-x"), ("new", None)):
        watched.house.apply({"JobName": name, "JobCategory": "Daily"})
        if last:
            watched.house.dynamodb.update_item(
                TableName="control",
                Key={"JobName": {"S": name}},
                UpdateExpression="SET LastJobId = :last",
                ExpressionAttributeValues={":last": {"S": last}},
            )
    assert watched.watch.check(LATER) == 1
    assert "has run for 2026-11-22, but without these due jobs: forgotten\n" in watched.told[0][1]


def test_a_run_that_could_not_be_planned_is_no_silence(watched: Watched) -> None:
    watched.ran_daily(21)
    started = LATER - timedelta(hours=1)
    watched.ran(started, logical_date="", verdict=Verdict.FAILED)
    assert watched.watch.check(LATER) == 0


@pytest.mark.parametrize(
    ("now", "count"),
    [
        (datetime(2026, 10, 25, 4, 50, tzinfo=UTC), 0),  # 5:50 in Vienna, winter since 3:00
        (datetime(2026, 10, 25, 5, 10, tzinfo=UTC), 1),
    ],
)
def test_the_hour_of_the_schedule_is_that_of_the_clock_when_the_time_changes(
    watched: Watched, now: datetime, count: int
) -> None:
    for number in range(10):
        watched.ran(datetime(2026, 10, 15, 3, 0, 5, tzinfo=UTC) + timedelta(days=number), "a")
    assert watched.watch.check(now) == count


def test_who_dies_before_it_is_noted_tells_it_again(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.ran_daily(21)
    monkeypatch.setattr(SilentDays, "note", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        watched.watch.check(LATER)
    monkeypatch.undo()
    assert watched.watch.check(LATER) == 1
    assert len(watched.told) == 2
