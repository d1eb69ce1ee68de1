"""Tables of a real MariaDB, extracted by the real job."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from bench.mariadb_server import DATABASE, MariaDbServer
from penstock_job.mysql_source import MysqlSource
from penstock_job.work_order import read_work_order
from tests.unit.glue.extracts import Extracts

ODD = """
    CREATE TABLE odd (
        id int PRIMARY KEY, tiny tinyint(1), big bigint unsigned, price decimal(38,9),
        huge decimal(50,2), moment timestamp(6) NULL, local datetime(6), day date, clock time(6),
        doc json, raw varbinary(20), file longblob, bits bit(10), kind enum('x','y,z'), small float,
        weight double, born year, name varchar(100), body longtext, place point, `Odd ``x``"` text
    ) CHARACTER SET utf8mb4
"""
ORDERS = {"table": "orders", "mode": "incremental", "cursor": "at", "primary_key": ["id"]}


@pytest.fixture
def database(mariadb: MariaDbServer) -> Iterator[Any]:
    """A cursor on an empty database."""
    with mariadb.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
        cursor.execute(f"CREATE DATABASE {DATABASE}")
        cursor.execute(f"USE {DATABASE}")
        cursor.execute("SET time_zone = '+00:00'")
        yield cursor


@pytest.fixture
def extracts(database: Any, mariadb: MariaDbServer, tmp_path: Path) -> Extracts:
    return Extracts(mariadb, tmp_path, kind=MysqlSource)


def test_types_that_break_naive_extractors_survive_exactly(
    database: Any, extracts: Extracts
) -> None:
    database.execute(ODD)
    price = "12345678901234567890123456789.123456789"
    rows: list[tuple[Any, ...]] = [
        (
            1, 5, 2**64 - 1, price, "1" * 48 + ".10", "2026-11-21 05:00:00.123456",
            "9999-12-31 23:59:59.999999", "2026-11-21", "-838:59:59.000001", '{"a":  "ü"}',
            b"\x00\xff\\x\"", b"\n\r,", 1023, "y,z", 0.1, 0.1, 2026, 'say "hi"\nand, bye\r\n',
            "é😀", "'",
        ),
        (
            2, -128, 0, "-0.000000001", "-0.01", "1970-01-01 00:00:01", "0001-01-01 00:00:00",
            "0001-01-01", "00:00:00", "null", b"", b"", 0, "x", -1.5e-30, -1.7976931348623157e308,
            1901, "", "\\N", "",
        ),
        (3, *[None] * 19),
    ]  # fmt: skip
    names = "id,tiny,big,price,huge,moment,local,day,clock,doc,raw,file,bits,kind,small,weight,born"
    marks = ", ".join(["%s"] * 20)
    insert = f'INSERT INTO odd ({names},name,body,`Odd ``x``"`) VALUES ({marks})'
    for row in rows:
        database.execute(insert, row)
    database.execute("UPDATE odd SET place = ST_GeomFromText('POINT(1 2.5)') WHERE id = 1")

    assert extracts.run({"table": "odd"})["rows"] == 3
    assert {name: str(kind) for name, kind in extracts.types("odd").items()} == {
        "id": "integer", "tiny": "integer", "big": "decimal(20,0)", "price": "decimal(38,9)",
        "huge": "text", "moment": "timestamp", "local": "timestamp", "day": "date",
        "clock": "text", "doc": "text", "raw": "binary", "file": "binary", "bits": "integer",
        "kind": "text", "small": "double", "weight": "double", "born": "integer", "name": "text",
        "body": "text", "place": "text", 'Odd `x`"': "text",
    }  # fmt: skip
    first, second, third = extracts.rows("odd", order="id")
    assert (first["tiny"], first["big"], first["price"]) == (5, Decimal(2**64 - 1), Decimal(price))
    assert first["huge"] == "1" * 48 + ".10"
    assert first["moment"] == "2026-11-21 05:00:00.123456+00"
    assert first["local"] == "9999-12-31 23:59:59.999999"
    assert (first["day"], first["clock"]) == ("2026-11-21", "-838:59:59.000001")
    assert (first["doc"], first["raw"], first["file"]) == (
        '{"a":  "ü"}', b"\x00\xff\\x\"", b"\n\r,",
    )  # fmt: skip
    assert (first["bits"], first["kind"], first["born"]) == (1023, "y,z", 2026)
    assert first["small"] == pytest.approx(0.1, rel=1e-7)
    assert (first["weight"], first["name"]) == (0.1, 'say "hi"\nand, bye\r\n')
    assert (first["body"], first["place"], first['Odd `x`"']) == ("é😀", "POINT(1 2.5)", "'")
    assert (second["tiny"], second["big"], second["raw"], second["file"]) == (-128, 0, b"", b"")
    assert second["weight"] == -1.7976931348623157e308
    assert (second["local"], second["day"]) == ("0001-01-01 00:00:00", "0001-01-01")
    assert (second["name"], second["body"], second['Odd `x`"']) == ("", "\\N", "")
    assert set(third.values()) == {3, None}


@pytest.mark.parametrize(
    ("kind", "values", "lookback"),
    [
        ("datetime(6)", ("1999-01-01", "2026-11-20", "2026-11-19 23:59:59.5", "2027-01-01"), 0.5),
        ("timestamp", ("1999-01-02", "2026-11-20", "2026-11-19 23:59:59", "2027-01-01"), 1),
        ("date", ("2026-11-01", "2026-11-20", "2026-11-19", "2026-11-22"), 1),
        ("bigint", ("1", "9000000000000000000", "8999999999999999999", "9000000000000000001"), 1),
        ("decimal(20,3)", ("-1.5", "10.125", "9.625", "10.126"), 0.5),
        ("varchar(9)", ("a", "k'\\x", "k'\\x", "z"), 0),
    ],
)
def test_increments_miss_nothing_and_double_nothing(
    database: Any,
    extracts: Extracts,
    kind: str,
    values: tuple[str, str, str, str],
    lookback: float,
) -> None:
    database.execute(f"CREATE TABLE orders (id int PRIMARY KEY, at {kind} NULL, state text)")
    first, second, late, third = values
    insert = "INSERT INTO orders VALUES (%s, %s, 'new')"
    database.execute(insert, (1, first))
    database.execute(insert, (2, second))
    order = {**ORDERS, "lookback": lookback}
    assert extracts.run(order)["rows"] == 2
    database.execute(insert, (3, late))
    database.execute(insert, (4, third))
    database.execute("UPDATE orders SET state = 'tied' WHERE id = 2")
    database.execute(insert, (5, None))
    report = extracts.run(order)
    assert (report["rows"], report["rows_without_cursor"]) == (4, 1)
    assert extracts.current("orders", "id, state") == [
        (1, "new"), (2, "tied"), (3, "new"), (4, "new"), (5, "new"),
    ]  # fmt: skip
    database.execute("DELETE FROM orders WHERE id = 4")
    assert extracts.run(order)["watermark"] == report["watermark"]


def test_one_snapshot_is_read_in_files_of_a_bounded_size(database: Any, extracts: Extracts) -> None:
    database.execute("CREATE TABLE t (name varchar(100))")
    database.executemany("INSERT INTO t VALUES (%s)", [("x" * 50,), (None,)] * 10_000)
    extracts.file_bytes = 200_000
    work = Path(extracts.store.folder) / "work"
    work.mkdir()
    order = read_work_order(extracts.order({"table": "t", "partitions": 4})).tables[0]
    with extracts.source().read(order) as reading:
        database.execute("DELETE FROM t")
        chunks = list(reading.chunks(work))
    assert [chunk.rows for chunk in chunks] == [10_000, 10_000]


def test_a_table_that_is_given_up_ends_at_once_and_its_neighbour_is_read(
    database: Any, extracts: Extracts
) -> None:
    database.execute("SET sql_mode = ''")
    database.execute("CREATE TABLE bad (id int, day date)")
    database.execute("INSERT INTO bad VALUES (1, '2026-11-21'), (2, '0000-00-00')")
    database.execute("CREATE TABLE good AS SELECT 1 AS id")
    reports = extracts.run_all({"table": "bad"}, {"table": f"{DATABASE}.good"}, {"table": "none"})
    assert [report["outcome"] for report in reports] == ["FAILED", "SUCCEEDED", "FAILED"]
    assert (
        "column day (date) holds '0000-00-00', which cannot be kept as date"
        in (reports[0]["error"])
    )
    assert reports[2]["error"] == (
        "SourceError: there is no table none, or this user may not see it"
    )
    assert extracts.run({"table": "bad", "types": {"day": "text"}})["rows"] == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"password": "my wrong word"}, "Access denied"),
        ({"tls": "require"}, "the server does not support TLS, but TLS was required"),
        ({"database": "other"}, "Unknown database"),
    ],
)
def test_a_database_that_refuses_is_not_asked_again(
    database: Any, extracts: Extracts, change: dict[str, Any], message: str
) -> None:
    extracts.access = type(extracts.access)(**{**vars(extracts.access), **change})
    [report] = extracts.run_all({"table": "t"})
    assert message in report["error"]
    assert "my wrong word" not in report["error"]
    assert "attempts" not in report["error"]
