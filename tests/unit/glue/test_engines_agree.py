"""One specification, two engines: DuckDB and Spark must give the same rows and the same rejects."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from penstock_job.csv_extract import extract
from penstock_job.dataset import (
    attempt_path,
    manifest_path,
)
from penstock_job.duckdb_engine import DuckDbEngine
from penstock_job.errors import (
    AccountingError,
    EngineError,
    RuleViolatedError,
    SpecificationError,
)
from penstock_job.specification import Specification
from tests.unit.glue.both_engines import Both, agree

from penstock_cli.sample_sources import serve

# Texts that naive code reads wrongly, or that the engines by themselves read differently.
NASTY = [
    None, "", " ", "0", "-0", "+5", "007", " 42 ", "1.5", "5.", ".5", "1e3", "1E-2", "1_000", "1,5",
    "1d", "0x1F", "NaN", "inf", "-Infinity", "1e999", "4.9e-324", "9223372036854775807",
    "9223372036854775808", "-9223372036854775808", "123456.78", "123456.789", "123456.780000",
    "12345678901234567890123456789012345678", "0" * 60 + "1", "true", "FALSE", "Yes", "n", "2",
    "2020-02-29", "2021-02-29", "2020-2-9", "0000-01-01", "0001-01-01", "9999-12-31", "10000-01-01",
    "1582-10-10", "2020-02-30", "20200229", "29.02.2020", "31.04.2020", "2020-02-29T23:59:59",
    "2020-02-29 23:59", "2020-02-29 24:00:00", "2020-02-29 12:00:00.123456", "2020-02-29T12:00:00Z",
    "2020-02-29T12:00:00+02:00", "infinity", "epoch", "today", "now", "it's", 'a "quoted" one',
    "two\nlines", "cr\r\nlf", "tab\tbed", "back\\slash", "comma, and; semicolon", "Zürich", "東京",
    "🦠😷", "e\u0301", "\u00e9", "\u00a042", "NULL", "null", "None", "$1", "\\1", "%", "_",
    "x" * 5000,
]  # fmt: skip


TYPES = [
    "text", "integer", "decimal(8,2)", "decimal(38,0)", "double", "boolean", "date", "timestamp",
]  # fmt: skip


def test_every_nasty_text_is_read_alike_as_every_type(both: Both) -> None:
    # Each row holds one text in one of the columns: it is accepted if the text is of its type.
    rows = [
        (number, *[text if column == place else None for column in range(len(TYPES))])
        for place in range(len(TYPES))
        for number, text in enumerate(NASTY)
    ]
    names = [f"c{place}" for place in range(len(TYPES))]
    both.publish_rows("source", ", ".join(["n BIGINT", *(f"{n} VARCHAR" for n in names)]), rows)
    columns = [{"name": name, "type": kind} for name, kind in zip(names, TYPES, strict=True)]

    made = agree(
        both.transform(inputs="source", columns=[{"name": "n", "type": "integer"}, *columns])
    )

    assert made.counts[0] == len(rows)
    integers = {row[2] for row in made.rows if row[2] is not None}
    assert integers == {0, 5, 7, 42, 2, 20200229, 1, 9223372036854775807, -9223372036854775808}
    assert {row[3] for row in made.rows} >= {Decimal("1.50"), Decimal("123456.78")}
    assert {row[7] for row in made.rows if row[7]} == {
        dt.date(2020, 2, 29),
        dt.date(1, 1, 1),
        dt.date(9999, 12, 31),
        dt.date(1582, 10, 10),
    }


def test_every_rule_judges_alike(both: Both) -> None:
    both.publish_rows(
        "orders",
        "id VARCHAR, state VARCHAR, amount VARCHAR, placed VARCHAR, paid VARCHAR, seen TIMESTAMP",
        [
            ("1", "US", "10.00", "01.02.2026", "yes", "2026-02-01 10:00:00.000005"),
            ("1", "CA", "11.00", "02.02.2026", "no", "2026-02-02"),
            ("1", "CA", "11.00", "03.02.2026", "no", None),
            ("2", "us", "0.00", "04.02.2026", "maybe", None),
            ("3", "US", "-0.01", "05.02.2026", None, None),
            ("4", "D'E", "100000000", "31.02.2026", "y", None),
            ("5", None, "7.50", None, "f", None),
            ("6", "DE", "999.99", "07.02.2026", "t", None),
            ("7", "US", "8.00", "2026-02-08", "t", None),
            (None, "US", "8.00", "09.02.2026", "t", None),
            (None, "US", "8.00", "09.02.2026", "t", None),
            ("8", "FR", "oops", "10.02.2026", "t", None),
            ("9", "US\n", "1", "10.02.2026", "t", None),
        ],
    )

    made = agree(
        both.transform(
            inputs="orders",
            columns=[
                {"name": "id", "type": "integer"},
                {"name": "state", "rules": [
                    {"rule": "in_set", "values": ["US", "CA", "DE", "D'E", "US\n"]},
                    {"rule": "regex", "pattern": r"[A-Z\d']+", "severity": "warn"},
                ]},
                {"name": "amount", "type": "decimal(8,2)", "rules": [
                    "not_null", {"rule": "range", "min": 0, "max": "999.985"}]},
                {"name": "placed", "type": "date", "format": "dd.MM.yyyy", "rules": [
                    {"rule": "range", "min": "2026-02-02"}]},
                {"name": "is_paid", "from": "paid", "type": "boolean"},
                {"name": "seen", "type": "timestamp"},
            ],
            rules=[
                {"rule": "unique", "columns": ["id"], "keep": "placed desc"},
                {"rule": "expression", "sql": "amount <> 7.5 OR state IS NOT NULL",
                 "message": "it's half \"empty\" \\ half full"},
            ],
            filter="state <> 'FR' -- not there yet; it''s 'quoted'\n",
        )
    )  # fmt: skip

    assert made.counts == (13, 4, 8, 1)
    assert sorted(row[0] or 0 for row in made.rows.elements()) == [0, 0, 1, 9]
    reasons = sorted(json.loads(reject)["reason"] for reject in made.rejects)
    assert 'it\'s half "empty" \\ half full' in reasons
    assert "id repeats another record" in reasons
    assert "is_paid is not true or false; state is not one of US, CA, DE, D'E, US\n" in reasons


def test_typed_input_and_a_select_with_portable_sql_give_the_same(both: Both) -> None:
    both.publish(
        "sales",
        """SELECT range AS id, 'it''s ' || range AS name, (range * 1.25)::DECIMAL(10,2) AS price,
           (range / 7)::DOUBLE AS share, DATE '2026-01-01' + (range % 400)::INTEGER AS day,
           TIMESTAMP '2026-01-01 00:00:00' + INTERVAL (range) MINUTE AS at, range % 3 = 0 AS odd,
           CASE WHEN range % 5 > 0 THEN range % 5 END AS shop FROM range(500)""",
    )
    both.publish("shops", "SELECT range AS shop, 'shop \"' || range || '\"' AS \"Shop Name\" "
                          "FROM range(4)")  # fmt: skip

    made = agree(
        both.transform(
            inputs=["sales", "shops"],
            columns=[
                {"name": "id", "type": "decimal(12,1)"},
                {"name": "name"},
                {"name": "price", "type": "double"},
                {"name": "share", "type": "double", "rules": [{"rule": "range", "min": 0.5}]},
                {"name": "day", "type": "text"},
                {"name": "at", "type": "timestamp", "rules": [
                    {"rule": "range", "max": "2026-01-01 05:00:00"}]},
                {"name": "odd", "type": "text"},
                {"name": "shop", "type": "integer"},
            ],
            select="""
                SELECT s.id, upper(s.name) AS "Loud Name", s.price * 2 AS twice, s.share, s.day,
                       s.at, s.odd, coalesce(n."Shop Name", 'it''s none; "really"') AS shop
                FROM sales AS s LEFT JOIN shops AS n ON n.shop = s.shop
                WHERE s.name <> 'it''s 7' /* nor ' this */
            """,
        )
    )  # fmt: skip

    assert dict(made.columns)["Loud Name"] == "text"
    assert made.counts[0] == 500
    assert any(row[7] == 'it\'s none; "really"' for row in made.rows)


def test_an_aggregate_gives_the_same_types_and_rows(both: Both) -> None:
    both.publish("sales", "SELECT range % 3 AS shop, range AS amount FROM range(100)")

    made = agree(
        both.transform(
            inputs="sales",
            select="SELECT shop, sum(amount) AS amount, count(*) AS n, avg(amount) AS mean, "
            "CAST(sum(amount) / 10.0 AS DECIMAL(12,2)) AS tenth FROM sales GROUP BY shop",
        )
    )

    assert made.columns == [
        ("shop", "integer"),
        ("amount", "integer"),
        ("n", "integer"),
        ("mean", "double"),
        ("tenth", "decimal(12,2)"),
    ]
    assert made.counts == (100, 3, 0, 97)


def test_an_input_without_rows_gives_output_without_rows(both: Both) -> None:
    both.publish("nothing", "SELECT 1 AS a, DATE '2026-01-01' AS b WHERE FALSE")
    columns = [{"name": "b", "type": "date", "rules": ["unique"]}]

    made = agree(both.transform(inputs="nothing", columns=columns, select="SELECT b FROM nothing"))

    assert made.columns == [("b", "date")]
    assert made.counts == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("own", "error", "text"),
    [
        ({"select": "SELECT nowhere FROM t"}, SpecificationError, "nowhere"),
        ({"select": "SELECT CAST('x' || a AS BIGINT) AS a FROM t"}, SpecificationError, "x"),
        ({"select": "SELECT 9223372036854775807 + a AS a FROM t"}, SpecificationError, "verflow"),
        ({"select": "DROP TABLE t"}, SpecificationError, "must be one SELECT"),
        ({"select": "SELECT a FROM t; SELECT 1"}, SpecificationError, "; is out of place"),
        ({"filter": "a >"}, SpecificationError, ""),
        ({"columns": [{"name": "a", "type": "date"}]}, SpecificationError, "cannot be read"),
        ({"columns": [{"name": "z"}]}, SpecificationError, "comes from z"),
        ({"rules": [{"rule": "range", "column": "a", "min": 5, "severity": "fail_job"}]},
         RuleViolatedError, "a is less than 5: 5 of 10 records"),
        ({"rules": [{"rule": "range", "column": "a", "min": 5}], "max_reject_ratio": 0.4},
         RuleViolatedError, "5 of 10 records were rejected (50.0%, at most 40.0% may be)"),
        ({"rules": [{"rule": "range", "column": "a", "min": 9, "max_reject_ratio": 0.5}]},
         RuleViolatedError, "9 of 10 records were rejected"),
    ],
)  # fmt: skip
def test_both_engines_refuse_alike(
    both: Both, own: dict[str, Any], error: type[Exception], text: str
) -> None:
    both.publish("t", "SELECT range AS a FROM range(10)")

    for run in (both.duckdb, both.spark):
        with pytest.raises(error) as refusal:
            run(inputs="t", **own)
        assert text in str(refusal.value)
        assert "\n" not in str(refusal.value)


def test_a_limit_of_one_rule_leaves_out_what_the_filter_refuses_on_both_engines(both: Both) -> None:
    both.publish("t", "SELECT range AS a FROM range(10)")
    rule = {"rule": "range", "column": "a", "min": 6, "max_reject_ratio": 0.5}
    warning = {"rule": "range", "column": "a", "max": 8, "severity": "warn"}

    with_few = {"rules": [rule, warning], "filter": "a > 3"}  # 4 and 5, of 6 records
    made = agree(both.transform(inputs="t", **with_few))

    assert made.counts == (10, 4, 2, 4)
    assert made.result.warnings == ["a is more than 8: 1 records"]
    for run in (both.duckdb, both.spark):
        with pytest.raises(RuleViolatedError, match="3 of 5 records were rejected"):
            run(inputs="t", rules=[{**rule, "min": 8}], filter="a > 4")


def test_a_join_that_makes_two_rows_of_one_fails_before_it_publishes(both: Both) -> None:
    both.publish("orders", "SELECT range AS id FROM range(4)")
    both.publish("payments", "SELECT range // 2 AS id FROM range(8)")
    select = "SELECT o.id FROM orders AS o JOIN payments AS p ON p.id = o.id"

    for run in (both.duckdb, both.spark):
        with pytest.raises(AccountingError, match="made 8 rows of 4 accepted records"):
            run(inputs=["orders", "payments"], select=select)

    for job in ("by_duckdb", "by_spark"):
        assert both.store.read(manifest_path(both.contract(job), job)) is None


def test_a_folder_that_spark_may_not_write_is_told_by_its_innermost_cause(
    both: Both, s3_folder: Path
) -> None:
    both.publish("t", "SELECT range AS a FROM range(10)")
    blocked = s3_folder / attempt_path(both.contract("by_spark")).removeprefix("s3://")
    blocked.parents[1].mkdir(parents=True, exist_ok=True)
    blocked.parent.write_text("a file where a folder should be")

    with pytest.raises(EngineError) as failed:
        both.spark(inputs="t")

    assert str(failed.value).startswith("Spark: ")
    assert "Task" not in str(failed.value)


def test_a_csv_file_full_of_traps_ends_alike_on_both_engines(both: Both, tmp_path: Path) -> None:
    content = (
        "id,note,amount,day\r\n"
        '1,"two\nlines, ""quoted"" 😷",10.50,2026-02-28\r\n'
        "2,,1e3,2026-02-29\r\n"
        '3,"",-0.01,2026-03-01\r\n'
        "4,short,1\r\n"
        "5,long,1,2026-03-01,more\r\n"
        '6,"open,1,2026-03-01\r\n'
        "7,back\\slash,12345678901234567890,2026-03-01\r\n"
        "8,  ,0.005,\r\n"
        "9,Zürich,.5,2026-3-1\r\n"
    )
    (tmp_path / "traps.csv").write_bytes(content.encode())
    contract = both.contract("traps")
    with serve(tmp_path) as url, closing(DuckDbEngine(both.folder, both.store)) as engine:
        landed = extract(engine, Specification(), contract, f"{url}/traps.csv")

    made = agree(
        both.transform(
            inputs="traps",
            columns=[
                {"name": "id", "type": "integer", "rules": ["not_null", "unique"]},
                {"name": "note"},
                {"name": "amount", "type": "decimal(10,2)", "rules": [{"rule": "range", "min": 0}]},
                {"name": "day", "type": "date"},
            ],
        )
    )

    assert (landed.rows_read, landed.rows_written, landed.rows_rejected) == (9, 6, 3)
    assert list(made.rows) == [
        (1, 'two\nlines, "quoted" 😷', Decimal("10.50"), dt.date(2026, 2, 28))
    ]
    assert made.counts == (6, 1, 5, 0)
