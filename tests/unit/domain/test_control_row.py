"""Reading a control row, from DynamoDB and from YAML."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from penstock.domain.control_row import item_of, read_row

ROW: dict[str, Any] = {
    "JobName": "Load_Covid",
    "JobCategory": "Daily_Covid",
    "JobType": "python_shell",
    "Target": "{stack}-load",
}


def problems(**changes: Any) -> list[str]:
    return [str(problem) for problem in read_row({**ROW, **changes}).problems]


def test_a_minimal_row_takes_the_defaults() -> None:
    reading = read_row(ROW)
    row = reading.row
    assert reading.is_valid
    assert (row.pool, row.timeout_minutes, row.run_condition.text) == ("default", 480, "ALL_DAYS")
    assert (row.depends_on, row.priority, row.skip_flag) == ((), None, None)
    assert row.is_for("dev")


def test_a_full_row_is_read_field_by_field() -> None:
    row = read_row(
        ROW
        | {
            "JobType": "spark",
            "WorkerType": "G.1X",
            "NumberOfWorkers": 10,
            "TimeoutMinutes": "90",
            "RunCondition": "DAY 1,15 EXCEPT Holidays",
            "TimeZone": "Europe/Vienna",
            "SkipFlag": "Yes",
            "SkipUntil": date(2026, 12, 1),
            "DependsOn": "A, B,A",
            "Environment": {"prod", "dev"},
            "Priority": 7,
            "ExpectedRows": 1000,
            "LastSeconds": 41.5,
        }
    ).row
    assert (row.worker_type, row.number_of_workers, row.timeout_minutes) == ("G.1X", 10, 90)
    assert (row.run_condition.calendar, row.time_zone) == ("Holidays", "Europe/Vienna")
    assert (row.skip_flag, row.skip_until) == (True, date(2026, 12, 1))
    assert (row.depends_on, row.environment) == (("A", "B"), ("dev", "prod"))
    assert (row.priority, row.expected_rows, row.last_seconds) == (7, 1000, 41.5)


@pytest.mark.parametrize("value", [True, "true", "Yes", "YES", "yes", "y"])
def test_every_way_to_say_yes_is_read(value: Any) -> None:
    assert read_row({**ROW, "SkipFlag": value}).row.skip_flag is True


@pytest.mark.parametrize("value", [False, "false", "No", "NO", "no", "n"])
def test_every_way_to_say_no_is_read(value: Any) -> None:
    assert read_row({**ROW, "SkipFlag": value}).row.skip_flag is False


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"JobName": ""}, "JobName: is missing"),
        ({"JobName": "a/b"}, "JobName: 'a/b' is no name"),
        ({"JobName": "x" * 65}, "is no name"),
        ({"JobCategory": None}, "JobCategory: is missing"),
        ({"JobType": "glue"}, "JobType: 'glue' is none of spark, python_shell"),
        ({"Target": " "}, "Target: is missing"),
        ({"SkipFlag": "maybe"}, "SkipFlag: 'maybe' is neither Yes nor No"),
        ({"SkipFlag": 1}, "SkipFlag: 1 is neither"),
        ({"SkipUntil": "soon"}, "SkipUntil: 'soon' is no date like"),
        ({"SkipUntil": "20261121"}, "is no date"),
        ({"RunCondition": "FUNDAY"}, "RunCondition: 'FUNDAY' is no day"),
        ({"RunCondition": 5}, "RunCondition: 5 is no run condition"),
        ({"TimeZone": "Mars/Olympus"}, "TimeZone: 'Mars/Olympus' is no time zone"),
        ({"TimeZone": "../etc/passwd"}, "is no time zone"),
        ({"TimeoutMinutes": 0}, "TimeoutMinutes: 0 is no whole number from 1"),
        ({"TimeoutMinutes": "long"}, "TimeoutMinutes: 'long' is no number"),
        ({"TimeoutMinutes": 1.5}, "1.5 is no whole number"),
        ({"TimeoutMinutes": float("inf")}, "TimeoutMinutes: inf is no number"),
        ({"TimeoutMinutes": True}, "True is no number"),
        ({"Priority": -1}, "Priority: -1 is no whole number"),
        ({"Arguments": "--x 1"}, "Arguments: '--x 1' is no map"),
        ({"DependsOn": {"A": 1}}, "DependsOn: {'A': 1} is no list of names"),
        ({"DependsOn": [["A"]]}, "DependsOn: ['A'] is no name of a job"),
        ({"DependsOn": ["Load_Covid"]}, "DependsOn: the job depends on itself"),
        ({"DependsOn": [f"j{n}" for n in range(1001)]}, "names more than 1000 jobs"),
        ({"Pool": "a b"}, "Pool: 'a b' is no name"),
        ({"WorkerType": "G.1X", "NumberOfWorkers": 2}, "WorkerType: a python_shell job has"),
        ({"MaxCapacity": 2}, "MaxCapacity: a python_shell job has 0.0625 or 1"),
        ({"JobType": "spark", "MaxCapacity": 10}, "MaxCapacity: a spark job has WorkerType"),
        ({"JobType": "spark", "WorkerType": "G.1X"}, "NumberOfWorkers: goes together"),
        ({"JobType": "spark", "WorkerType": "G.1X", "NumberOfWorkers": 1}, "2 at least"),
        ({"DependOn": ["A"]}, "DependOn: is no field of a job; DependsOn is"),
        ({"depends_on": ["A"]}, "depends_on: is no field of a job; DependsOn is"),
    ],
)
def test_a_bad_field_is_a_problem_with_its_name(changes: dict[str, Any], problem: str) -> None:
    assert any(problem in found for found in problems(**changes))


def test_every_problem_is_listed_and_not_only_the_first() -> None:
    found = problems(SkipFlag="maybe", RunCondition="FUNDAY", TimeoutMinutes=0)
    assert [text.split(":")[0] for text in found] == ["TimeoutMinutes", "RunCondition", "SkipFlag"]


def test_columns_of_the_users_own_are_welcome() -> None:
    assert problems(Comment="by Ann", Ticket=7, LastJobId="x", StatusFlag="FAILED") == []


def test_a_row_of_nothing_is_all_problems_and_no_exception() -> None:
    assert len(read_row({}).problems) == 4


@pytest.mark.parametrize(
    ("flag", "until", "day", "skipped"),
    [
        (None, None, "2026-11-21", False),
        (True, None, "2026-11-21", True),
        (True, "2026-11-22", "2026-11-21", True),
        (True, "2026-11-21", "2026-11-21", False),
        (None, "2026-11-22", "2026-11-21", True),
        (False, "2026-11-22", "2026-11-21", False),
    ],
)
def test_skip_until_is_the_first_day_that_is_not_skipped(
    flag: bool | None, until: str | None, day: str, skipped: bool
) -> None:
    row = read_row({**ROW, "SkipFlag": flag, "SkipUntil": until}).row
    assert row.is_skipped_on(date.fromisoformat(day)) is skipped


@pytest.mark.parametrize(
    ("environment", "belongs"),
    [(None, True), ("dev", True), ("DEV, test", True), (["prod"], False), ("ALL", True)],
)
def test_a_row_belongs_to_the_environments_it_names(environment: Any, belongs: bool) -> None:
    assert read_row({**ROW, "Environment": environment}).row.is_for("dev") is belongs


def test_the_item_to_store_has_one_spelling_for_everything() -> None:
    item = item_of(
        ROW
        | {
            "JobName": " Load_Covid ",
            "SkipFlag": "NO",
            "SkipUntil": date(2026, 12, 1),
            "RunCondition": ["monday", "wed"],
            "DependsOn": "A,B",
            "Arguments": {"rules": [{"column": "x"}]},
            "Owner": "",
            "Priority": 3,
            "LastJobId": "kept in the table, not applied",
        }
    )
    assert item == ROW | {
        "SkipFlag": False,
        "SkipUntil": "2026-12-01",
        "RunCondition": "monday,wed",
        "DependsOn": ["A", "B"],
        "Arguments": {"rules": [{"column": "x"}]},
        "Priority": 3,
    }
    assert read_row(item).is_valid
