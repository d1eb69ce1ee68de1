"""The control table in DynamoDB."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from tests.unit.conftest import CONTROL_TABLE

from penstock.adapters.attribute_values import to_item
from penstock.adapters.control_table import ControlTable
from penstock.domain.control_row import read_row
from penstock.domain.figures import Figures
from penstock.domain.history import History, Sample
from penstock.domain.job_record import JobKey, JobRecord
from penstock.domain.lane import Lane
from penstock.domain.outcome import Outcome
from penstock.domain.waiter import Waiter

ROW: dict[str, Any] = {
    "JobName": "load",
    "JobCategory": "Daily",
    "JobType": "python_shell",
    "Target": "x",
}
ENDED = JobRecord(
    "20261121T050000Z-1",
    "load",
    "python_shell",
    "Daily",
    "2026-11-21",
    Outcome.SUCCEEDED,
    started_at="2026-11-21T05:00:00.000Z",
    ended_at="2026-11-21T05:00:41.500Z",
)


@pytest.fixture
def control(dynamodb: Any) -> ControlTable:
    return ControlTable(dynamodb, CONTROL_TABLE)


def put(dynamodb: Any, **attributes: Any) -> None:
    dynamodb.put_item(TableName=CONTROL_TABLE, Item=to_item(attributes))


def row(control: ControlTable) -> dict[str, Any]:
    (found,) = control.rows()
    return found


def test_the_rows_of_a_category_are_found_and_no_others(
    control: ControlTable, dynamodb: Any
) -> None:
    for number in range(30):
        put(dynamodb, **ROW | {"JobName": f"job{number}", "Notes": "x" * 50_000})
    put(dynamodb, **ROW | {"JobName": "other", "JobCategory": "Weekly"})
    assert len(list(control.rows_of_category("Daily"))) == 30
    assert list(control.rows_of_category("Nightly")) == []


def test_calendars_are_rows_of_their_own_and_no_jobs(control: ControlTable, dynamodb: Any) -> None:
    put(dynamodb, JobName="CALENDAR#Holidays", Dates=["2026-12-25", "2026-12-26"])
    put(dynamodb, JobName="CALENDAR#Never", Dates=[])
    assert control.rows() == []
    assert control.calendars(["Holidays", "Never", "Unknown"]) == {
        "Holidays": {date(2026, 12, 25), date(2026, 12, 26)},
        "Never": frozenset(),
    }
    assert control.calendars([]) == {}


def test_an_applied_row_reads_as_it_was_written(control: ControlTable) -> None:
    attributes = ROW | {
        "Arguments": {"--threshold": 0.5, "rules": [{"a": None, "b": True, "c": 10**12}]},
        "DependsOn": ["a", "b"],
        "SkipFlag": "No",
        "MaxCapacity": 0.0625,
        "Priority": 5,
    }
    control.apply(attributes)
    assert row(control) == attributes | {"SkipFlag": False}
    assert read_row(row(control)).is_valid


def test_applying_a_row_replaces_what_people_write_and_keeps_what_penstock_recorded(
    control: ControlTable,
) -> None:
    control.apply(ROW | {"Owner": "Ann", "Priority": 5})
    control.record(ENDED)
    control.apply(ROW | {"Owner": "Bob"})
    assert row(control) == ROW | {
        "Owner": "Bob",
        "StatusFlag": "SUCCEEDED",
        "LastRunTimestamp": "2026-11-21T05:00:41.500Z",
        "LastJobId": "20261121T050000Z-1",
        "LastSeconds": 41.5,
        "FailuresInARow": 0,
        "Recent": "[[41.5,null,null]]",
    }
    control.delete("load")
    assert control.rows() == []


def test_the_seconds_of_the_last_run_are_the_services_where_known(control: ControlTable) -> None:
    control.apply(ROW)
    control.record(replace(ENDED, figures=Figures(seconds=30.0)))
    assert row(control)["LastSeconds"] == 30.0


def test_a_job_that_never_started_does_not_change_the_usual_run_time(control: ControlTable) -> None:
    control.apply(ROW)
    control.record(ENDED)
    control.record(replace(ENDED, state=Outcome.BLOCKED, started_at=None))
    assert (row(control)["StatusFlag"], row(control)["LastSeconds"]) == ("BLOCKED", 41.5)


def test_an_older_run_does_not_overwrite_a_newer_one(control: ControlTable) -> None:
    control.apply(ROW)
    control.record(ENDED)
    control.record(replace(ENDED, job_id="20261120T050000Z-9", state=Outcome.FAILED))
    assert row(control)["StatusFlag"] == "SUCCEEDED"


def test_a_row_that_is_gone_does_not_come_back(control: ControlTable) -> None:
    control.record(ENDED)
    assert control.rows() == []


def test_failures_in_a_row_are_counted_until_a_success(control: ControlTable) -> None:
    control.apply(ROW)
    control.record(replace(ENDED, state=Outcome.TIMED_OUT, failed_before=1))
    assert row(control)["FailuresInARow"] == 2
    control.record(replace(ENDED, state=Outcome.BLOCKED, failed_before=2))
    assert row(control)["FailuresInARow"] == 2
    control.record(replace(ENDED, failed_before=2))
    assert row(control)["FailuresInARow"] == 0


def test_only_successes_are_remembered_and_twice_the_same_is_once(control: ControlTable) -> None:
    control.apply(ROW)
    earlier = History((Sample(10.0, 5, 0.1),))
    done = replace(ENDED, history=earlier, figures=Figures(rows_written=7, dollars=0.2))
    control.record(done)
    control.record(done)
    assert row(control)["Recent"] == "[[41.5,7,0.2],[10.0,5,0.1]]"
    control.record(replace(done, state=Outcome.FAILED))
    assert History.from_text(row(control)["Recent"]).samples == earlier.samples


def test_a_backfill_leaves_the_row_as_it_is(control: ControlTable) -> None:
    control.apply(ROW)
    control.record(replace(ENDED, lane=Lane.BACKFILL))
    assert row(control) == ROW


@pytest.mark.parametrize("lane", list(Lane))
def test_whoever_records_an_end_is_told_who_waits(control: ControlTable, lane: Lane) -> None:
    control.apply(ROW)
    waiter = Waiter("2026-11-21", JobKey("run2", "report", 1))
    control.add_waiter("load", waiter)
    ended = replace(ENDED, lane=lane)
    assert control.record(ended) == {"2026-11-21|run2|report|1"}
    late = replace(ended, job_id="20261120T050000Z-9")
    assert control.record(late) == {"2026-11-21|run2|report|1"}
    control.remove_waiters("load", [waiter])
    assert control.record(ended) == frozenset()


def test_nobody_waits_in_a_row_that_is_gone(control: ControlTable) -> None:
    control.add_waiter("load", Waiter("2026-11-21", JobKey("run2", "report", 1)))
    assert control.rows() == []
    assert control.record(ENDED) == frozenset()
