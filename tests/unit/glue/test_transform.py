"""What a transform can be told, on both engines: files, lookups, rules about the whole."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from penstock_job.dataset import manifest_path
from penstock_job.errors import (
    ArgumentsError,
    InputError,
    RuleViolatedError,
    SourceError,
    SpecificationError,
)
from tests.unit.glue.both_engines import Both, agree
from tests.unit.glue.conftest import BUCKET
from tests.unit.glue.kept import kept

ORDERS = [
    ("1", "DE", "p1"), ("2", "FR", "p2"), ("3", "XX", "p1"), ("4", None, "p9"), ("V", "DE", "p1"),
]  # fmt: skip
COLUMNS = [{"name": "id", "type": "integer"}, "country", "product"]
DAYS = ["dd.MM.yyyy", "MM/dd/yyyy", "yyyy-MM-dd"]
NOON = dt.datetime.fromisoformat("2026-07-04 12:00:00")
COUNTRIES = {"with": "countries", "on": ["country"], "columns": ["region"]}


@pytest.fixture
def shop(both: Both) -> Both:
    both.publish_rows("orders", "id VARCHAR, country VARCHAR, product VARCHAR", ORDERS)
    both.publish_rows(
        "countries",
        "country VARCHAR, region VARCHAR",
        [("DE", "Europe"), ("FR", "Europe"), ("US", "America"), (None, "nowhere")],
    )
    both.publish_rows(
        "prices",
        "product VARCHAR, price DECIMAL(8,2), valid_from DATE",
        [
            ("p1", Decimal("1.50"), dt.date(2026, 1, 1)),
            ("p1", Decimal("1.75"), dt.date(2026, 2, 1)),
            ("p2", Decimal("9.00"), dt.date(2026, 1, 1)),
        ],
    )
    return both


@pytest.mark.parametrize(
    ("unmatched", "counts", "rejected"),
    [
        ("keep", (5, 4, 1, 0), []),
        ("drop", (5, 2, 1, 2), []),
        ("reject", (5, 2, 3, 0), ["country has no match in countries"] * 2),
    ],
)
def test_what_finds_no_partner_is_kept_dropped_or_rejected(
    shop: Both, unmatched: str, counts: tuple[int, ...], rejected: list[str]
) -> None:
    join = [{**COUNTRIES, "unmatched": unmatched}]

    made = agree(shop.transform(inputs="orders", columns=COLUMNS, join=join))

    assert made.counts == counts
    assert ("region", "text") in made.columns
    assert made.rows[(1, "DE", "p1", "Europe")] == 1
    reasons = [json.loads(reject)["reason"] for reject in made.rejects.elements()]
    assert sorted(reasons) == [*rejected, "id is not a whole number of at most 64 bits"]


def test_joined_columns_serve_rules_filter_and_select_and_the_latest_row_is_taken(
    shop: Both,
) -> None:
    prices = {
        "with": "prices",
        "on": {"product": "product"},
        "columns": [{"name": "unit_price", "from": "price"}],
        "keep": "valid_from desc",
    }

    made = agree(
        shop.transform(
            inputs="orders",
            columns=COLUMNS,
            join=[COUNTRIES, prices],
            rules=[{"rule": "not_null", "column": "unit_price"}],
            filter="region = 'Europe' OR region IS NULL",
            select="SELECT id, CAST(unit_price * 2 AS DECIMAL(9,2)) AS twice FROM orders",
        )
    )

    assert sorted(made.rows) == [
        (1, Decimal("3.50")),
        (2, Decimal("18.00")),
        (3, Decimal("3.50")),
    ]
    assert made.counts == (5, 3, 2, 0)


@pytest.mark.parametrize("only", [62, 100])
def test_more_rules_than_one_mask_has_bits_for_are_counted_each(both: Both, only: int) -> None:
    both.publish_rows("numbers", "n BIGINT", [(n,) for n in range(only)])
    rules = [
        {"rule": "expression", "sql": f"n <> {n}", "message": f"{n} it is", "severity": severity}
        for n in range(only)
        for severity in (["reject"] if n % 2 else ["warn"])
    ]

    made = agree(both.transform(inputs="numbers", rules=rules))

    assert made.counts == (only, only // 2, only // 2, 0)
    assert {json.loads(reject)["reason"] for reject in made.rejects} == {
        f"{n} it is" for n in range(1, only, 2)
    }
    assert list(made.result.warnings) == [f"{n} it is: 1 records" for n in range(0, only, 2)]


def test_a_lookup_with_a_repeated_key_is_an_error_that_names_it(shop: Both) -> None:
    join = [{"with": "prices", "on": "product", "columns": ["price"]}]

    for run in (shop.duckdb, shop.spark):
        with pytest.raises(InputError, match=r"prices has 1 keys more than once \(product\)"):
            run(inputs="orders", join=join)


def test_a_foreign_key_must_be_in_the_other_input_unless_it_is_missing(shop: Both) -> None:
    rules = [
        {"rule": "foreign_key", "column": "country", "references": "countries"},
        {"rule": "foreign_key", "columns": ["product"], "references": "prices", "key": "product",
         "severity": "warn"},
    ]  # fmt: skip

    made = agree(shop.transform(inputs="orders", rules=rules))

    assert made.counts == (5, 4, 1, 0)
    (reject,) = made.rejects
    assert json.loads(reject)["reason"] == "country is not in countries"
    assert made.result.warnings == ["product is not in prices: 1 records"]


def test_keys_of_different_types_and_unknown_columns_are_told(shop: Both) -> None:
    wrong = [
        ({"with": "prices", "on": {"id": "product"}, "columns": []}, "column id is integer, but"),
        ({"with": "prices", "on": "product", "columns": ["cost"]}, "prices has no column cost"),
        ({"with": "prices", "on": "shop", "columns": []}, "for column shop, which there is not"),
    ]
    for join, text in wrong:
        with pytest.raises(SpecificationError, match=text):
            shop.duckdb(inputs="orders", columns=COLUMNS, join=[join])
    with pytest.raises(ArgumentsError, match="cannot be looked up in itself"):
        shop.duckdb(inputs="orders", join=[{"with": "orders", "on": "id", "columns": []}])


def test_missing_values_have_names_and_dates_several_formats(both: Both) -> None:
    rows = [
        ("31.12.2025", " n/a ", "7/4/2026 09:30"),
        ("2026-01-02", "-", "2026-07-04T09:30:00Z"),
        ("12/31/2025", " x ", "NULL"),
        ("2026-13-01", "", "7/4/2026 24:00"),
    ]
    both.publish_rows("raw", "day VARCHAR, note VARCHAR, moment VARCHAR", rows)

    made = agree(
        both.transform(
            inputs="raw",
            nulls=["n/a", "NULL", "-"],
            columns=[
                {
                    "name": "day",
                    "type": "date",
                    "format": ["dd.MM.yyyy", "MM/dd/yyyy", "yyyy-MM-dd"],
                },
                {"name": "note", "trim": True},
                {"name": "moment", "type": "timestamp", "nulls": ["7/4/2026 09:30", "NULL"]},
            ],
        )
    )

    assert sorted(made.rows, key=str) == [
        (dt.date(2025, 12, 31), "x", None),
        (dt.date(2025, 12, 31), None, None),
        (dt.date(2026, 1, 2), None, NOON.replace(hour=9, minute=30)),
    ]
    assert made.counts == (4, 3, 1, 0)


def test_times_have_formats_too(both: Both) -> None:
    both.publish_rows(
        "raw", "moment VARCHAR", [("04.07.2026 09:30",), ("04.07.2026",), ("4.7.2026",)]
    )
    formats = ["dd.MM.yyyy HH:mm", "dd.MM.yyyy"]

    made = agree(
        both.transform(
            inputs="raw", columns=[{"name": "moment", "type": "timestamp", "format": formats}]
        )
    )

    assert sorted(made.rows) == [(NOON.replace(hour=0),), (NOON.replace(hour=9, minute=30),)]
    assert made.counts == (3, 2, 1, 0)


TRAPS = (
    b'id,note,amount\r\n1,plain,1.50\r\n2,"quoted, ""twice""",2\r\n3,bare "quote" inside,3\r\n'
    b"4,short\r\n5,long,1,2\r\n\r\n,,\r\nid,note,amount\r\n"
    b'6,"",6\r\n7,,7\r\n8,"open,8\r\n9,"a"b,9\r\n10,latin \xfc,1\r\n11,zero \0,1\r\n'
    b"12,Z\xc3\xbcrich,12\r\n"
)


