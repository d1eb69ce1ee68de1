"""A table of PostgreSQL to Parquet: Penstock's extract job against ConnectorX with PyArrow.

    python bench/extract.py [--rows 5000000] [--partitions 2] [--repeats 1] [--json]

Both read the same table of the same server over TCP, in the same number of ranges, and write
Parquet with zstd to the disk; each runs in a process of its own, whose wall time, processor time
and peak memory are measured (the server's are not). ConnectorX: `uv sync --group bench`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "glue")]

from postgres_server import (  # noqa: E402 - the folder is known only now
    PostgresServer,
    packaged_programs,
)

PENSTOCK, CONNECTORX = "Penstock", "ConnectorX + PyArrow"
TABLE = """
    CREATE TABLE orders AS
    SELECT i AS id, (i * 7919 % 100000)::int AS customer, md5(i::text) AS code,
           'Customer number ' || i % 1000 AS name, (i % 1000000)::numeric(12,2) / 100 AS amount,
           random() * 1000 AS weight, i % 3 = 0 AS paid, date '2020-01-01' + (i % 2000)::int AS day,
           timestamptz '2024-01-01' + i * interval '1.234567 second' AS updated_at,
           CASE WHEN i % 10 > 0 THEN 'note, "' || i || '"' END AS note
      FROM generate_series(1::bigint, {rows}) AS i
"""


@dataclass(frozen=True)
class Measure:
    """One extract by one tool."""

    tool: str
    wall_seconds: float
    cpu_seconds: float
    peak_mb: float
    parquet_mb: float


def main(argv: Sequence[str]) -> None:
    """Make the table, let both extract it, print what each took."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--partitions", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(argv)
    server = PostgresServer(packaged_programs()).start()
    try:
        _fill(server, options.rows)
        measures = [
            measure(tool, server, options.rows, options.partitions)
            for _ in range(options.repeats)
            for tool in (PENSTOCK, CONNECTORX)
        ]
    finally:
        server.stop()
    medians = [_median([each for each in measures if each.tool == tool]) for tool in _TOOLS]
    if options.json:
        print(json.dumps({"rows": options.rows, "tools": [asdict(each) for each in medians]}))
    else:
        _print(medians, options.rows)


def measure(tool: str, server: PostgresServer, rows: int, partitions: int) -> Measure:
    """Let one tool extract the table in a process of its own, and check that all rows came."""
    folder = Path(tempfile.mkdtemp(prefix="penstock-bench-"))
    try:
        request = json.dumps({**server.secret, "folder": str(folder), "partitions": partitions})
        started = time.monotonic()
        process = subprocess.Popen([sys.executable, __file__, "--extract", tool, request])
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{tool} failed")
        files = list(folder.rglob("*.parquet"))
        _require_rows(files, rows)
        size = sum(file.stat().st_size for file in files)
        cpu = usage.ru_utime + usage.ru_stime
        return Measure(tool, wall, cpu, usage.ru_maxrss / 1024, size / 1e6)
    finally:
        shutil.rmtree(folder)


def _penstock(request: dict[str, object]) -> None:
    """The shipped job as it is, but for S3, which is a folder."""
    import duckdb
    from penstock_job.contract import JobContract
    from penstock_job.database_access import DatabaseAccess
    from penstock_job.duckdb_writer import DuckDbWriter
    from penstock_job.object_store import ObjectStore, StoredObject, split
    from penstock_job.postgresql_source import PostgresqlSource
    from penstock_job.table_extract import TableExtract
    from penstock_job.work_order import SourceOrder, TableOrder, WorkOrder

    target = Path(str(request["folder"]))

    class Folder(ObjectStore):
        """A folder in S3's place; it has no manifest that another could write."""

        def __init__(self) -> None:
            pass

        def read_version(self, path: str) -> tuple[bytes, str] | None:
            return None

        def replace(self, path: str, body: bytes, content_type: str, version: str | None) -> bool:
            self.write(path, body, content_type)
            return True

        def write(self, path: str, body: bytes, content_type: str) -> None:
            file = target / split(path)[1]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(body)

        def upload(self, file: Path, path: str) -> StoredObject:
            place = target / split(path)[1]
            place.parent.mkdir(parents=True, exist_ok=True)
            os.link(file, place)
            return StoredObject(path, place.stat().st_size)

    access = DatabaseAccess(
        str(request["host"]),
        int(str(request["port"])),
        str(request["dbname"]),
        str(request["username"]),
        str(request["password"]),
        tls="disable",
    )
    contract = JobContract("bench", "bench", "Bench", "2026-11-21", 1, "s3://b/result", "s3://b/d")
    order = TableOrder(
        "orders", "orders", partition_column="id", partitions=int(str(request["partitions"]))
    )
    work = target / "work"
    work.mkdir()
    with duckdb.connect(str(work / "job.duckdb"), config={"memory_limit": "400MB"}) as connection:
        source = PostgresqlSource(access)
        writer = DuckDbWriter(connection, Folder(), work)
        extract = TableExtract(contract, Folder(), source, writer)
        extract.run(WorkOrder(SourceOrder("bench", "postgresql", {}), (order,)))


def _connectorx(request: dict[str, object]) -> None:
    from urllib.parse import quote

    import connectorx
    import pyarrow.parquet

    uri = (
        f"postgresql://{request['username']}:{quote(str(request['password']))}@"
        f"{request['host']}:{request['port']}/{request['dbname']}"
    )
    table = connectorx.read_sql(
        uri,
        "SELECT * FROM orders",
        return_type="arrow",
        partition_on="id",
        partition_num=int(str(request["partitions"])),
    )
    place = Path(str(request["folder"])) / "orders.parquet"
    pyarrow.parquet.write_table(table, place, compression="zstd")


_TOOLS = {PENSTOCK: _penstock, CONNECTORX: _connectorx}


def _fill(server: PostgresServer, rows: int) -> None:
    with server.connect() as connection:
        connection.execute(TABLE.format(rows=rows))
        connection.execute("ALTER TABLE orders ALTER amount TYPE numeric(12,2)")
        connection.execute("ALTER TABLE orders ADD PRIMARY KEY (id)")
        connection.execute("VACUUM ANALYZE orders")


def _require_rows(files: Sequence[Path], rows: int) -> None:
    import pyarrow.parquet

    found = sum(pyarrow.parquet.ParquetFile(file).metadata.num_rows for file in files)
    if found != rows:
        raise SystemExit(f"{found} rows came, not {rows}")


def _median(measures: Sequence[Measure]) -> Measure:
    return sorted(measures, key=lambda each: each.wall_seconds)[len(measures) // 2]


def _print(medians: Sequence[Measure], rows: int) -> None:
    print(f"{rows:,} rows of 10 columns, PostgreSQL to Parquet (zstd)")
    print(f"{'':22} {'wall s':>8} {'CPU s':>8} {'peak MB':>8} {'file MB':>8}")
    for each in medians:
        print(
            f"{each.tool:22} {each.wall_seconds:8.2f} {each.cpu_seconds:8.2f} "
            f"{each.peak_mb:8.0f} {each.parquet_mb:8.0f}"
        )
    ours, theirs = medians
    print(f"Penstock takes {ours.wall_seconds / theirs.wall_seconds:.2f} of ConnectorX's time")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--extract"]:
        _TOOLS[sys.argv[2]](json.loads(sys.argv[3]))
    else:
        main(sys.argv[1:])
