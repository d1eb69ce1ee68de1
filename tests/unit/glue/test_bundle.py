"""Each job as one file, as Glue gets it: alone, in a process of its own."""

from __future__ import annotations

import ast
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from tests.local.redshift.data_api import Platform
from tests.unit.glue.conftest import GLUE, arguments

from penstock_cli.sample_sources import serve

SCRIPTS = (
    "python_shell/extract.py",
    "python_shell/extract_tables.py",
    "python_shell/transform.py",
    "python_shell/load.py",
    "spark/extract_tables.py",
    "spark/transform.py",
    "spark/load.py",
)


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundles")
    runpy.run_path(str(GLUE / "bundle.py"))["main"]([str(folder)])
    return folder


def run(script: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    # -I: neither the current folder nor PYTHONPATH can lend a module.
    command = [sys.executable, "-I", str(script), *argv]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=script.parent)


def test_every_script_is_bundled(bundles: Path) -> None:
    found = {str(file.relative_to(bundles)) for file in bundles.rglob("*.py")}
    assert found == set(SCRIPTS)


@pytest.mark.parametrize("script", [name for name in SCRIPTS if name.startswith("python_shell")])
def test_what_runs_in_python_shell_is_python_3_9(bundles: Path, script: str) -> None:
    ast.parse((bundles / script).read_text(), feature_version=(3, 9))
    for file in (GLUE / "penstock_job").glob("*.py"):
        ast.parse(file.read_text(), feature_version=(3, 9))


def test_the_python_shell_jobs_do_not_need_spark(bundles: Path) -> None:
    for script in SCRIPTS[:4]:
        assert "pyspark" not in (bundles / script).read_text()


def test_the_spark_jobs_need_no_duckdb(bundles: Path) -> None:
    for script in SCRIPTS[4:]:
        assert "import duckdb" not in (bundles / script).read_text()


def test_a_bundled_job_runs_alone(bundles: Path, aws: Platform) -> None:
    with serve() as url:
        extract = run(
            bundles / "python_shell/extract.py",
            *arguments("extract_us_cases", source_url=f"{url}/us.csv"),
        )
    transform = run(
        bundles / "python_shell/transform.py", *arguments("clean", inputs="extract_us_cases")
    )

    assert extract.returncode == 0, extract.stderr
    assert "63 rows read, 62 written, 1 rejected, 0 filtered" in extract.stderr
    assert transform.returncode == 0, transform.stderr


def test_the_last_line_of_a_failed_job_is_its_cause(bundles: Path, aws: Platform) -> None:
    with serve() as url:
        failed = run(
            bundles / "python_shell/extract.py",
            *arguments("extract_us_cases", source_url=f"{url}/none.csv"),
        )

    assert failed.returncode == 1
    lines = failed.stderr.strip().splitlines()
    assert lines[-1] == f"SourceError: {url}/none.csv answered 404 Not Found"
    assert any('File "penstock_job/http_source.py"' in line for line in lines)


def test_arguments_that_are_missing_are_named_on_the_last_line(bundles: Path) -> None:
    for script in SCRIPTS[:4]:
        failed = run(bundles / script)
        last = failed.stderr.strip().splitlines()[-1]
        assert last.startswith("ArgumentsError: the following arguments are required: --job_id")
