"""What is out of the ordinary about a success."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.domain.figures import Figures
from penstock.domain.history import History, Sample
from penstock.domain.job_record import JobRecord
from penstock.domain.outcome import Outcome
from penstock.domain.unusual import unusual

USUAL = History((Sample(100.0, 1_000), Sample(120.0, 1_100), Sample(80.0, 900)))


def remarks(seconds: float, rows: int | None, history: History = USUAL, **fields: Any) -> list[str]:
    figures = Figures(seconds=seconds, rows_written=rows)
    state = fields.pop("state", Outcome.SUCCEEDED)
    job = JobRecord("run", "a", "spark", "Daily", "2026-11-21", state)
    changed = {"figures": figures, "history": history, **fields}
    for name, value in changed.items():
        object.__setattr__(job, name, value)
    return list(unusual(job))


@pytest.mark.parametrize(
    ("seconds", "rows", "expected"),
    [
        (100, 1_000, []),
        (200, 2_000, []),
        (201, 1_000, ["slow: 201 s, usually 100"]),
        (100, 499, ["wrote 499 rows, usually 1,000"]),
        (100, 2_001, ["wrote 2,001 rows, usually 1,000"]),
        (100, None, []),
    ],
)
def test_a_success_is_judged_by_what_is_usual(
    seconds: float, rows: int | None, expected: list[str]
) -> None:
    assert remarks(seconds, rows) == expected


def test_nobody_is_judged_by_too_little() -> None:
    assert remarks(9_999, 5, History(USUAL.samples[:2])) == []
    assert remarks(10, 5, History((Sample(1.0, 5),) * 3)) == []


def test_expected_rows_count_where_there_is_no_history() -> None:
    found = remarks(1, 4, History(), expected_rows=10)
    assert found == ["wrote 4 rows, ExpectedRows is 10"]


def test_a_failure_has_a_cause_already() -> None:
    assert remarks(9_999, 0, state=Outcome.FAILED) == []
