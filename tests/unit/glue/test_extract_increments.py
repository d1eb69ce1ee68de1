"""Increments: no row is missed and none is there twice, whatever happens at the boundary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from penstock_job.catalog import CatalogColumn
from penstock_job.table_catalog import catalog_table
from penstock_job.work_order import read_work_order
from tests.unit.glue.extracts import Extracts

ORDERS = {
    "table": "orders",
    "mode": "incremental",
    "cursor": "updated_at",
    "primary_key": ["id"],
}
SELECT = "SELECT id, state, updated_at AT TIME ZONE 'UTC' FROM orders ORDER BY 1, 2, 3"


@pytest.fixture
def extracts(database: psycopg.Connection[Any], postgres: Any, tmp_path: Path) -> Extracts:
    database.execute(
        "CREATE TABLE orders (id int PRIMARY KEY, state text, updated_at timestamptz NOT NULL)"
    )
    return Extracts(postgres, tmp_path)


def put(database: psycopg.Connection[Any], *rows: tuple[int, str, str]) -> None:
    with database.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO orders VALUES (%s, %s, %s::timestamptz) ON CONFLICT (id) DO UPDATE"
            " SET state = excluded.state, updated_at = excluded.updated_at",
            [(number, state, f"2026-11-21 {at}+00") for number, state, at in rows],
        )


def both(extracts: Extracts, database: psycopg.Connection[Any]) -> tuple[Any, Any]:
    """What a job reads of the extracted table, and what the database holds."""
    return extracts.current("orders"), database.execute(SELECT).fetchall()


def test_an_increment_brings_what_changed_and_the_state_is_that_of_the_source(
    database: psycopg.Connection[Any], extracts: Extracts
) -> None:
    put(database, (1, "new", "05:00"), (2, "new", "05:01"), (3, "new", "05:02"))
    first = extracts.run(ORDERS)
    assert (first["rows"], first["watermark_before"]) == (3, None)
    assert first["watermark"] == {"cursor": "updated_at", "value": "2026-11-21 05:02:00+00"}

    put(database, (2, "paid", "06:00"), (4, "new", "06:01"))
    second = extracts.run(ORDERS)

    assert second["rows"] == 3, "the two that changed, and the one at the boundary"
    assert second["watermark_before"] == first["watermark"]
    current, source = both(extracts, database)
    assert current == source


def test_rows_that_share_the_boundary_are_neither_missed_nor_doubled(
    database: psycopg.Connection[Any], extracts: Extracts
) -> None:
    put(database, (1, "a", "05:00"), (2, "b", "05:00"))
    extracts.run(ORDERS)
    put(database, (3, "c", "05:00"), (2, "B", "05:00"))  # at the very moment of the watermark
    assert extracts.run(ORDERS)["rows"] == 3
    current, source = both(extracts, database)
    assert current == source


def test_a_row_committed_late_is_found_within_the_lookback_and_missed_without(
    database: psycopg.Connection[Any], extracts: Extracts
) -> None:
    put(database, (1, "a", "05:10"))
    extracts.run(ORDERS)
    put(database, (2, "late", "05:05"))
    extracts.run(ORDERS)
    assert len(extracts.current("orders")) == 1, "nothing promises it without a lookback"
    report = extracts.run({**ORDERS, "lookback": 600})
    assert report["watermark"]["value"] == "2026-11-21 05:10:00+00"
    current, source = both(extracts, database)
    assert current == source


def test_nothing_new_changes_nothing(database: psycopg.Connection[Any], extracts: Extracts) -> None:
    put(database, (1, "a", "05:00"))
    first = extracts.run(ORDERS)
    second = extracts.run(ORDERS)
    assert second["watermark"] == first["watermark"]
    current, source = both(extracts, database)
    assert current == source


def test_the_watermark_stays_where_the_last_rows_are_deleted(
    database: psycopg.Connection[Any], extracts: Extracts
) -> None:
    put(database, (1, "a", "05:00"), (2, "b", "06:00"))
    first = extracts.run(ORDERS)
    database.execute("DELETE FROM orders WHERE id = 2")
    second = extracts.run(ORDERS)
    assert (second["rows"], second["watermark"]) == (0, first["watermark"])
    database.execute("DELETE FROM orders")
    third = extracts.run(ORDERS)
    assert (third["rows"], third["watermark"]) == (0, first["watermark"])


def test_an_empty_table_has_no_watermark_and_goes_on_from_nothing(
    database: psycopg.Connection[Any], extracts: Extracts
) -> None:
    report = extracts.run(ORDERS)
    assert (report["rows"], report["watermark"]) == (0, None)
    assert extracts.current("orders") == []
    put(database, (1, "a", "05:00"))
    assert extracts.run(ORDERS)["rows"] == 1
    current, source = both(extracts, database)
    assert current == source


def test_rows_without_a_cursor_are_read_every_time_and_counted(
    database: psycopg.Connection[Any], extracts: Extracts
) -> None:
    database.execute("ALTER TABLE orders ALTER updated_at DROP NOT NULL")
    put(database, (1, "a", "05:00"))
    database.execute("INSERT INTO orders VALUES (2, 'undated', NULL)")
    assert extracts.run(ORDERS)["rows_without_cursor"] == 1
    database.execute("UPDATE orders SET state = 'still undated' WHERE id = 2")
    assert extracts.run(ORDERS)["rows"] == 2
    current, source = both(extracts, database)
    assert current == source
    put(database, (2, "dated", "06:00"))
    extracts.run(ORDERS)
    current, source = both(extracts, database)
    assert current == source


def test_a_full_extract_forgets_what_was_deleted_and_increments_go_on_from_it(
    database: psycopg.Connection[Any], extracts: Extracts
) -> None:
    put(database, (1, "a", "05:00"), (2, "b", "05:30"))
    extracts.run(ORDERS)
    put(database, (3, "c", "06:00"))
    database.execute("DELETE FROM orders WHERE id = 1")
    extracts.run({**ORDERS, "mode": "full"})
    assert len(extracts.state("orders").layers) == 1
    put(database, (4, "d", "07:00"))
    assert extracts.run(ORDERS)["rows"] == 2
    current, source = both(extracts, database)
    assert current == source


def test_another_cursor_begins_anew(database: psycopg.Connection[Any], extracts: Extracts) -> None:
    put(database, (1, "a", "05:00"), (2, "b", "06:00"))
    extracts.run(ORDERS)
    report = extracts.run({**ORDERS, "cursor": "id"})
    assert (report["rows"], report["watermark"]) == (2, {"cursor": "id", "value": "2"})


def test_the_first_increment_after_the_dataset_was_removed_is_the_whole_table(
    database: psycopg.Connection[Any], extracts: Extracts
) -> None:
    put(database, (1, "a", "05:00"), (2, "b", "06:00"))
    extracts.run(ORDERS)
    (extracts.store._file("s3://penstock-data/data/extract/shop/orders/manifest.json")).unlink()
    assert extracts.run(ORDERS)["rows"] == 2
    current, source = both(extracts, database)
    assert current == source


@pytest.mark.parametrize(
    ("kind", "values", "lookback"),
    [
        ("date", ("2026-11-01", "2026-11-20", "2026-11-19", "2026-11-22"), 1),
        ("bigint", ("1", "9000000000000000000", "8999999999999999999", "9000000000000000001"), 1),
        ("numeric(20,3)", ("-1.5", "10.125", "10.001", "10.126"), 0.5),
        ("timestamp", ("1999-01-01", "2026-11-20", "2026-11-19 23:59:59.5", "2027-01-01"), 1),
        ("text", ("a", "k'\\x", "k'\\x", "z"), 0),
        ("uuid", (f"{1:032x}", f"{8:032x}", f"{8:032x}", f"{9:032x}"), 0),
    ],
)
def test_the_cursor_may_be_of_these_types(
    database: psycopg.Connection[Any],
    extracts: Extracts,
    kind: str,
    values: tuple[str, str, str, str],
    lookback: float,
) -> None:
    database.execute(f"CREATE TABLE steps (id int PRIMARY KEY, step {kind})")
    order = {
        "table": "steps", "mode": "incremental", "cursor": "step", "primary_key": ["id"],
        "lookback": lookback,
    }  # fmt: skip
    first, second, late, third = values
    insert = f"INSERT INTO steps VALUES (%s, %s::{kind})"
    database.execute(insert, (1, first))
    database.execute(insert, (2, second))
    assert extracts.run(order)["rows"] == 2
    database.execute(insert, (3, late))
    database.execute(insert, (4, third))
    assert extracts.run(order)["rows"] == 3, "not the first"
    assert [row[0] for row in extracts.current("steps")] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("kind", "value", "more", "message"),
    [
        ("timestamptz", "infinity", {}, "holds infinity: no later row can be higher"),
        ("numeric", "NaN", {}, "holds NaN: no later row can be higher"),
        ("boolean", "true", {}, "cursor: step is boolean, but a cursor is a timestamp"),
        ("date[]", "{}", {}, "cursor: step is date[], but a cursor is a timestamp"),
        ("bigint", "1", {"primary_key": ["nr"]}, "primary_key: there is no column nr; there are"),
        ("bigint", "1", {"cursor": "nr"}, "cursor: there is no column nr; there are id, step"),
    ],
)
def test_a_cursor_that_can_be_none_fails_the_table_and_says_why(
    database: psycopg.Connection[Any],
    extracts: Extracts,
    kind: str,
    value: str,
    more: dict[str, Any],
    message: str,
) -> None:
    database.execute(f"CREATE TABLE steps (id int PRIMARY KEY, step {kind})")
    database.execute(f"INSERT INTO steps VALUES (1, %s::{kind})", (value,))
    order = {"table": "steps", "mode": "incremental", "cursor": "step", "primary_key": ["id"]}
    [report] = extracts.run_all({**order, **more})
    assert report["outcome"] == "FAILED"
    assert message in report["error"]


@pytest.mark.parametrize(
    ("kind", "lookback", "message"),
    [("text", 1, "is a text, from which nothing is taken away"), ("date", 0.5, "a whole number")],
)
def test_a_lookback_that_fits_no_cursor_is_refused(
    database: psycopg.Connection[Any],
    extracts: Extracts,
    kind: str,
    lookback: float,
    message: str,
) -> None:
    database.execute(f"CREATE TABLE steps (id int PRIMARY KEY, step {kind})")
    database.execute("INSERT INTO steps VALUES (1, '2026-11-21')")
    order = {"table": "steps", "mode": "incremental", "cursor": "step", "primary_key": ["id"]}
    extracts.run(order)
    [report] = extracts.run_all({**order, "lookback": lookback})
    assert message in report["error"]


def test_a_key_that_the_source_does_not_keep_unique_is_deduplicated_by_the_highest_cursor(
    database: psycopg.Connection[Any], extracts: Extracts
) -> None:
    database.execute("CREATE TABLE steps (id int, step int, name text)")
    database.execute(
        "INSERT INTO steps VALUES (1, 1, 'old'), (1, 3, 'new'), (1, 2, 'mid'), (2, 1, 'x')"
    )
    order = {"table": "steps", "mode": "incremental", "cursor": "step", "primary_key": ["id"]}
    report = extracts.run(order)
    assert (report["rows"], report["duplicates"]) == (2, 2)
    assert (extracts.result["rows_read"], extracts.result["rows_filtered"]) == (4, 2)
    assert extracts.current("steps", "id, name") == [(1, "new"), (2, "x")]


def test_the_same_run_twice_changes_nothing_and_reads_nothing(
    database: psycopg.Connection[Any], extracts: Extracts
) -> None:
    put(database, (1, "a", "05:00"))
    first = extracts.run(ORDERS, job_id="run-a", commit=False)
    manifest = extracts.store.read("s3://penstock-data/data/extract/shop/orders/manifest.json")
    put(database, (2, "b", "06:00"))
    second = extracts.run(ORDERS, job_id="run-a", attempt=2, commit=False)
    timed = {"duration_seconds": 0}
    assert {**second, **timed} == {**first, **timed}
    assert manifest == extracts.store.read(
        "s3://penstock-data/data/extract/shop/orders/manifest.json"
    )


def test_the_work_order_of_the_planner_is_understood() -> None:
    order = read_work_order(
        {
            "source": {"name": "shop", "type": "postgresql", "secret_arn": "arn", "tls": True},
            "tables": [
                {
                    **ORDERS,
                    "target": "extract/shop/orders",
                    "watermark": {"cursor": "updated_at", "value": "1"},
                    "types": {"a": "decimal(10,2)"},
                    "lookback": 3600,
                    "expected_rows": 5,
                }
            ],
        }
    )
    assert order.source.connection == {"secret_arn": "arn", "tls": True}
    assert str(order.tables[0].types["a"]) == "decimal(10,2)"


def test_many_increments_become_one_and_the_state_stays_that_of_the_source(
    database: psycopg.Connection[Any], extracts: Extracts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock_job.compaction.MOST_INCREMENTS", 3)
    put(database, *((number, "new", "05:00") for number in range(1, 9)))
    counts = []
    for run in range(1, 9):
        put(database, (run, f"run {run}", f"06:0{run}"), (8, f"run {run}", f"06:0{run}:30"))
        extracts.run(ORDERS)
        counts.append(len(extracts.state("orders").layers))
        current, source = both(extracts, database)
        assert current == source
    assert counts == [1, 2, 3, 4, 5, 3, 4, 5]
    compacted = extracts.state("orders").layers[1]
    assert len(compacted.details["compacted"]) == 4
    again = extracts.run(ORDERS, job_id=compacted.job_id, commit=False)
    assert again["rows"] == compacted.rows


def test_increments_that_become_one_keep_their_folders(
    database: psycopg.Connection[Any], extracts: Extracts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock_job.compaction.MOST_INCREMENTS", 1)
    table = {**ORDERS, "partition_by": ["state"]}
    put(database, (1, "new", "05:00"), (2, "paid", "05:00"))
    for run in range(1, 5):
        put(database, (1, "new", f"06:0{run}"), (2, "paid", f"06:0{run}"))
        extracts.run(table)
    layers = extracts.state("orders").layers
    assert "compacted" in layers[1].details
    for layer in layers:
        assert {path.split("/")[-2] for path in layer.files} == {"state=new", "state=paid"}
    assert catalog_table("shop/orders", "s3://b/orders", extracts.state("orders")).partition_keys[
        1:
    ] == [CatalogColumn("state", "string")]
    current, source = both(extracts, database)
    assert current == source


def test_a_fault_of_compaction_is_said_and_harms_nobody(
    database: psycopg.Connection[Any],
    extracts: Extracts,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("penstock_job.compaction.MOST_INCREMENTS", 0)
    put(database, (1, "new", "05:00"))
    extracts.run(ORDERS)
    extracts.run(ORDERS)
    for path in extracts.state("orders").layers[1].files:
        extracts.store._file(path).unlink()
    assert extracts.run(ORDERS)["rows"] == 1
    assert "shop/orders is not compacted" in caplog.text
    assert len(extracts.state("orders").layers) == 3