def test_a_file_full_of_traps_is_read_alike_line_by_line(both: Both) -> None:
    path = both.put("traps.csv", TRAPS)

    columns = ["id", "note", {"name": "amount", "type": "integer"}]
    by_duckdb, by_spark = both.transform(source=path, columns=columns)
    # Spark keeps the bytes of what is no text as digits: its JSON can hold nothing else.
    by_spark.rejects = Counter(
        reject.replace("hex 31302C6C6174696E20FC2C31", r"10,latin \\xfc,1")
        for reject in by_spark.rejects.elements()
    )
    made = agree((by_duckdb, by_spark))

    assert sorted(made.rows, key=str) == [
        ("12", "Zürich", 12),
        ("2", 'quoted, "twice"', 2),
        ("3", 'bare "quote" inside', 3),
        ("6", "", 6),
        ("7", None, 7),
    ]
    assert made.counts == (12, 5, 7, 0)
    reasons = sorted(json.loads(reject)["reason"] for reject in made.rejects)
    assert reasons == [
        "2 values, but the header names 3",
        "4 values, but the header names 3",
        "a quote or a carriage return out of place",
        "a quote that is never closed",
        "a zero byte",
        "amount is not a whole number of at most 64 bits",
        "not text in UTF-8",
    ]


@pytest.mark.parametrize("odd", [b"3,latin \xfc", b"3,zero \0", b"3,a return\r", b'3,"open'])
def test_a_file_that_only_begins_plainly_is_parted_all_the_same(
    both: Both, odd: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("penstock_job.csv_scan.BLOCK", 64)
    lines = [b"id,note", *(b"%d,text" % n for n in range(1_000)), odd, b"4,last"]
    path = both.put("odd.csv", b"\n".join(lines) + b"\n")

    with caplog.at_level("INFO", "penstock_job"):
        by_duckdb, by_spark = both.transform(source=path, columns=["id", "note"])

    assert by_duckdb.rows == by_spark.rows
    is_good = odd.endswith(b"\r")
    assert by_duckdb.counts == (1_002, 1_001 + is_good, 1 - is_good, 0)
    assert "parted line by line" in caplog.text


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_plain_file_is_read_as_it_is_with_its_bad_lines_numbered(
    both: Both, end: str, caplog: pytest.LogCaptureFixture
) -> None:
    lines = ["id;note", *(f"{number};text {number}" for number in range(20_000))]
    lines[7] = "5"
    lines[15_000] = "14998;a;b"
    path = both.put("plain.csv", end.join(lines).encode())

    with caplog.at_level("INFO", "penstock_job"):
        made = agree(both.transform(source=path, delimiter=";", columns=["id", "note"]))

    assert made.counts == (20_000, 19_998, 2, 0)
    assert "parted" not in caplog.text
    folder = f"s3://{BUCKET}/data/Test_{both.run}/by_duckdb/_rejects"
    rejects = kept(f"{folder}/job_id=20261121T050000Z-x/attempt=1", both.store)
    assert [(reject["line"], reject["reason"], reject["record"]) for reject in rejects] == [
        (8, "1 value, but the header names 2", "5"),
        (15_001, "3 values, but the header names 2", "14998;a;b"),
    ]


def test_a_file_that_is_not_there_or_lacks_a_column_is_told(both: Both) -> None:
    path = both.put("few.csv", b"a,b\n1,2\n")

    for run in (both.duckdb, both.spark):
        with pytest.raises(SourceError, match="there is no column c; the header names a, b"):
            run(source=path, columns=["a", "c"])
        with pytest.raises(InputError, match=r"none\.csv does not exist"):
            run(source=path.replace("few", "none"))


def test_a_row_count_out_of_its_band_fails_before_it_publishes_or_warns(both: Both) -> None:
    both.publish("t", "SELECT range AS a FROM range(10)")

    with pytest.raises(RuleViolatedError, match="10 rows are fewer than 11; nothing was published"):
        both.duckdb(inputs="t", rules=[{"rule": "row_count", "min": 11}])
    assert both.store.read(manifest_path(both.contract("by_duckdb"), "by_duckdb")) is None
    made = both.duckdb(inputs="t", rules=[{"rule": "row_count", "max": 9, "severity": "warn"}])
    assert made.result.warnings == ["10 rows are more than 9"]
    assert made.result.as_json()["warnings"] == ["10 rows are more than 9"]


def test_a_row_count_is_compared_with_the_day_before(both: Both) -> None:
    both.publish("t", "SELECT range AS a FROM range(10)")
    rules = [{"rule": "row_count", "max_change": 0.5}]
    both.duckdb(inputs="t", rules=rules)  # the first day: there is nothing to compare with
    contract = both.contract("by_duckdb")
    earlier = manifest_path(contract, "by_duckdb").replace(contract.logical_date, "2026-11-19")

    for rows, is_fine in ((7, True), (20, True), (6, False), (21, False)):
        both.store.write(earlier, json.dumps({"rows": rows}).encode(), "application/json")
        if is_fine:
            both.duckdb(inputs="t", rules=rules)
            continue
        with pytest.raises(RuleViolatedError, match=f"10 rows differ from the {rows} of the last"):
            both.duckdb(inputs="t", rules=rules)


def test_data_that_is_too_old_fails_or_warns(both: Both) -> None:
    both.publish("t", "SELECT TIMESTAMP '2026-11-20 12:00:00' AS at, DATE '2026-11-21' AS day")

    def rule(**own: Any) -> list[dict[str, Any]]:
        return [{"rule": "freshness", "column": "at", **own}]

    agree(both.transform(inputs="t", rules=rule(max_age="36 hours")))
    for run in (both.duckdb, both.spark):
        with pytest.raises(RuleViolatedError, match="newest at is 2026-11-20 12:00:00, more than"):
            run(inputs="t", rules=rule(max_age="35 hours"))
    made = both.duckdb(inputs="t", rules=rule(max_age="1 day", severity="warn", message="stale"))
    assert made.result.warnings == ["stale"]
    with pytest.raises(SpecificationError, match="is for nowhere, which is no date"):
        both.duckdb(inputs="t", rules=[{**rule(max_age="1 day")[0], "column": "nowhere"}])
    with pytest.raises(RuleViolatedError, match="there is no at to tell"):
        both.duckdb(inputs="t", filter="FALSE", rules=rule(max_age="1 day"))


SPECIFICATION = """
columns:
  - {name: id, type: integer, rules: [not_null]}
  - country
  - product
join:
  - {with: countries, on: [country], columns: [region], unmatched: reject}
filter: product <> 'p9'
"""


def test_the_specification_may_be_a_file_on_s3(shop: Both) -> None:
    path = shop.put("clean_orders.yaml", SPECIFICATION.encode())

    made = agree(shop.transform(inputs="orders", specification=path))

    assert made.counts == (5, 2, 2, 1)
    with pytest.raises(SpecificationError, match=r"filter is given by s3://.* and by the row"):
        shop.duckdb(inputs="orders", specification=path, filter="TRUE")
    with pytest.raises(SpecificationError, match=r"none\.yaml does not exist"):
        shop.duckdb(inputs="orders", specification=path.replace("clean_orders", "none"))


def test_everything_that_is_wrong_with_a_specification_is_told_at_once(shop: Both) -> None:
    text = """
    columns:
      - {name: id, type: money}
      - {name: day, typ: date}
    rules: [{rule: rage, min: 1}]
    join: [{with: countries, on: country, unmached: keep}]
    """
    path = shop.put("wrong.yaml", text.encode())

    with pytest.raises(SpecificationError) as mistake:
        shop.duckdb(inputs="orders", specification=path)

    told = str(mistake.value)
    assert "columns[0] (id): 'money' is no type" in told
    assert "columns[1] (day): column day does not know typ; did you mean type?" in told
    assert "rules[0]: {'rule': 'rage', 'min': 1} is no rule" in told
    assert "join[0]: join does not know unmached; did you mean unmatched?" in told
    for body, problem in (
        (b"- a\n", "must be a map"),
        (b"{", "is not JSON"),
        (b"a: [", "not YAML"),
    ):
        path = shop.put("wrong.yaml", body)
        with pytest.raises(SpecificationError, match=problem):
            shop.duckdb(inputs="orders", specification=path)
