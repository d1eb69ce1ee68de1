"""One specification, two engines: DuckDB and Spark must give the same rows and the same rejects."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pytest
from penstock_job.contract import JobContract, Result
from penstock_job.dataset import PublishedColumn, attempt_path, manifest_path, publish
from penstock_job.duckdb_engine import DuckDbEngine
from penstock_job.errors import RuleViolatedError, SpecificationError
from penstock_job.spark_engine import SparkEngine
from penstock_job.transform import TransformArgumentParser, transform
from pyspark.sql import SparkSession

from tests.unit.glue.conftest import BUCKET, LOGICAL_DATE, arguments
from tests.unit.glue.folder_store import FolderStore

RUNS = count()

# Texts that naive code reads wrongly, or that the engines by themselves read differently.
NASTY = [
    None, "", " ", "0", "-0", "+5", "007", " 42 ", "1.5", "5.", ".5", "1e3", "1E-2", "1_000", "1,5",
    "1d", "0x1F", "NaN", "inf", "-Infinity", "1e999", "4.9e-324", "9223372036854775807",
    "9223372036854775808", "-9223372036854775808", "123456.78", "123456.789", "123456.780000",
    "12345678901234567890123456789012345678", "0" * 60 + "1", "true", "FALSE", "Yes", "n", "2",
    "2020-02-29", "2021-02-29", "2020-2-9", "0000-01-01", "0001-01-01", "9999-12-31", "10000-01-01",
    "1582-10-10", "2020-02-30", "20200229", "29.02.2020", "31.04.2020", "2020-02-29T23:59:59",
    "2020-02-29 23:59", "2020-02-29 24:00:00", "2020-02-29 12:00:00.123456", "2020-02-29T12:00:00Z",
    "2020-02-29T12:00:00+02:00", "infinity", "epoch", "today", "now", "it's", 'a "quoted" one',
    "two\nlines", "cr\r\nlf", "tab\tbed", "back\\slash", "comma, and; semicolon", "Zürich", "東京",
    "🦠😷", "e\u0301", "\u00e9", "\u00a042", "NULL", "null", "None", "$1", "\\1", "%", "_",
    "x" * 5000,
]  # fmt: skip


class Both:
    """Runs one transform on both engines and gives what each made."""

    def __init__(self, store: FolderStore, session: SparkSession, folder: Path) -> None:
        self.store = store
        self.session = session
        self.folder = folder
        self.run = next(RUNS)

    def publish(self, job: str, select: str) -> None:
        """Publish the rows of a DuckDB select as an upstream job's data."""
        contract = self.contract(job)
        with closing(DuckDbEngine(self._folder(), self.store)) as engine:
            written = engine.write_parquet(select, attempt_path(contract))
            schema = engine.schema(select)
        columns = [PublishedColumn(name, str(kind)) for name, kind in schema.items()]
        files = [file.path for file in written.files]
        publish(self.store, contract, files, columns, written.rows, {})

    def publish_rows(self, job: str, columns: str, rows: list[tuple[Any, ...]]) -> None:
        """Publish Python rows, for columns such as `a VARCHAR, b BIGINT`."""
        file = self._folder() / "rows.duckdb"
        with duckdb.connect(str(file)) as connection:
            connection.execute(f"CREATE TABLE rows ({columns})")
            marks = ", ".join("?" * len(rows[0])) if rows else ""
            for row in rows:
                connection.execute(f"INSERT INTO rows VALUES ({marks})", row)
            connection.execute(f"COPY rows TO '{file}.parquet' (FORMAT parquet)")
        self.publish(job, f"SELECT * FROM read_parquet('{file}.parquet')")

    def transform(self, **own: Any) -> tuple[Made, Made]:
        return self.duckdb(**own), self.spark(**own)

    def duckdb(self, **own: Any) -> Made:
        with closing(DuckDbEngine(self._folder(), self.store)) as engine:
            return self._made(engine, "by_duckdb", own)

    def spark(self, **own: Any) -> Made:
        engine = SparkEngine(self.session, self.store)
        try:
            return self._made(engine, "by_spark", own)
        finally:
            engine.release()

    def contract(self, job: str) -> JobContract:
        category = f"Test_{self.run}"
        result = f"s3://{BUCKET}/results/{category}/{job}.json"
        data = f"s3://{BUCKET}/data"
        return JobContract("20261121T050000Z-x", job, category, LOGICAL_DATE, 1, result, data)

    def _made(self, engine: Any, job: str, own: dict[str, Any]) -> Made:
        parsed = TransformArgumentParser("").read(arguments(job, **own))
        contract = self.contract(job)
        result = transform(engine, self.store, contract, parsed)
        manifest = json.loads(self.store.read(manifest_path(contract, job)) or b"")
        rows = self._rows(manifest["files"])
        columns = [(column["name"], column["type"]) for column in manifest["columns"]]
        return Made(columns, rows, self._rejects(contract), result)

    def _rows(self, files: list[str]) -> Counter[tuple[Any, ...]]:
        local = self.store.download(files, self._folder())
        with duckdb.connect() as connection:
            rows = connection.read_parquet([str(file) for file in local]).fetchall()
        return Counter(tuple(_comparable(value) for value in row) for row in rows)

    def _rejects(self, contract: JobContract) -> Counter[str]:
        rejects: Counter[str] = Counter()
        for file in self.store.list(f"{attempt_path(contract)}/_rejects"):
            if "/part-" not in file.path:
                continue
            for line in (self.store.read(file.path) or b"").decode().split("\n"):
                if line:
                    entry = json.loads(line, parse_float=Decimal)
                    rejects[json.dumps(entry, sort_keys=True, default=str)] += 1
        return rejects

    def _folder(self) -> Path:
        folder = self.folder / str(next(RUNS))
        folder.mkdir()
        return folder


class Made:
    """What one engine made of it: columns with types, rows, rejects, the result file."""

    def __init__(
        self,
        columns: list[tuple[str, str]],
        rows: Counter[tuple[Any, ...]],
        rejects: Counter[str],
        result: Result,
    ) -> None:
        self.columns = columns
        self.rows = rows
        self.rejects = rejects
        self.counts = (
            result.rows_read,
            result.rows_written,
            result.rows_rejected,
            result.rows_filtered,
        )


def _comparable(value: Any) -> Any:
    return value.hex() if isinstance(value, float) else value


def agree(made: tuple[Made, Made]) -> Made:
    """Assert that both engines made the same; gives one of them."""
    by_duckdb, by_spark = made
    assert by_duckdb.columns == by_spark.columns
    assert by_duckdb.rows == by_spark.rows
    assert by_duckdb.rejects == by_spark.rejects
    assert by_duckdb.counts == by_spark.counts
    return by_duckdb


@pytest.fixture
def both(s3_folder: Path, spark: SparkSession, tmp_path: Path) -> Iterator[Both]:
    yield Both(FolderStore(s3_folder), spark, tmp_path)


@pytest.mark.parametrize(
    "column_type",
    ["text", "integer", "decimal(8,2)", "decimal(38,0)", "double", "boolean", "date", "timestamp"],
)
def test_both_engines_read_every_nasty_text_alike(both: Both, column_type: str) -> None:
    both.publish_rows("source", "n BIGINT, value VARCHAR", list(enumerate(NASTY)))

    made = agree(
        both.transform(
            inputs="source",
            columns=[{"name": "n", "type": "integer"}, {"name": "value", "type": column_type}],
        )
    )

    assert made.counts[0] == len(NASTY)
