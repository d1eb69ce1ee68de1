"""Whatever stands in a control table, a plan is made, and only the jobs concerned suffer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.domain.test_plan import decisions, entries, order, plan, row

from penstock.domain.outcome import Outcome
from penstock.domain.plan import job_records

NAMES = [f"job{number}" for number in range(8)]
RUBBISH = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8), st.just([{}]))
FIELDS: dict[str, Any] = {
    "RunCondition": st.sampled_from(["ALL_DAYS", "MONDAY", "DAY 21", "WEEKENDS EXCEPT Off", "??"]),
    "TimeZone": st.sampled_from(["UTC", "Pacific/Kiritimati", "America/Los_Angeles", "Mars/Base"]),
    "SkipFlag": st.sampled_from([True, False, "Yes", "no", "perhaps"]),
    "SkipUntil": st.sampled_from(["2026-11-20", "2026-11-22", "soon"]),
    "Environment": st.sampled_from(["dev", "prod", ["dev", "prod"]]),
    "JobType": st.sampled_from(["python_shell", "spark", "lambda", "abacus"]),
    "Arguments": st.sampled_from([{"a": "{logical_date}"}, {"a": "{nothing}"}, "text"]),
    "Pool": st.sampled_from(["default", "source", "no pool!"]),
    "Priority": st.sampled_from([0, 5, -1]),
    "FailuresInARow": st.sampled_from([0, 2, 3, "many"]),
    "MaxAttempts": st.sampled_from([1, 3, 0]),
    "Recent": st.sampled_from(["[[5,1,null]]", "[[null]]", "[1e999]", "x", [[5]]]),
}


@st.composite
def tables(draw: Any) -> list[dict[str, Any]]:
    """Some rows, many of them wrong in some field, with dependencies of every kind."""
    rows = []
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True)):
        fields = draw(st.sets(st.sampled_from(sorted(FIELDS)), max_size=3))
        stated = {field: draw(st.one_of(FIELDS[field], RUBBISH)) for field in sorted(fields)}
        upstream = draw(st.lists(st.sampled_from([*NAMES, "ghost"]), max_size=2, unique=True))
        needed = [
            {"JobName": other, "Required": draw(st.booleans())} if draw(st.booleans()) else other
            for other in upstream
        ]
        rows.append(row(name, **stated) | {"DependsOn": needed})
    return rows


@settings(max_examples=300, deadline=None)
@given(tables())
def test_each_row_gets_one_decision_and_the_planned_ones_can_run(
    rows: list[dict[str, Any]],
) -> None:
    document = plan(*rows)
    decided = decisions(document)
    assert sorted(decided) == sorted(each["JobName"] for each in rows)
    assert all(entry["Reason"] for entry in document["jobs"])
    done: set[str] = set()
    for name in order(document):
        entry = entries(document)[name]
        assert decided[name] == "PLANNED"
        assert set(entry["WaitsOn"]) <= done, f"{name} comes before what it waits on"
        done.add(name)
    records = {job.job_name: job for job in job_records(document)}
    for name in done:
        for other in records[name].dependents:
            assert name in records[other].waiting_on


@settings(max_examples=200, deadline=None)
@given(tables())
def test_a_bad_row_does_not_change_what_becomes_of_a_job_that_has_nothing_to_do_with_it(
    rows: list[dict[str, Any]],
) -> None:
    stranger = row("stranger", Target="{stack}-load")
    with_others = entries(plan(*rows, stranger))["stranger"]
    alone = entries(plan(stranger))["stranger"]
    assert (with_others["Decision"], with_others["Reason"]) == (alone["Decision"], alone["Reason"])


@settings(max_examples=200, deadline=None)
@given(tables())
def test_a_job_below_a_bad_one_is_blocked_and_never_planned(rows: list[dict[str, Any]]) -> None:
    found = entries(plan(*rows))
    for entry in found.values():
        bad = [n for n in entry["DependsOn"] if n in found and found[n]["Decision"] == "INVALID"]
        if bad:
            assert entry["Decision"] in (Outcome.BLOCKED, Outcome.INVALID, Outcome.SKIPPED)


@pytest.mark.parametrize(
    ("time", "zone", "day"),
    [
        ("2026-03-29T00:59:59Z", "Europe/Vienna", "2026-03-29"),  # 01:59:59, the clock goes on to 3
        ("2026-03-28T22:59:59Z", "Europe/Vienna", "2026-03-28"),
        ("2026-03-28T23:00:00Z", "Europe/Vienna", "2026-03-29"),
        ("2026-10-25T22:59:59Z", "Europe/Vienna", "2026-10-25"),  # the day of 25 hours
        ("2026-10-25T23:00:00Z", "Europe/Vienna", "2026-10-26"),
        ("2026-11-01T06:59:59Z", "America/Los_Angeles", "2026-10-31"),
        ("2026-11-02T07:59:59Z", "America/Los_Angeles", "2026-11-01"),
        ("2026-11-20T10:00:00Z", "Pacific/Kiritimati", "2026-11-21"),
    ],
)
def test_the_day_is_that_of_the_zone_also_when_the_clock_is_changed(
    time: str, zone: str, day: str
) -> None:
    document = plan(row("a", TimeZone=zone), scheduled_time=time)
    assert document["logical_date"] == day
