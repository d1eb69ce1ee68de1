"""Tables of a real PostgreSQL, extracted by the real job to a folder that stands for S3."""

from __future__ import annotations

import json
import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from penstock_job.postgresql_copy import copy_to_files
from tests.unit.glue.extracts import Extracts

ODD = """
    CREATE TABLE odd (
        id int PRIMARY KEY, price numeric(38,9), amount numeric, moment timestamptz,
        local timestamp, day date, clock time, doc json, docb jsonb, raw bytea, tags text[],
        sums numeric[], code uuid, weight double precision, small real, flag boolean,
        name text, short varchar(5), padded char(4), span interval, huge numeric(50,2),
        big bigint, "Odd ""x"" name" text)
"""


@pytest.fixture
def extracts(database: psycopg.Connection[Any], postgres: Any, tmp_path: Path) -> Extracts:
    return Extracts(postgres, tmp_path)


def test_types_that_break_naive_extractors_survive_exactly(
    database: psycopg.Connection[Any], extracts: Extracts
) -> None:
    database.execute(ODD)
    rows: list[tuple[Any, ...]] = [
        (
            1, "12345678901234567890123456789.123456789", "1.10", "2026-11-21 05:00:00.123456+02",
            "2026-11-21 05:00:00.000001", "2026-11-21", "23:59:59.999999", '{"a":  1, "b": "ü"}',
            '{"b": [1, null]}', b"\x00\xff\\x", ["a,b", 'q"q', None, ""], ["1.10", "NaN"],
            "0f5a3c1e-0000-4000-8000-000000000001", "0.1", "0.1", True, 'say "hi"\nand, bye\r\n',
            "é😀", "ab", "1 day 02:03:04", "1e40", 2**63 - 1, "'",
        ),
        (
            2, "-0.000000001", "123456789012345678901234567890123456789012345.5", "infinity",
            "-infinity", "infinity", "24:00:00", "null", "null", b"", [], [], None, "NaN",
            "Infinity", False, "", "", "", "-1 mons", "0.01", -(2**63), "\\N",
        ),
        (
            3, "0", "NaN", "0044-03-15 12:00:00+00 BC", "9999-12-31 23:59:59.999999",
            "0044-03-15 BC", None, '"x"', '"x"', b"\n\r,", [["1", "2"], ["3", "4"]], None, None,
            "-Infinity", "-1e-40", None, "\u00a0 \\.", None, None, None, None, None, "",
        ),
        (4, *[None] * 22),
    ]  # fmt: skip
    marks = ", ".join(["%s"] * 23)
    with database.cursor() as cursor:
        cursor.executemany(f"INSERT INTO odd VALUES ({marks})", rows)

    report = extracts.run({"table": "odd"})

    assert report["rows"] == 4
    found = extracts.rows("odd", order="id")
    assert {name: str(kind) for name, kind in extracts.types("odd").items()} == {
        "id": "integer", "price": "decimal(38,9)", "amount": "text", "moment": "timestamp",
        "local": "timestamp", "day": "date", "clock": "text", "doc": "text", "docb": "text",
        "raw": "binary", "tags": "text", "sums": "text", "code": "text", "weight": "double",
        "small": "double", "flag": "boolean", "name": "text", "short": "text", "padded": "text",
        "span": "text", "huge": "text", "big": "integer", 'Odd "x" name': "text",
    }  # fmt: skip
    first, second, third, fourth = found
    assert first["price"] == Decimal("12345678901234567890123456789.123456789")
    assert first["amount"] == "1.10"
    assert first["moment"] == "2026-11-21 03:00:00.123456+00"
    assert first["local"] == "2026-11-21 05:00:00.000001"
    assert (first["day"], first["clock"]) == ("2026-11-21", "23:59:59.999999")
    assert (first["doc"], first["docb"]) == ('{"a":  1, "b": "ü"}', '{"b": [1, null]}')
    assert first["raw"] == b"\x00\xff\\x"
    assert json.loads(first["tags"]) == ["a,b", 'q"q', None, ""]
    assert first["sums"] == '[1.10,"NaN"]'
    assert (first["weight"], first["small"], first["flag"]) == (0.1, 0.1, True)
    assert first["name"] == 'say "hi"\nand, bye\r\n'
    assert (first["short"], first["padded"], first["span"]) == ("é😀", "ab  ", "1 day 02:03:04")
    assert first["huge"] == "10000000000000000000000000000000000000000.00"
    assert (first["big"], second["big"]) == (2**63 - 1, -(2**63))
    assert (first['Odd "x" name'], second['Odd "x" name'], third['Odd "x" name']) == (
        "'",
        "\\N",
        "",
    )
    assert second["price"] == Decimal("-0.000000001")
    assert second["amount"] == "123456789012345678901234567890123456789012345.5"
    assert (second["moment"], second["local"], second["day"]) == (
        "infinity", "-infinity", "infinity",
    )  # fmt: skip
    assert (second["clock"], second["raw"], second["name"]) == ("24:00:00", b"", "")
    assert str(second["weight"]) == "nan"
    assert second["small"] == float("inf")
    assert (third["amount"], third["weight"]) == ("NaN", float("-inf"))
    assert third["moment"] == "0044-03-15 (BC) 12:00:00+00"
    assert (third["day"], third["raw"]) == ("0044-03-15 (BC)", b"\n\r,")
    assert (third["name"], json.loads(third["tags"])) == ("\u00a0 \\.", [["1", "2"], ["3", "4"]])
    assert set(fourth.values()) == {4, None}


