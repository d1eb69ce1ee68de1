"""The load into Iceberg: real Spark and a real table, merged by key in one commit."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import pytest
from penstock_job.contract import JobArgumentParser, Result, contract_of
from penstock_job.dataset import PublishedColumn, attempt_path, publish
from penstock_job.duckdb_engine import DuckDbEngine
from penstock_job.errors import ArgumentsError, JobError, LoadError, RuleViolatedError
from penstock_job.iceberg_load import IcebergLoadArgumentParser, load_iceberg
from penstock_job.spark_engine import SparkEngine
from pyspark.sql import SparkSession
from tests.local.redshift.data_api import Platform
from tests.unit.glue.conftest import BUCKET, arguments, iceberg_jar
from tests.unit.glue.folder_store import FolderStore
from tests.unit.glue.kept import kept
from tests.unit.glue.loading import DAYS, JOB, UPSTREAM

TABLE = "lake.sales.daily_cases"
pytestmark = pytest.mark.skipif(
    iceberg_jar() is None, reason="Iceberg's classes (snowpark-connect-deps-iceberg) are missing"
)


class Lake:
    """Publishes for a load, runs it, and shows the table."""

    def __init__(self, session: SparkSession, folder: Path, own: Path) -> None:
        self.session = session
        self.store = FolderStore(folder)
        self.store.client = boto3.client("s3")  # of the lease
        self.own = own
        self.folders = 0

    def given(self, select: str, attempt: int = 1) -> None:
        contract = contract_of(JobArgumentParser("").read(arguments(UPSTREAM, attempt)))
        self.folders += 1
        folder = self.own / f"given{self.folders}"
        folder.mkdir()
        with closing(DuckDbEngine(folder, self.store)) as engine:
            written = engine.write_parquet(select, attempt_path(contract))
            schema = engine.schema(select)
        columns = [PublishedColumn(name, str(kind)) for name, kind in schema.items()]
        files = [file.path for file in written.files]
        publish(self.store, contract, files, columns, written.rows, {})

    def load(self, attempt: int = 1, **own: Any) -> Result:
        values = {
            "inputs": UPSTREAM, "key": "date", "iceberg_table": "sales.daily_cases",
            "iceberg_catalog": "lake", **own,
        }  # fmt: skip
        given = IcebergLoadArgumentParser("").read(arguments(JOB, attempt, **values))
        engine = SparkEngine(self.session, self.store)
        try:
            return load_iceberg(engine, self.store, contract_of(given), given)
        finally:
            engine.release()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.session.sql(sql).collect()]

    def snapshots(self) -> int:
        return len(self.rows(f"SELECT * FROM {TABLE}.snapshots"))

    def rejects(self) -> list[dict[str, Any]]:
        folder = self.store.folder / BUCKET
        found = (folder / "data/Daily_Covid" / JOB / "_rejects").rglob("rejects.json")
        paths = [f"s3://{BUCKET}/{file.parent.relative_to(folder)}" for file in found]
        return [reject for path in paths for reject in kept(path, self.store)]


@pytest.fixture
def lake(spark: SparkSession, s3_folder: Path, tmp_path: Path, aws: Platform) -> Iterator[Lake]:
    spark.conf.set("spark.sql.catalog.lake", "org.apache.iceberg.spark.SparkCatalog")
    spark.conf.set("spark.sql.catalog.lake.type", "hadoop")
    spark.conf.set("spark.sql.catalog.lake.warehouse", (s3_folder / "lake").as_uri())
    partitions = spark.conf.get("spark.sql.shuffle.partitions")
    spark.conf.set("spark.sql.shuffle.partitions", "1")  # the rows are few
    spark.sql("CREATE NAMESPACE IF NOT EXISTS lake.sales")
    yield Lake(spark, s3_folder, tmp_path)
    spark.sql(f"DROP TABLE IF EXISTS {TABLE} PURGE")
    spark.conf.set("spark.sql.shuffle.partitions", str(partitions))
    for job in (UPSTREAM, JOB):
        shutil.rmtree(s3_folder / BUCKET / "data/Daily_Covid" / job, ignore_errors=True)


SUMS = f"SELECT count(*), sum(cases), sum(deaths), min(date) FROM {TABLE}"


def test_rows_are_merged_by_key_and_a_second_load_changes_nothing(lake: Lake) -> None:
    lake.given(DAYS)
    first = lake.load()
    lake.rows(f"UPDATE {TABLE} SET cases = 7 WHERE date = DATE '2020-01-23'")  # by somebody, since
    before = lake.snapshots()
    again = lake.load(attempt=2)

    assert (first.rows_read, first.rows_written) == (60, 60)
    assert [one.path for one in first.outputs] == ["iceberg://sales/daily_cases"]
    assert again.rows_written == 60
    assert lake.snapshots() == before
    assert lake.rows(SUMS)[0][:3] == (60, 17700 - 3, 870)

    lake.given(f"SELECT date, cases + 1 AS cases, deaths FROM ({DAYS}) LIMIT 50", attempt=2)
    lake.load(attempt=3)

    assert lake.rows(SUMS)[0][:3] == (60, 17700 + 50, 870)


def test_a_load_killed_after_its_commit_finds_nothing_to_change(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        pass

    execute = SparkEngine.execute

    def killed(self: SparkEngine, sql: str) -> None:
        if sql.startswith("ALTER"):
            raise KilledError
        execute(self, sql)

    lake.given(DAYS)
    with monkeypatch.context() as patch:
        patch.setattr(SparkEngine, "execute", killed)
        with pytest.raises(KilledError):
            lake.load()
    files = set(lake.rows(f"SELECT file_path FROM {TABLE}.files"))

    lake.load(attempt=2)

    assert lake.rows(SUMS)[0][:3] == (60, 17700, 870)
    assert set(lake.rows(f"SELECT file_path FROM {TABLE}.files")) == files


def test_records_that_the_table_cannot_take_are_rejected_with_their_reason(lake: Lake) -> None:
    lake.rows(f"CREATE TABLE {TABLE} (date STRING, n INT NOT NULL, more INT) USING iceberg")
    lake.given(
        """SELECT * FROM (VALUES ('a', 1::BIGINT), ('a', 2), ('b', 5000000000), (NULL, 4), ('', 5),
           ('c', NULL), ('d', -6)) AS rows(date, n)"""
    )

    result = lake.load()

    assert sorted(lake.rows(f"SELECT date, n, more FROM {TABLE}")) == [
        ("a", 1, None),
        ("d", -6, None),
    ]
    assert (result.rows_read, result.rows_written, result.rows_rejected) == (7, 2, 5)
    assert sorted((one["reason"], one["record"].get("n")) for one in lake.rejects()) == [
        ("n does not fit into int", 5000000000),
        ("n is missing, and the table requires it", None),
        ("the key is missing", 4),
        ("the key is missing", 5),
        ("the key repeats another record's", 2),
    ]
    with pytest.raises(RuleViolatedError, match="5 of 7 records were rejected"):
        lake.load(attempt=2, max_reject_ratio="0.1")


@pytest.mark.parametrize(
    ("own", "error", "text"),
    [
        ({"key": "day"}, ArgumentsError, "key day is no column"),
        ({"iceberg_table": "t"}, ArgumentsError, "not database.table"),
        ({"iceberg_table": "a.b; DROP"}, ArgumentsError, "not database.table"),
        ({"inputs": ["a", "b"]}, ArgumentsError, "one input, not 2"),
    ],
)
def test_a_load_that_cannot_be_is_refused(
    lake: Lake, own: dict[str, Any], error: type[JobError], text: str
) -> None:
    lake.given(DAYS)

    with pytest.raises(error, match=text):
        lake.load(**own)


def test_a_table_that_lacks_a_column_is_left_as_it_is(lake: Lake) -> None:
    lake.rows(f"CREATE TABLE {TABLE} (date DATE, cases BIGINT) USING iceberg")
    lake.given(DAYS)

    with pytest.raises(LoadError, match="has no column deaths; it has date, cases"):
        lake.load()

    assert lake.snapshots() == 0
