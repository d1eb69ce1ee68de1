"""The Spark extract beside the Python shell extract, on the same tables of a real PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from penstock_job.database_access import DatabaseAccess
from penstock_job.errors import ArgumentsError
from penstock_job.spark_engine import SparkEngine
from penstock_job.spark_table_writer import SparkWriter
from pyspark.sql import SparkSession
from tests.unit.glue.extracts import BUCKET, Extracts
from tests.unit.glue.folder_store import FolderStore
from tests.unit.glue.jdbc_driver import PACKAGE, postgresql_driver

ODD = """
    CREATE TABLE odd (
        id int PRIMARY KEY, price numeric(38,9), amount numeric, moment timestamptz,
        local timestamp, day date, clock time, doc json, docb jsonb, raw bytea, tags text[],
        sums numeric[], code uuid, weight double precision, small real, flag boolean,
        name text, short varchar(5), padded char(4), span interval, rough numeric(3,-2),
        big bigint, zoned timetz, "Odd ""x"" name" text)
"""
ROWS: list[tuple[Any, ...]] = [
    (
        1, "12345678901234567890123456789.123456789", "1.10", "2026-11-21 05:00:00.123456+02",
        "2026-11-21 05:00:00.000001", "2026-11-21", "23:59:59.999999", '{"a":  1, "b": "ü"}',
        '{"b": [1, null]}', b"\x00\xff\\x", ["a,b", 'q"q', None, ""], ["1.10", "NaN"],
        "0f5a3c1e-0000-4000-8000-000000000001", "0.1", "0.1", True, 'say "hi"\nand, bye\r\n',
        "é😀", "ab", "1 day 02:03:04", 99900, 2**63 - 1, "05:00:00+02", "'",
    ),
    (
        2, "-0.000000001", "123456789012345678901234567890123456789012345.5",
        "1899-12-31 23:59:59.999999+00", "1500-02-28 23:59:59.5", "1582-10-10", "24:00:00", "null",
        "null", b"", [], [], None, "NaN", "Infinity", False, "", "", "", "-1 mons", 0, -(2**63),
        "00:00:00-12", "\\N",
    ),
    (
        3, "0", "NaN", "0044-03-15 12:00:00+00 BC", "9999-12-31 23:59:59.999999",
        "0044-03-15 BC", None, '"x"', '"x"', b"\n\r,", [["1", "2"], ["3", "4"]], None, None,
        "-Infinity", "-1e-40", None, "\u00a0 \\.", None, None, None, None, None, None, "",
    ),
    (4, *[None] * 23),
]  # fmt: skip


class SparkExtracts(Extracts):
    """As Extracts, with Spark as the one who reads and writes; its `s3://` is the same folder."""

    session: SparkSession

    def writer(self, *_: Any) -> SparkWriter:
        return SparkWriter(SparkEngine(self.session, self.store), self.access, self.store)


@pytest.fixture
def both(
    database: psycopg.Connection[Any],
    postgres: Any,
    tmp_path: Path,
    spark: SparkSession,
    s3_folder: Path,
) -> tuple[Extracts, SparkExtracts]:
    if postgresql_driver() is None:
        pytest.skip(f"the JDBC driver of PostgreSQL is missing: apt-get install {PACKAGE}")
    plain = Extracts(postgres, tmp_path / "plain")
    sparkling = SparkExtracts(postgres, tmp_path / "spark")
    sparkling.session = spark
    sparkling.store = FolderStore(s3_folder)
    sparkling.data = f"s3://{BUCKET}/{tmp_path.name}"
    return plain, sparkling


def same(both: tuple[Extracts, SparkExtracts], table: dict[str, Any], order: str = "id") -> None:
    """Both extracts of a table report and publish the same."""
    plain, sparkling = both
    reports = [extracts.run(table) for extracts in both]
    for report in reports:
        for name in ("bytes", "duration_seconds"):
            del report[name]
    assert reports[0] == reports[1]
    name = table["table"]
    assert plain.types(name) == sparkling.types(name)
    assert repr(plain.rows(name, order)) == repr(sparkling.rows(name, order))


def test_types_that_break_naive_extractors_are_the_same_rows(
    database: psycopg.Connection[Any], both: tuple[Extracts, SparkExtracts]
) -> None:
    database.execute(ODD)
    with database.cursor() as cursor:
        cursor.executemany(f"INSERT INTO odd VALUES ({', '.join(['%s'] * 24)})", ROWS)

    same(both, {"table": "odd"})


def test_ranges_of_one_snapshot_and_increments_are_the_same_rows(
    database: psycopg.Connection[Any], both: tuple[Extracts, SparkExtracts]
) -> None:
    database.execute(
        "CREATE TABLE events (id int, at timestamptz, n int);"
        "INSERT INTO events SELECT i / 2, '2026-11-21'::timestamptz + i * interval '1 s', i"
        " FROM generate_series(0, 999) AS i"
    )
    table = {
        "table": "events", "mode": "incremental", "cursor": "at", "primary_key": ["id"],
        "partition_column": "n", "partitions": 4,
    }  # fmt: skip
    same(both, table)
    database.execute("INSERT INTO events SELECT 7, '2026-11-22', 5; UPDATE events SET n = NULL")
    database.execute("INSERT INTO events VALUES (8, NULL, 1)")
    same(both, table)


def test_rows_that_come_while_spark_reads_are_none_of_this_extract(
    database: psycopg.Connection[Any],
    both: tuple[Extracts, SparkExtracts],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    database.execute("CREATE TABLE t (id int); INSERT INTO t VALUES (1)")
    rows_of = SparkWriter._rows

    def slow(*given: Any) -> Any:
        rows = rows_of(*given)  # Spark reads them later
        database.execute("UPDATE t SET id = 100; INSERT INTO t VALUES (2)")
        return rows

    monkeypatch.setattr(SparkWriter, "_rows", slow)
    both[1].run({"table": "t", "partition_column": "id", "partitions": 2})

    assert both[1].rows("t") == [{"id": 1}]


def test_a_declared_type_is_checked_the_same(
    database: psycopg.Connection[Any], both: tuple[Extracts, SparkExtracts]
) -> None:
    database.execute("CREATE TABLE t (id int, amount numeric, day text)")
    database.execute("INSERT INTO t VALUES (1, 1.50, '2026-11-21'), (2, NULL, NULL)")
    table = {"table": "t", "types": {"amount": "decimal(10,2)", "day": "date"}}
    same(both, table)

    database.execute("INSERT INTO t VALUES (3, 1.505, '2026-11-21')")
    for extracts in both:
        [report] = extracts.run_all(table)
        assert report["outcome"] == "FAILED"
        assert "column amount (numeric) holds" in report["error"]
        assert "1.505" in report["error"]


def test_what_spark_cannot_keep_fails_the_table_and_publishes_nothing(
    database: psycopg.Connection[Any], both: tuple[Extracts, SparkExtracts]
) -> None:
    database.execute("CREATE TABLE t (id int, at timestamp)")
    database.execute("INSERT INTO t VALUES (1, 'infinity')")
    [report] = both[1].run_all({"table": "t"})

    assert report["outcome"] == "FAILED"
    assert "infinity" in report["error"]
    assert not both[1].state("t").layers


def test_columns_to_lay_files_out_by_and_certificates_are_refused_with_the_reason(
    database: psycopg.Connection[Any], both: tuple[Extracts, SparkExtracts]
) -> None:
    database.execute("CREATE TABLE t (id int)")
    [report] = both[1].run_all({"table": "t", "partition_by": ["id"]})
    assert "partition_by: the Spark extract does not" in report["error"]

    access = DatabaseAccess("h", 1, "d", "u", "p", "verify-full", Path("ca.pem"))
    with pytest.raises(ArgumentsError, match="tls_ca: Spark's readers run on other machines"):
        SparkWriter(SparkEngine(both[1].session, both[1].store), access, both[1].store)