@pytest.mark.parametrize("kind", ["date", "timestamptz", "timestamp"])
@pytest.mark.parametrize("folders", [[], ["name"]])
def test_dates_before_christ_are_told_from_those_after(
    database: psycopg.Connection[Any], extracts: Extracts, kind: str, folders: list[str]
) -> None:
    database.execute(f"CREATE TABLE old (id int, moment {kind}, name text)")
    database.execute("INSERT INTO old VALUES (1, '2026-11-21', 'a'), (2, '0044-03-15 BC', 'b')")
    extracts.run({"table": "old", "partition_by": folders})
    first, second = extracts.rows("old", order="id")
    assert (first["moment"][:10], second["moment"][:15]) == ("2026-11-21", "0044-03-15 (BC)")


def test_the_characters_that_divide_the_copied_lines_may_be_in_values(
    database: psycopg.Connection[Any], extracts: Extracts
) -> None:
    values = [
        "\x01", "\x02", "\x02\x02", 'a\x01b\x02,"\n', '"', ",", "\\.", "\r\n", " \x02 \x01", ""
    ]  # fmt: skip
    database.execute("CREATE TABLE marks (id int, name text, other text)")
    with database.cursor() as cursor:
        rows = [(number, value, value) for number, value in enumerate(values)]
        cursor.executemany("INSERT INTO marks VALUES (%s, %s, %s)", [*rows, (99, None, "x")])
    extracts.run({"table": "marks"})
    found = extracts.rows("marks", order="id")
    assert [row["name"] for row in found] == [*values, None]
    assert [row["other"] for row in found] == [*values, "x"]


def test_other_threads_go_on_while_rows_are_waited_for(
    database: psycopg.Connection[Any], postgres: Any, tmp_path: Path
) -> None:
    database.execute("SELECT pg_advisory_lock(7)")
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"

    def let_it_go_on() -> None:
        with postgres.connect() as other:
            while other.execute(waiting).fetchone() == (0,):
                time.sleep(0.01)
        database.execute("SELECT pg_advisory_unlock(7)")

    rows = (
        "SELECT i, repeat('x', 20000), CASE WHEN i = 2 THEN pg_advisory_lock(7) IS NULL END"
        " FROM generate_series(1, 3) AS i"
    )
    thread = threading.Thread(target=let_it_go_on)
    with postgres.connect() as connection:
        thread.start()
        copy = f"COPY ({rows}) TO STDOUT (FORMAT csv)"
        files = list(copy_to_files(connection, copy, tmp_path / "copy", 25_000))
        thread.join()
    assert [file.rows for file in files] == [2, 1]
