"""What the tests of loads share: published data, the load itself, and the rejects it leaves."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import boto3
from penstock_job.contract import JobArgumentParser, JobContract, Result, contract_of
from penstock_job.dataset import PublishedColumn, attempt_path, publish
from penstock_job.duckdb_engine import DuckDbEngine
from penstock_job.object_store import ObjectStore
from tests.unit.glue.conftest import BUCKET, arguments, load_script
from tests.unit.glue.kept import kept

SCRIPT = load_script("python_shell/load.py")
UPSTREAM, JOB = "join_daily_cases", "load_daily_cases"
DAYS = """SELECT DATE '2020-01-22' + range::INTEGER AS date, range * 10 AS cases,
          CASE WHEN range % 2 = 0 THEN range END AS deaths FROM range(60)"""


def given(select: str, attempt: int = 1, **own: Any) -> JobContract:
    """Publish the rows of a select as the upstream job's data."""
    contract = contract_of(JobArgumentParser("").read(arguments(UPSTREAM, attempt, **own)))
    store = ObjectStore()
    with tempfile.TemporaryDirectory() as folder:
        engine = DuckDbEngine(Path(folder), store)
        written = engine.write_parquet(select, attempt_path(contract))
        columns = [PublishedColumn(name, str(kind)) for name, kind in engine.schema(select).items()]
        engine.close()
    publish(store, contract, [file.path for file in written.files], columns, written.rows, {})
    return contract


def load(attempt: int = 1, **own: Any) -> Result:
    """Load what is given, as the control row's arguments say."""
    values = {"inputs": UPSTREAM, "key": "date", **own}
    result: Result = SCRIPT.main(arguments(JOB, attempt, **values))
    return result


def rejects() -> list[dict[str, Any]]:
    """All rejects that loads have left."""
    prefix = f"data/Daily_Covid/{JOB}/_rejects/"
    listed = boto3.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix)
    keys = [entry["Key"] for entry in listed.get("Contents", [])]
    folders = [key.rpartition("/")[0] for key in keys if key.endswith("/rejects.json")]
    return [reject for folder in folders for reject in kept(f"s3://{BUCKET}/{folder}")]
