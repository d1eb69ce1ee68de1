"""The state of an extracted table is the same to both engines, whatever its layers are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest
from penstock_job.dataset import PublishedColumn
from penstock_job.duckdb_engine import DuckDbEngine
from penstock_job.errors import InputError
from penstock_job.job_input import read_input, spoken_name
from penstock_job.spark_engine import SparkEngine
from penstock_job.table_dataset import Layer, TableDataset, TableState, stacked
from pyspark.sql import SparkSession
from tests.unit.glue.conftest import BUCKET
from tests.unit.glue.extracts import Extracts
from tests.unit.glue.folder_store import FolderStore

KEYS = (("id",), "at")


@pytest.fixture
def store(s3_folder: Path) -> FolderStore:
    return FolderStore(s3_folder)


@pytest.fixture
def engines(store: FolderStore, tmp_path: Path, spark: SparkSession) -> Iterator[list[Any]]:
    with closing(DuckDbEngine(tmp_path, store)) as duck:
        engine = SparkEngine(spark, store)
        yield [duck, engine]
        engine.release()


def layer(
    store: FolderStore, table: str, job_id: str, select: str, columns: str, whole: bool = False
) -> Layer:
    """Write the rows of a select as the layer of one run."""
    path = f"s3://{BUCKET}/data/extract/shop/{table}/job_id={job_id}/part.parquet"
    file = store._file(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(duckdb.connect()) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        row = connection.execute(f"COPY ({select}) TO '{file}' (FORMAT parquet)").fetchone()
    assert row is not None
    named = [PublishedColumn(*column.split(":")) for column in columns.split()]
    return Layer(job_id, 1, whole, [path], named, row[0], 1, None, None, "2026-11-21")


def publish(store: FolderStore, table: str, *layers: Layer, keys: Any = KEYS) -> None:
    dataset = TableDataset(store, f"s3://{BUCKET}/data/extract/shop/{table}")
    for each in layers:
        dataset.publish(each, dataset.state().names(), keys)


def rows_of(engine: Any, store: FolderStore, table: str) -> list[tuple[Any, ...]]:
    contract = Extracts.contract(None, "run", 1)  # type: ignore[arg-type]
    count = read_input(engine, store, contract, f"extract:shop/{table}", f"t_{table}")
    select = f"SELECT * FROM t_{table} ORDER BY id"
    if isinstance(engine, SparkEngine):
        found = [tuple(row) for row in engine.session.sql(select).collect()]
    else:
        found = engine.connection.execute(select).fetchall()
    assert len(found) == count
    return [tuple(bytes(v) if isinstance(v, bytearray) else v for v in row) for row in found]


def test_of_each_key_the_row_with_the_highest_cursor_counts_and_then_the_upper_layer(
    engines: list[Any], store: FolderStore
) -> None:
    base = layer(
        store, "a", "1",
        "SELECT * FROM (VALUES (1, 10, 'one'), (2, 20, 'two'), (3, NULL, 'three'), (4, 40, 'four'))"
        " AS t(id, \"at\", name)",
        "id:integer at:integer name:text", whole=True,
    )  # fmt: skip
    second = layer(
        store, "a", "2",
        "SELECT * FROM (VALUES (2, 20, 'TWO', 1.5), (3, 5, 'dated', NULL), (4, 39, 'older', NULL),"
        " (5, NULL, 'five', 0.1)) AS t(id, \"at\", name, price)",
        "id:integer at:integer name:text price:decimal(2,1)",
    )  # fmt: skip
    third = layer(
        store, "a", "3", "SELECT 5 AS id, 50 AS at, NULL::VARCHAR AS name, 12.25 AS price",
        "id:integer at:integer name:text price:decimal(4,2)",
    )  # fmt: skip
    publish(store, "a", base, second, third)
    expected = [
        (1, 10, "one", None), (2, 20, "TWO", 1.5), (3, 5, "dated", None), (4, 40, "four", None),
        (5, 50, None, 12.25),
    ]  # fmt: skip
    for engine in engines:
        assert rows_of(engine, store, "a") == expected


def test_times_and_bytes_are_the_same_to_both(engines: list[Any], store: FolderStore) -> None:
    base = layer(
        store, "b", "1",
        "SELECT 1 AS id, TIMESTAMPTZ '2026-11-21 05:00:00.123456+02' AS at,"
        " '\\x00\\xFF'::BLOB AS raw",
        "id:integer at:timestamp raw:binary", whole=True,
    )  # fmt: skip
    more = layer(
        store, "b", "2",
        "SELECT 1 AS id, TIMESTAMPTZ '2026-11-21 05:00:00.123455+02' AS at, ''::BLOB AS raw",
        "id:integer at:timestamp raw:binary",
    )  # fmt: skip
    publish(store, "b", base, more)
    one, other = (rows_of(engine, store, "b") for engine in engines)
    assert one == other
    assert (str(one[0][1]), one[0][2]) == ("2026-11-21 03:00:00.123456", b"\x00\xff")


def test_texts_are_compared_by_no_engine(engines: list[Any], store: FolderStore) -> None:
    base = layer(store, "c", "1", "SELECT 1 AS id, 'b' AS at", "id:integer at:text", whole=True)
    publish(store, "c", base, layer(store, "c", "2", "SELECT 1, 'Z'", "id:integer at:text"))
    for engine in engines:
        assert rows_of(engine, store, "c") == [(1, "Z")]


def test_files_that_do_not_hold_what_the_manifest_says_are_an_error(
    engines: list[Any], store: FolderStore
) -> None:
    broken = layer(store, "d", "1", "SELECT 1 AS id", "id:integer", whole=True)
    publish(store, "d", Layer(**{**vars(broken), "rows": 2}))
    with pytest.raises(InputError, match="extracted 2 rows, but the files hold 1"):
        rows_of(engines[0], store, "d")


def test_a_table_that_was_never_extracted_is_named(engines: list[Any], store: FolderStore) -> None:
    with pytest.raises(InputError, match="extract:shop/none has not been extracted: s3://"):
        rows_of(engines[0], store, "none")


def test_sql_knows_a_table_by_its_own_name() -> None:
    assert spoken_name("clean") == "clean"
    assert spoken_name("extract:shop/public.orders") == "orders"


def names(state: TableState) -> list[tuple[str, bool]]:
    return [(each.job_id, each.is_whole) for each in state.layers]


def whole(job_id: str, is_whole: bool = True) -> Layer:
    return Layer(job_id, 1, is_whole, [], [], 0, 0, None, None, "2026-11-21")


def test_a_whole_table_takes_the_place_of_what_was_known_before_it_was_read() -> None:
    now = TableState([whole("1"), whole("2", False), whole("3", False)], *KEYS)
    known = frozenset({"1", "2"})
    assert names(stacked(now, whole("4"), known, KEYS)) == [("4", True), ("3", False)]
    assert names(stacked(now, whole("4"), known, ((), ""))) == [("4", True)]
    assert names(stacked(now, whole("4", False), known, KEYS))[-1] == ("4", False)


def test_of_two_that_publish_at_once_neither_overwrites_the_other(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = TableDataset(store, f"s3://{BUCKET}/data/extract/shop/busy")
    replace = store.replace
    others = iter(["2", "3"])

    def overtaken(path: str, body: bytes, content_type: str, version: str | None) -> bool:
        other = next(others, None)
        if other:
            monkeypatch.setattr(store, "replace", replace)
            dataset.publish(whole(other, False), frozenset(), KEYS)
            monkeypatch.setattr(store, "replace", overtaken)
        return replace(path, body, content_type, version)

    monkeypatch.setattr(store, "replace", overtaken)
    dataset.publish(whole("1"), frozenset(), KEYS)
    assert names(dataset.state()) == [("1", True), ("2", False), ("3", False)]


def test_a_later_attempt_finds_what_an_earlier_one_published(store: FolderStore) -> None:
    dataset = TableDataset(store, f"s3://{BUCKET}/data/extract/shop/again")
    first = dataset.publish(whole("1"), frozenset(), KEYS)
    second = Layer(**{**vars(whole("1")), "attempt": 2})
    assert dataset.publish(second, frozenset(), KEYS).attempt == first.attempt == 1
