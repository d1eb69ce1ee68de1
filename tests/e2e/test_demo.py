"""`penstock demo` as a new user meets it: what it prints, what it leaves, how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from penstock_cli import sample_sources

ROOT = Path(__file__).parents[2]
REPORT = ROOT / ".penstock" / "demo.json"
HOME = ROOT / ".penstock" / "demo"


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from penstock_cli.main import run; run()", "demo", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)


def processes_of_the_demo() -> list[int]:
    """Processes that Penstock Local has started in the demo's folder, itself among them."""
    found = []
    for process in psutil.process_iter():
        try:
            home = process.environ().get("PENSTOCK_LOCAL_HOME", "")
            in_home = process.cwd().startswith(str(HOME))
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        if in_home or home == str(HOME):
            found.append(process.pid)
    return found


def test_the_demo_runs_the_pipeline_and_leaves_nothing_running() -> None:
    ended = demo()

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert processes_of_the_demo() == []
    report = json.loads(REPORT.read_text())
    assert report["verdict"] == "SUCCEEDED"
    assert {job["outcome"] for job in report["jobs"]} == {"SUCCEEDED"}
    assert {job["type"] for job in report["jobs"]} == {"python_shell", "spark"}
    assert report["run_log_rows"] == 1
    assert report["loaded"]["rows"] == 56
    assert "Verdict:      SUCCEEDED" in ended.stdout


def test_a_missing_source_ends_the_demo_with_status_1_and_says_why(tmp_path: Path) -> None:
    sample_sources.write_sample(tmp_path)
    (tmp_path / sample_sources.RECOVERED_FILE).unlink()

    ended = demo("--data", str(tmp_path))

    assert ended.returncode == 1, ended.stdout + ended.stderr
    report = json.loads(REPORT.read_text())
    assert report["verdict"] == "PARTIAL"
    outcomes = {job["name"]: job["outcome"] for job in report["jobs"]}
    assert outcomes["extract_us_recovered"] == "FAILED"
    assert outcomes["clean_us_cases"] == "SUCCEEDED"
    assert outcomes["join_daily_cases"] == "BLOCKED"
    error = next(j["error"] for j in report["jobs"] if j["name"] == "extract_us_recovered")
    assert f"{sample_sources.RECOVERED_FILE} answered 404" in error
    assert report["loaded"] is None


@pytest.mark.parametrize("folder", ["no-such-folder", "Makefile"])
def test_a_folder_that_is_none_is_refused_at_once(folder: str) -> None:
    ended = demo("--data", folder)
    assert ended.returncode == 2
    assert (
        ended.stderr
        == f"penstock: {folder} is no folder: DATA names the folder with the CSV files\n"
    )
