"""Tables of a work order: each with its own outcome; one snapshot; drift; a database that goes."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
from bench.postgres_server import PostgresServer
from penstock_job.work_order import read_work_order
from tests.unit.glue.extracts import BUCKET, Extracts


@pytest.fixture
def extracts(database: psycopg.Connection[Any], postgres: Any, tmp_path: Path) -> Extracts:
    return Extracts(postgres, tmp_path)


def fill(database: psycopg.Connection[Any], table: str, rows: int) -> None:
    database.execute(
        f"CREATE TABLE {table} AS SELECT i AS id, 'row ' || i AS name,"
        f" date '2026-01-01' + i % 5 AS day FROM generate_series(1, {rows}) AS i"
    )


def test_a_table_that_fails_fails_none_of_its_neighbours(
    database: psycopg.Connection[Any], extracts: Extracts
) -> None:
    fill(database, "first", 3)
    fill(database, "last", 4)
    reports = extracts.run_all({"table": "first"}, {"table": "none"}, {"table": "last"})
    assert [(r["table"], r["outcome"], r["rows"]) for r in reports] == [
        ("first", "SUCCEEDED", 3),
        ("none", "FAILED", 0),
        ("last", "SUCCEEDED", 4),
    ]
    error = "SourceError: there is no table none, or this user may not see it"
    assert reports[1]["error"] == error
    assert extracts.failure == f"1 of 3 tables failed: none: {error}"
    assert (extracts.result["rows_written"], extracts.result["rows_read"]) == (7, 7)
    assert all(report["duration_seconds"] >= 0 for report in reports)
    assert extracts.store.read(f"s3://{BUCKET}/data/extract/shop/none/manifest.json") is None


def test_a_fault_that_nobody_thought_of_is_one_table_s_as_well(
    database: psycopg.Connection[Any], extracts: Extracts, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(database, "first", 1)
    fill(database, "second", 1)
    upload = extracts.store.upload

    def failing(file: Path, path: str) -> Any:
        if "/first/" in path:
            raise OSError("disk full\nsomewhere")
        return upload(file, path)

    monkeypatch.setattr(extracts.store, "upload", failing)
    reports = extracts.run_all({"table": "first"}, {"table": "second"})
    assert [report["outcome"] for report in reports] == ["FAILED", "SUCCEEDED"]
    assert reports[0]["error"] == "OSError: disk full somewhere"


def test_the_result_names_each_table_as_soon_as_it_is_published(
    database: psycopg.Connection[Any], extracts: Extracts, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(database, "first", 1)
    fill(database, "second", 1)
    seen: list[int] = []
    write = extracts.store.write

    def noting(path: str, body: bytes, content_type: str) -> None:
        if path.endswith("result.json"):
            seen.append(len(json.loads(body).get("tables", [])))
        write(path, body, content_type)

    monkeypatch.setattr(extracts.store, "write", noting)
    extracts.run_all({"table": "first"}, {"table": "second"})
    assert seen == [0, 1, 2]


@pytest.mark.parametrize("partitions", [1, 3, 7])
def test_all_ranges_are_of_one_snapshot_and_leave_no_row_out(
    database: psycopg.Connection[Any], extracts: Extracts, partitions: int
) -> None:
    database.execute("CREATE TABLE t (id int, part int, name text)")
    database.execute(
        "INSERT INTO t SELECT i, CASE WHEN i % 10 > 0 THEN i * i END, repeat('x', 5000)"
        " FROM generate_series(1, 2000) AS i"
    )
    extracts.file_bytes = 1_000_000  # a batch that began below it is written whole
    order = extracts.order({"table": "t", "partition_column": "part", "partitions": partitions})
    work = Path(extracts.store.folder) / "work"
    work.mkdir()
    with extracts.source().read(read_work_order(order).tables[0]) as reading:
        database.execute("UPDATE t SET id = -id")
        database.execute("INSERT INTO t VALUES (9999, 5, 'after the snapshot')")
        chunks = list(reading.chunks(work))
    assert len(chunks) > partitions
    assert max(chunk.file.stat().st_size for chunk in chunks) < 1 << 21
    with duckdb.connect() as connection:
        found = [row for chunk in chunks for row in connection.execute(chunk.select).fetchall()]
    assert sorted(row[0] for row in found) == list(range(1, 2001))


@pytest.mark.parametrize(
    "kind", ["bigint", "numeric(10,3)", "date", "timestamp", "timestamptz", "smallint"]
)
def test_a_table_is_read_by_ranges_of_a_column_of_these_types(
    database: psycopg.Connection[Any], extracts: Extracts, kind: str
) -> None:
    is_time = kind.startswith(("date", "timestamp"))
    value = "date '2026-01-01' + i * 7" if is_time else "i * 7"
    database.execute(
        f"CREATE TABLE t AS SELECT i AS id, ({value})::{kind} AS part"
        " FROM generate_series(1, 100) AS i"
    )
    if is_time:
        database.execute("INSERT INTO t VALUES (101, 'infinity'), (102, '-infinity')")
    rows = 102 if is_time else 100
    report = extracts.run({"table": "t", "partition_column": "part", "partitions": 4})
    assert report["rows"] == rows
    assert len(extracts.state("t").layers[0].files) == 4
    assert [row[0] for row in extracts.current("t", "id")] == list(range(1, rows + 1))


def test_a_partition_column_that_has_no_ranges_is_refused(
    database: psycopg.Connection[Any], extracts: Extracts
) -> None:
    fill(database, "t", 1)
    [report] = extracts.run_all({"table": "t", "partition_column": "name", "partitions": 2})
    assert "partition_column: name is text; it has to be a number or a date" in report["error"]


def test_files_are_laid_out_by_the_values_of_columns(
    database: psycopg.Connection[Any], extracts: Extracts
) -> None:
    fill(database, "t", 10)
    extracts.run({"table": "t", "partition_by": ["day"]})
    files = extracts.state("t").layers[0].files
    assert len(files) == 5
    assert all("/day=2026-01-0" in file for file in files)
    assert len(extracts.current("t", "day, id")) == 10


def test_a_table_of_one_column_keeps_its_missing_values(
    database: psycopg.Connection[Any], extracts: Extracts
) -> None:
    database.execute("CREATE TABLE t (name text)")
    database.execute("INSERT INTO t VALUES (NULL), (''), (NULL), ('a')")
    extracts.run({"table": "t"})
    assert extracts.current("t") == [("",), ("a",), (None,), (None,)]


def test_columns_and_their_types_may_be_chosen_and_nothing_is_rounded(
    database: psycopg.Connection[Any], extracts: Extracts
) -> None:
    database.execute("CREATE TABLE t (id int, price numeric, code text, extra text)")
    database.execute("INSERT INTO t VALUES (1, 12.5, '007', 'x'), (2, NULL, NULL, 'y')")
    order = {
        "table": "t",
        "columns": ["price", "id", "code"],
        "types": {"price": "decimal(10,2)", "code": "integer", "id": "text"},
    }
    extracts.run(order)
    assert {name: str(kind) for name, kind in extracts.types("t").items()} == {
        "price": "decimal(10,2)",
        "id": "text",
        "code": "integer",
    }
    assert extracts.current("t", "id, code") == [("1", 7), ("2", None)]
    database.execute("INSERT INTO t VALUES (3, 12.345, '1', 'z')")
    [report] = extracts.run_all(order)
    assert report["error"] == (
        "SourceError: column price (numeric) holds '12.345', which cannot be kept as "
        "decimal(10,2); `types: {price: text}` keeps it as it is"
    )
    assert len(extracts.current("t")) == 2, "the last good state stays"


def test_a_value_that_its_type_cannot_hold_is_named(
    database: psycopg.Connection[Any], extracts: Extracts
) -> None:
    database.execute("CREATE TABLE t (id int, price numeric(10,2))")
    database.execute("INSERT INTO t VALUES (1, 5), (2, 'NaN')")
    [report] = extracts.run_all({"table": "t"})
    assert "column price (numeric(10,2)) holds 'NaN'" in report["error"]
    assert extracts.run({"table": "t", "types": {"price": "text"}})["rows"] == 2
    assert extracts.current("t", "price") == [("5.00",), ("NaN",)]


def test_names_of_tables_are_taken_as_they_are_written(
    database: psycopg.Connection[Any], extracts: Extracts
) -> None:
    database.execute('CREATE SCHEMA "Sales"')
    database.execute('CREATE TABLE "Sales"."Order" AS SELECT 1 AS id')
    database.execute('CREATE VIEW seen AS SELECT id + 1 AS id FROM "Sales"."Order"')
    try:
        assert extracts.run({"table": "Sales.Order"})["rows"] == 1
        assert extracts.run({"table": "seen"})["rows"] == 1
    finally:
        database.execute('DROP SCHEMA "Sales" CASCADE')


DRIFTS = [
    ("ADD COLUMN note text", ["column note (text) is new"]),
    ("ALTER day TYPE timestamp", ["column day was date, is timestamp"]),
    ("ALTER id TYPE numeric(30,2)", ["column id was integer, is decimal(30,2)"]),
    ("ALTER id TYPE text", ["column id was integer, is text"]),
    ("ALTER id TYPE bigint", []),
    ("ALTER name TYPE varchar(100)", []),
]


@pytest.mark.parametrize(("change", "told"), DRIFTS)
@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_a_new_or_wider_column_is_taken_over_and_told(
    database: psycopg.Connection[Any],
    extracts: Extracts,
    change: str,
    told: list[str],
    mode: str,
) -> None:
    order = {"table": "t", "mode": mode}
    fill(database, "t", 3)
    if mode == "incremental":
        database.execute("ALTER TABLE t ADD COLUMN seq int")
        database.execute("UPDATE t SET seq = id")
        order |= {"cursor": "seq", "primary_key": ["seq"]}
    extracts.run(order)
    database.execute(f"ALTER TABLE t {change}")
    database.execute("UPDATE t SET name = 'changed'")
    frozen = extracts.run_all({**order, "drift": "freeze"}, commit=False)[0]
    assert (frozen["outcome"] == "FAILED") == bool(told)
    if told:
        assert f"SchemaDriftError: {told[0]}, but drift is freeze" in frozen["error"]
        assert extracts.run(order)["drift"] == told
        assert extracts.result["warnings"] == [f"t: {line}" for line in told]
    rows = extracts.current("t")
    assert len(rows) == 3
    if "note" in change:
        assert extracts.current("t", "note") == [(None,)] * 3


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("DROP COLUMN name", "column name (text) is gone"),
        ("RENAME name TO label", "column name (text) is gone"),
        ("ALTER id TYPE smallint USING 1, ALTER day TYPE text", ""),
        ("ALTER day TYPE int USING 5", "column day was date and is now integer"),
        ("ALTER id TYPE numeric(5,0)", "column id was integer and is now decimal(5,0)"),
        ("ALTER id TYPE float8", "column id was integer and is now double"),
    ],
)
def test_a_column_that_is_gone_or_narrower_fails_the_table_until_it_is_accepted(
    database: psycopg.Connection[Any], extracts: Extracts, change: str, told: str
) -> None:
    fill(database, "t", 3)
    extracts.run({"table": "t"})
    before = extracts.current("t")
    database.execute(f"ALTER TABLE t {change}")
    [report] = extracts.run_all({"table": "t"})
    if not told:
        assert report["outcome"] == "SUCCEEDED"
        return
    assert f"SchemaDriftError: {told}" in report["error"]
    assert extracts.current("t") == before
    extracts.run({"table": "t", "drift": "accept"})
    assert len(extracts.current("t")) == 3


def test_a_database_that_goes_away_in_the_middle_fails_that_table_only(
    database: psycopg.Connection[Any], extracts: Extracts
) -> None:
    fill(database, "calm", 2)
    database.execute(
        "CREATE VIEW slow AS SELECT i, repeat('x', 9000), pg_sleep(0.002)::text AS waited"
        " FROM generate_series(1, 20000) AS i"
    )
    extracts.file_bytes = 100_000
    ender = threading.Thread(target=_end_copy, args=(extracts,))
    ender.start()
    reports = extracts.run_all({"table": "slow"}, {"table": "calm"})
    ender.join()
    assert [report["outcome"] for report in reports] == ["FAILED", "SUCCEEDED"]
    assert reports[0]["error"].startswith("SourceError: slow: ")
    assert "terminating connection" in reports[0]["error"]
    assert extracts.store.read(f"s3://{BUCKET}/data/extract/shop/slow/manifest.json") is None


def _end_copy(extracts: Extracts) -> None:
    """End the connection that copies, once some of it has been stored."""
    folder = extracts.store.folder / BUCKET / "data/extract/shop/slow"
    with psycopg.connect(
        host=extracts.access.host,
        port=extracts.access.port,
        user=extracts.access.user,
        password=extracts.access.password,
        dbname=extracts.access.database,
        autocommit=True,
    ) as connection:
        deadline = time.monotonic() + 20
        while not list(folder.rglob("*.parquet")) and time.monotonic() < deadline:
            time.sleep(0.05)
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'penstock' AND query LIKE 'COPY%'"
        )


def test_a_database_that_comes_back_in_time_is_waited_for(
    database: psycopg.Connection[Any], postgres: PostgresServer, tmp_path: Path
) -> None:
    fill(database, "t", 2)
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            postgres.serve()

    extracts = Extracts(postgres, tmp_path, sleep)
    postgres.halt()
    try:
        assert extracts.run({"table": "t"})["rows"] == 2
    finally:
        if len(pauses) < 2:
            postgres.serve()
    assert 0.25 <= pauses[0] <= 0.5 <= pauses[1] <= 1.0


def test_a_database_that_is_not_there_is_waited_for_once_not_by_every_table(
    database: psycopg.Connection[Any], postgres: PostgresServer, tmp_path: Path
) -> None:
    pauses: list[float] = []
    extracts = Extracts(postgres, tmp_path, pauses.append)
    postgres.halt()
    try:
        reports = extracts.run_all({"table": "a"}, {"table": "b"}, {"table": "c"})
    finally:
        postgres.serve()
    assert len(pauses) == 3
    assert "(4 attempts)" in reports[0]["error"]
    assert [report["outcome"] for report in reports] == ["FAILED"] * 3
    assert "a 'secret' word" not in json.dumps(reports)


def test_a_wrong_password_is_not_tried_again_and_not_shown(
    database: psycopg.Connection[Any], postgres: PostgresServer, tmp_path: Path
) -> None:
    pauses: list[float] = []
    extracts = Extracts(postgres, tmp_path, pauses.append)
    extracts.access = type(extracts.access)(
        **{**vars(extracts.access), "password": "my wrong word"}
    )
    [report] = extracts.run_all({"table": "a"})
    assert "password authentication failed" in report["error"]
    assert "my wrong word" not in report["error"]
    assert "my wrong word" not in repr(extracts.access)
    assert pauses == []


def test_a_server_without_tls_is_refused_where_tls_is_wanted(
    database: psycopg.Connection[Any], postgres: PostgresServer, tmp_path: Path
) -> None:
    extracts = Extracts(postgres, tmp_path)
    extracts.access = type(extracts.access)(**{**vars(extracts.access), "tls": "require"})
    [report] = extracts.run_all({"table": "a"})
    assert "server does not support SSL, but SSL was required" in report["error"]
