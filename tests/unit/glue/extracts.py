"""The extract job on a real database, its S3 a folder; what Settle Job would do is done here."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
from penstock_job.column_type import ColumnType, read_type
from penstock_job.contract import JobContract
from penstock_job.database_access import DatabaseAccess, Patience
from penstock_job.dialect import DUCKDB
from penstock_job.duckdb_engine import DuckDbEngine
from penstock_job.duckdb_writer import DuckDbWriter
from penstock_job.errors import TablesFailedError
from penstock_job.job_input import read_input
from penstock_job.postgresql_source import PostgresqlSource
from penstock_job.table_dataset import TableDataset, TableState
from penstock_job.table_extract import TableExtract
from penstock_job.work_order import read_work_order
from tests.unit.glue.folder_store import FolderStore

BUCKET = "penstock-data"


class Extracts:
    """Runs extracts of one source, one run after the other, each with the committed watermarks."""

    def __init__(
        self, server: Any, folder: Path, sleep: Any = float, kind: Any = PostgresqlSource
    ) -> None:
        (folder / "s3" / BUCKET).mkdir(parents=True)
        self.store = FolderStore(folder / "s3")
        self.data = f"s3://{BUCKET}/data"
        self.watermarks: dict[str, Any] = {}
        self.runs = 0
        self.result: dict[str, Any] = {}
        self.failure = ""
        self._folder = folder
        secret = server.secret
        self.access = DatabaseAccess(
            secret["host"], secret["port"], secret["dbname"], secret["username"],
            secret["password"], tls="disable",
        )  # fmt: skip
        self.patience = Patience(sleep)
        self.file_bytes = 1 << 20
        self.kind = kind

    def source(self) -> Any:
        return self.kind(self.access, self.patience, self.file_bytes)

    def writer(self, engine: DuckDbEngine, folder: Path) -> Any:
        return DuckDbWriter(engine.connection, self.store, folder)

    def order(self, *tables: dict[str, Any]) -> dict[str, Any]:
        return {
            "source": {"name": "shop", "type": "postgresql"},
            "tables": [
                {
                    "target": f"extract/shop/{table['table']}",
                    "watermark": self.watermarks.get(table["table"]),
                    **table,
                }
                for table in tables
            ],
        }

    def contract(self, job_id: str, attempt: int) -> JobContract:
        result = f"s3://{BUCKET}/runs/{job_id}/jobs/shop.pack-001/{attempt}/result.json"
        return JobContract(
            job_id, "shop.pack-001", "Extract", "2026-11-21", attempt, result, self.data
        )  # fmt: skip

    def run_all(
        self,
        *tables: dict[str, Any],
        job_id: str = "",
        attempt: int = 1,
        commit: bool = True,
        order: dict[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        """Run one job; return what it reports of its tables."""
        self.runs += 1
        self.failure = ""
        contract = self.contract(job_id or f"run-{self.runs}", attempt)
        order = order or self.order(*tables)
        name = self._folder / f"work-{self.runs}"
        name.mkdir()
        with (
            closing(DuckDbEngine(name, self.store)) as engine,
            closing(self.source()) as source,
        ):
            writer = self.writer(engine, name)
            extract = TableExtract(contract, self.store, source, writer)
            try:
                extract.run(read_work_order(order))
            except TablesFailedError as error:
                self.failure = str(error)
        left = [path.name for path in name.iterdir() if path.name.startswith("table-")]
        assert left == [], "files are left behind"
        body = self.store.read(contract.result_path)
        assert body is not None
        self.result = json.loads(body)
        reports = self.result.get("tables", [])
        for report in reports:
            if commit and report["outcome"] == "SUCCEEDED":
                self.watermarks[report["table"]] = report["watermark"]
        return list(reports)

    def run(self, table: dict[str, Any], **how: Any) -> dict[str, Any]:
        """Run a job of one table that is to succeed; return its report."""
        [report] = self.run_all(table, **how)
        assert report["outcome"] == "SUCCEEDED", report["error"]
        return report

    def state(self, table: str) -> TableState:
        return TableDataset(self.store, f"{self.data}/extract/shop/{table}").state()

    def current(self, table: str, columns: str = "*") -> list[tuple[Any, ...]]:
        """The rows of a table as a job has them that takes it in, in the order of the columns."""
        self.runs += 1
        work = self._folder / f"work-{self.runs}"
        work.mkdir()
        with closing(DuckDbEngine(work, self.store)) as engine:
            contract = self.contract("reader", 1)
            rows = read_input(engine, self.store, contract, f"extract:shop/{table}", "input")
            found = engine.connection.execute(f"SELECT {columns} FROM input ORDER BY ALL")
            all_rows = found.fetchall()
        assert len(all_rows) == rows
        return all_rows

    def types(self, table: str) -> dict[str, ColumnType]:
        return {column.name: read_type(column.type) for column in self.state(table).columns}

    def rows(self, table: str, order: str = "1") -> list[dict[str, Any]]:
        """The rows of the last layer, as the files have them; dates and times as texts."""
        files = [str(self.store._file(path)) for path in self.state(table).layers[-1].files]
        reading = f"read_parquet({files}, hive_partitioning = false)"
        with closing(duckdb.connect()) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            columns = connection.execute(f"DESCRIBE SELECT * FROM {reading}").fetchall()
            values = ", ".join(_shown(name, kind) for name, kind, *_ in columns)
            found = connection.execute(f"SELECT {values} FROM {reading} ORDER BY {order}")
            return [
                dict(zip([column[0] for column in columns], row, strict=True))
                for row in found.fetchall()
            ]


def _shown(name: str, kind: str) -> str:
    column = DUCKDB.identifier(name)
    is_time = kind == "DATE" or kind.startswith("TIMESTAMP")
    return f"CAST({column} AS VARCHAR)" if is_time else column
