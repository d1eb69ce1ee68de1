"""Jobs of the type auto: which engine they get, and what the plan says of it."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.domain.control_row import item_of, read_row
from penstock.domain.engine_choice import SPARK_FROM
from penstock.domain.history import History, Sample

ROW: dict[str, Any] = {
    "JobName": "clean_orders",
    "JobCategory": "Daily_Sales",
    "JobType": "auto",
    "Target": "{stack}-transform",
    "MaxCapacity": 1,
    "WorkerType": "G.1X",
    "NumberOfWorkers": 4,
}


def recent(*sizes: int | None) -> str:
    return History(tuple(Sample(60.0, 10, 0.1, size) for size in sizes)).to_text()


def test_little_data_goes_to_python_shell_with_its_own_size() -> None:
    row = read_row({**ROW, "ExpectedBytes": SPARK_FROM - 1}).row

    assert (row.job_type, row.target) == ("python_shell", "{stack}-transform")
    assert (row.max_capacity, row.worker_type, row.number_of_workers) == (1, None, None)
    assert row.chosen == "python_shell: 4.0 GiB by ExpectedBytes, less than 4.0 GiB"


def test_much_data_goes_to_the_spark_job_that_is_called_alike() -> None:
    row = read_row({**ROW, "ExpectedBytes": SPARK_FROM}).row

    assert (row.job_type, row.target) == ("spark", "{stack}-transform-spark")
    assert (row.max_capacity, row.worker_type, row.number_of_workers) == (None, "G.1X", 4)


def test_a_spark_job_of_another_name_may_be_named() -> None:
    row = read_row({**ROW, "ExpectedBytes": 10**12, "TargetSpark": "big-clean"}).row

    assert row.target == "big-clean"


def test_the_bytes_of_past_successes_decide_where_the_row_says_nothing() -> None:
    small = read_row({**ROW, "Recent": recent(5_000_000, None, 7_000_000)}).row
    large = read_row({**ROW, "Recent": recent(10**11, 10**11, 3)}).row

    assert small.chosen == "python_shell: 5.7 MiB by the last successes, less than 4.0 GiB"
    assert (large.job_type, large.target) == ("spark", "{stack}-transform-spark")


def test_a_job_that_nothing_is_known_of_goes_to_python_shell() -> None:
    row = read_row(ROW).row

    assert (row.job_type, row.chosen) == ("python_shell", "python_shell: no bytes are known yet")


def test_histories_without_bytes_are_read_as_before() -> None:
    old = History.from_text("[[60.0, 10, 0.1]]")

    assert old.samples == (Sample(60.0, 10, 0.1),)
    assert old.to_text() == "[[60.0,10,0.1]]"
    assert History.from_text(recent(7)).bytes == 7


def test_what_is_applied_keeps_the_type_auto() -> None:
    item = item_of({**ROW, "ExpectedBytes": 10**12, "TargetSpark": "big"})

    assert (item["JobType"], item["Target"]) == ("auto", "{stack}-transform")
    assert (item["ExpectedBytes"], item["TargetSpark"]) == (10**12, "big")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"MaxCapacity": 2}, "MaxCapacity: a python_shell job has 0.0625 or 1"),
        ({"NumberOfWorkers": None}, "NumberOfWorkers: goes together with WorkerType"),
        ({"ExpectedBytes": -1}, "ExpectedBytes: -1 is no whole number"),
        ({"JobType": "spark", "MaxCapacity": None, "TargetSpark": "x"}, "TargetSpark: is for"),
    ],
)
def test_a_size_that_neither_engine_has_is_a_mistake(changes: dict[str, Any], text: str) -> None:
    problems = [str(problem) for problem in read_row({**ROW, **changes}).problems]

    assert any(problem.startswith(text) for problem in problems), problems


@pytest.mark.parametrize(
    "text", ["", "x", "7", "null", "[[null,1,2]]", "[[1]]", "[1e999]", "[[1e999,1,2]]", "[" * 9_999]
)
def test_what_cannot_be_read_is_no_history(text: str) -> None:
    assert History.from_text(text) == History()


def test_a_figure_that_is_none_is_unknown() -> None:
    read = History.from_text('[[2,1e999,"x",-1e999]]')

    assert read.samples == (Sample(2.0),)
