"""What a run looks like in a log of 80 columns."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from penstock_cli.run_view import JobView
from penstock_cli.terminal import Progress, job_table, log_line

LONG = JobView(
    "extract_us_recovered", "python_shell", "SUCCEEDED", 36_580, 36_580, 0, 12.0, None, True
)
FAILED = JobView("load", "spark", "FAILED", None, None, None, 3.0, "no such table", True)
RUNNING = JobView("load", "spark", "RUNNING", None, None, None, 3.2, None, False)


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=80)


def text(console: Console) -> str:
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_names_and_numbers_are_not_cut_at_80_columns(console: Console) -> None:
    console.print(job_table([LONG]))
    assert "extract_us_recovered python_shell SUCCEEDED 36,580  36,580        0    12.0" in text(
        console
    )


def test_a_log_has_one_line_per_change(console: Console) -> None:
    with Progress(console, "running") as progress:
        progress.show([RUNNING])
        progress.show([RUNNING])
        progress.show([FAILED])
    assert text(console) == "RUNNING    load\nFAILED     load - no such table\n"


def test_a_log_ends_with_the_table(console: Console) -> None:
    with Progress(console, "running") as progress:
        progress.show([LONG], ended=True)
    assert text(console).splitlines()[-1].startswith("✔ extract_us_recovered")


def test_the_line_of_a_job_that_succeeded_has_its_rows() -> None:
    assert log_line(LONG) == "SUCCEEDED  extract_us_recovered (36,580 read, 36,580 written)"
