"""Items rendered in SQL are what boto3 would send; too large ones are found by DynamoDB's rule."""

from __future__ import annotations

import base64
import json
import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer
from penstock_job.duckdb_engine import DuckDbEngine
from penstock_job.dynamodb_items import MOST_ITEM_BYTES, put_request_sql, unstorable_cases
from penstock_job.dynamodb_table import KeyAttribute
from penstock_job.object_store import ObjectStore

TEXTS = ["", "a", 'q"\\/', "ü😷", "\x01\n\t\x7f", "x" * 300, "NULL", "0", "{}", "\u2028"]


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DuckDbEngine]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    one = DuckDbEngine(tmp_path, ObjectStore())
    yield one
    one.close()


def reasons(engine: DuckDbEngine, rows: str, *keys: KeyAttribute) -> list[str | None]:
    cases = unstorable_cases(engine.schema(rows), keys)
    whens = " ".join(f"WHEN {test} THEN '{reason}'" for test, reason in cases)
    found = engine.connection.execute(f"SELECT CASE {whens} END FROM ({rows})").fetchall()
    return [reason for (reason,) in found]


@pytest.mark.parametrize("seed", range(5))
def test_random_rows_become_the_items_that_they_are(engine: DuckDbEngine, seed: int) -> None:
    chance = random.Random(seed)
    rows = [
        (
            number,
            *(chance.choice([None, chance.choice(TEXTS)]) for _ in range(2)),
            chance.choice([None, 0, -1, 2**63 - 1, -(2**63)]),
            chance.choice([None, True, False]),
            chance.choice([None, "1.10", "-99999999.99", "0.00"]),
            chance.choice([None, "2026-02-28", "0001-01-01"]),
            chance.choice([None, 0.1, -1e-7, 1e22, 5.0]),
            chance.choice([None, b"", b"\x00\xff", b"text" * 9]),
        )
        for number in range(200)
    ]
    engine.connection.execute(
        'CREATE TABLE t (id BIGINT, a VARCHAR, "b\'""ü" VARCHAR, i BIGINT, b BOOLEAN, '
        "d DECIMAL(10,2), day DATE, f DOUBLE, bytes BLOB)"
    )
    engine.connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    for complete in ({"id"}, {"id", "b"}):  # b is not complete: nobody may say that it is
        where = "WHERE b IS NOT NULL" if "b" in complete else ""
        schema = engine.schema("SELECT * FROM t")
        found = engine.connection.execute(
            f"SELECT id, {put_request_sql(schema, complete)} FROM t {where}"
        ).fetchall()
        for number, body in found:
            item = json.loads(body)["PutRequest"]["Item"]
            values = {name: _deserialized(value) for name, value in item.items()}
            expected = dict(zip(schema, rows[number], strict=True))
            given = {name: value for name, value in expected.items() if value is not None}
            assert {name: _same(value, given[name]) for name, value in values.items()} == given


def _deserialized(value: dict[str, Any]) -> Any:
    if "B" in value:  # botocore decodes these before boto3 sees them
        value = {"B": base64.b64decode(value["B"], validate=True)}
    return TypeDeserializer().deserialize(value)


def _same(value: Any, given: Any) -> Any:
    """A value of boto3's in the type of the one that was given."""
    if isinstance(given, bytes):
        return value.value
    if isinstance(given, str) and not isinstance(value, str):
        return given if str(value) == given else value
    return type(given)(value)


@pytest.mark.parametrize("over", [-1, 0, 1, 2])
def test_an_item_may_have_409600_bytes_names_included(engine: DuckDbEngine, over: int) -> None:
    # id 2 + 3 bytes; n 1 + 1 + 3 for five digits; b 1 + 1; ü 2 + two bytes for each ü in it.
    text = (MOST_ITEM_BYTES - 5 - 5 - 2 - 2 - 2) // 2
    rows = (
        f"SELECT 'key' AS id, -1234500::BIGINT * 10 AS n, TRUE AS b, "
        f"repeat('ü', {text}) AS \"ü\", NULL::VARCHAR AS none, repeat('x', {1 + over}) AS t"
    )

    assert reasons(engine, rows) == [
        f"the item has over {MOST_ITEM_BYTES} bytes" if over > 0 else None
    ]


def test_numbers_beyond_dynamodbs_are_found(engine: DuckDbEngine) -> None:
    numbers = ["1e-130", "9.9e125", "-1e-130", "0.0", "NULL"]
    beyond = ["1e-131", "1e126", "-1e126", "'nan'", "'inf'", "'-inf'", "4e-320"]
    values = ", ".join(f"({number}::DOUBLE)" for number in numbers + beyond)

    found = reasons(engine, f"SELECT n FROM (VALUES {values}) AS given(n)")

    assert found == [None] * len(numbers) + ["a number that DynamoDB does not hold"] * len(beyond)


def test_keys_of_the_table_and_of_its_indexes_have_their_limits(engine: DuckDbEngine) -> None:
    keys = (
        KeyAttribute("p", "S", "HASH"),
        KeyAttribute("s", "S", "RANGE"),
        KeyAttribute("i", "S", "HASH", of_index=True),
        KeyAttribute("absent", "S", "HASH", of_index=True),
    )
    rows = """SELECT * FROM (VALUES (repeat('ü', 1024), repeat('x', 1024), NULL),
        (repeat('ü', 1024) || '!', 's', 'i'), ('p', repeat('x', 1025), 'i'), ('p', 's', ''))
        AS given(p, s, i)"""

    assert reasons(engine, rows, *keys) == [
        None,
        "the key p has over 2048 bytes",
        "the key s has over 1024 bytes",
        "i, a key of an index, is empty",
    ]


def test_the_size_of_numbers_is_a_byte_for_two_digits_and_one_more(engine: DuckDbEngine) -> None:
    from penstock_job.dynamodb_items import _attribute_bytes

    numbers = ["0", "1", "12", "123", "-100", "1200300", "12345678901234567890"]
    for number in numbers:
        rows = f"SELECT {number}::DECIMAL(38,2) AS n"
        (kind,) = engine.schema(rows).values()
        digits = number.strip("-").strip("0")
        sql = f"SELECT {_attribute_bytes('n', kind)} FROM ({rows})"
        assert engine.row(sql) == [1 + 1 + math.ceil(len(digits) / 2)]
