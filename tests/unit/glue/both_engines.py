"""Runs one transform on DuckDB and on Spark, and compares what each made."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
from penstock_job.contract import JobContract, Result
from penstock_job.dataset import (
    PublishedColumn,
    attempt_path,
    manifest_path,
    publish,
    rejects_path,
)
from penstock_job.duckdb_engine import DuckDbEngine
from penstock_job.spark_engine import SparkEngine
from penstock_job.transform import TransformArgumentParser, transform
from pyspark.sql import SparkSession
from tests.unit.glue.conftest import BUCKET, LOGICAL_DATE, arguments
from tests.unit.glue.folder_store import FolderStore
from tests.unit.glue.kept import kept

RUNS = count()


class Both:
    """Runs one transform on both engines and gives what each made."""

    def __init__(self, store: FolderStore, session: SparkSession, folder: Path) -> None:
        self.store = store
        self.session = session
        self.folder = folder
        self.run = next(RUNS)

    def begin(self) -> None:
        """Begin anew, in a category of its own."""
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
        file = self._folder() / "rows.parquet"
        with duckdb.connect() as connection:
            connection.execute(f"CREATE TABLE rows ({columns})")
            connection.executemany(
                f"INSERT INTO rows VALUES ({', '.join('?' * len(rows[0]))})", rows
            )
            connection.execute(f"COPY rows TO '{file}' (FORMAT parquet)")
        self.publish(job, f"SELECT * FROM read_parquet('{file}')")

    def put(self, name: str, content: bytes) -> str:
        """Put a file to S3; gives its address."""
        path = f"s3://{BUCKET}/raw/{self.run}/{name}"
        self.store.write(path, content, "text/csv")
        return path

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
        found = kept(rejects_path(contract), self.store)
        for reject in found:
            del reject["first_seen"], reject["line"]  # Spark does not number the lines of a file
        return Counter(json.dumps(reject, sort_keys=True, default=str) for reject in found)

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
        self.result = result
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
