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
from penstock.domain.job_record import JobRecord
from penstock.domain.outcome import Outcome

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
    assert len(control.rows_of_category("Daily")) == 30
    assert control.rows_of_category("Nightly") == []


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
