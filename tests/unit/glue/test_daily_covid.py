"""The example category, row by row as the planner starts it, from the sources to the tables."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from penstock_job.contract import Result
from pyspark.sql import SparkSession
from tests.local.redshift.data_api import Platform
from tests.unit.glue.conftest import BUCKET, JOB_ID, LOGICAL_DATE, load_script
from tests.unit.glue.folder_store import FolderStore

from penstock.domain.placeholder import job_arguments
from penstock_cli.sample_sources import CASES_FILE, RECOVERED_FILE, serve

ROWS = Path(__file__).parents[3] / "jobs/daily_covid.yaml"
REAL = Path(os.environ.get("DATA", "no folder: DATA is not set"))
WORKGROUP = "analytics"
SCRIPTS = {
    "{stack}-extract": "python_shell/extract.py",
    "{stack}-transform": "python_shell/transform.py",
    "{stack}-transform-spark": "spark/transform.py",
    "{stack}-load": "python_shell/load.py",
}


class Pipeline:
    """Runs the rows one after the other, each script as Glue would run it."""

    def __init__(self, store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store = store
        self.rows = yaml.safe_load(ROWS.read_text())
        self.scripts = {target: load_script(path) for target, path in SCRIPTS.items()}
        for script in self.scripts.values():
            monkeypatch.setattr(script, "ObjectStore", lambda: store)
        self.values = {
            "stack": "penstock",
            "redshift_workgroup": "",
            "redshift_cluster": "",
            "redshift_database": "",
            "redshift_secret_arn": "",
            "redshift_copy_role_arn": "",
        }

    def run(self, sources: str, run: str = JOB_ID) -> dict[str, Result]:
        return {row["JobName"]: self.run_job(row["JobName"], sources, run) for row in self.rows}

    def run_job(self, name: str, sources: str, run: str = JOB_ID) -> Result:
        (row,) = [row for row in self.rows if row["JobName"] == name]
        own = dict(row["Arguments"])
        if "source_url" in own:
            own["source_url"] = f"{sources}/{own['source_url'].rsplit('/', 1)[1]}"
        contract = {
            "--job_id": run,
            "--job_name": name,
            "--category": row["JobCategory"],
            "--logical_date": LOGICAL_DATE,
            "--attempt": "1",
            "--result_path": f"s3://{BUCKET}/runs/{run}/jobs/{name}/1/result.json",
            "--data_path": f"s3://{BUCKET}/{self.values['stack']}",
        }
        arguments = job_arguments(own, contract, self.values)
        argv = [word for pair in arguments.items() for word in pair]
        result: Result = self.scripts[row["Target"]].main(argv)
        written = json.loads(self.store.read(contract["--result_path"]) or b"")
        assert written == result.as_json()
        return result


@pytest.fixture
def pipeline(
    aws: Platform, s3_folder: Path, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> Pipeline:
    boto3.client("dynamodb").create_table(
        TableName="penstock-daily-cases",
        KeySchema=[{"AttributeName": "date", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "date", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return Pipeline(FolderStore(s3_folder), monkeypatch)


def loaded() -> list[tuple[str, int, int, int]]:
    """The rows of the table: date, cases, deaths, recovered."""
    items = boto3.client("dynamodb").scan(TableName="penstock-daily-cases")["Items"]
    assert all(item.keys() == {"date", "cases", "deaths", "recovered"} for item in items)

    def number(item: Any, name: str) -> int:
        return int(item[name]["N"])

    return sorted(
        (
            item["date"]["S"],
            number(item, "cases"),
            number(item, "deaths"),
            number(item, "recovered"),
        )
        for item in items
    )


def counts(results: dict[str, Result]) -> dict[str, tuple[int, int, int, int]]:
    return {
        name: (made.rows_read, made.rows_written, made.rows_rejected, made.rows_filtered)
        for name, made in results.items()
    }


def test_the_sample_goes_through_with_every_record_accounted_for(pipeline: Pipeline) -> None:
    with serve() as sources:
        results = pipeline.run(sources)

    assert counts(results) == {
        "extract_us_cases": (63, 62, 1, 0),
        "extract_us_recovered": (338, 337, 1, 0),
        "clean_us_cases": (62, 60, 2, 0),
        "filter_us_recovered": (337, 56, 1, 280),
        "join_daily_cases": (60, 56, 0, 4),
        "load_daily_cases": (56, 56, 0, 0),
    }
    rows = loaded()
    assert len(rows) == 56
    assert rows[0] == ("2020-02-02", 48, 1, 0)
    assert rows[-1] == ("2020-03-28", 107388, 2386, 20045)


def test_any_job_can_be_run_again_alone_and_a_repeated_run_changes_nothing(
    pipeline: Pipeline,
) -> None:
    with serve() as sources:
        first = pipeline.run(sources)
        rows = loaded()
        alone = pipeline.run_job("join_daily_cases", sources, "20261121T060000Z-again")
        second = pipeline.run(sources, "20261121T070000Z-again")

    assert alone.rows_written == 56
    assert counts(second) == counts(first)
    assert loaded() == rows


def test_the_real_files_give_137_days_and_the_known_sums(pipeline: Pipeline) -> None:
    if not (REAL / CASES_FILE).exists() or not (REAL / RECOVERED_FILE).exists():
        pytest.skip(f"DATA names the folder with the real files; they are not in: {REAL}")
    with serve(REAL) as sources:
        results = pipeline.run(sources)

    assert counts(results) == {
        "extract_us_cases": (142, 142, 0, 0),
        "extract_us_recovered": (36580, 36580, 0, 0),
        "clean_us_cases": (142, 142, 0, 0),
        "filter_us_recovered": (36580, 137, 0, 36443),
        "join_daily_cases": (142, 137, 0, 5),
        "load_daily_cases": (137, 137, 0, 0),
    }
    rows = loaded()
    assert (rows[0][0], rows[-1][0], len(rows)) == ("2020-01-22", "2020-06-06", 137)
    _, cases, deaths, recovered = zip(*rows, strict=True)
    assert (sum(cases), sum(deaths), sum(recovered)) == (77_415_994, 4_352_098, 13_366_756)


def test_a_source_that_is_gone_stops_at_its_extract(pipeline: Pipeline, tmp_path: Path) -> None:
    with serve(tmp_path) as sources, pytest.raises(Exception) as failed:  # noqa: PT011
        pipeline.run(sources)

    assert str(failed.value) == f"{sources}/us.csv answered 404 Not Found"
    assert type(failed.value).__name__ == "SourceError"
