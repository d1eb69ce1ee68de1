"""The load: every record reaches its target by key, or is kept with its reason."""

from __future__ import annotations

import subprocess
import sys
import time
from decimal import Decimal
from typing import Any

import boto3
import pytest
from penstock_job.contract import JobArgumentParser, contract_of
from penstock_job.dataset import find_input, publish
from penstock_job.errors import ArgumentsError, InputError, JobError, LoadError, RuleViolatedError
from penstock_job.object_store import ObjectStore
from tests.local.redshift.data_api import Platform
from tests.unit.glue.conftest import GLUE, arguments
from tests.unit.glue.loading import DAYS, JOB, UPSTREAM, given, load, rejects

TABLE = "penstock-daily-cases"


@pytest.fixture
def table(aws: Platform) -> Any:
    return boto3.resource("dynamodb").create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "date", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "date", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def test_every_record_becomes_an_item_and_a_second_load_changes_nothing(table: Any) -> None:
    given(DAYS)

    first = load(dynamodb_table=TABLE)
    items = table.scan()["Items"]
    second = load(dynamodb_table=TABLE)

    assert (first.rows_read, first.rows_written, first.rows_rejected) == (60, 60, 0)
    assert [(output.path, output.rows) for output in first.outputs] == [(f"dynamodb://{TABLE}", 60)]
    assert {"date": "2020-01-23", "cases": Decimal(10)} in items
    assert {"date": "2020-01-24", "cases": Decimal(20), "deaths": Decimal(2)} in items
    assert second == first
    assert sorted(table.scan()["Items"], key=str) == sorted(items, key=str)


def test_values_of_every_type_arrive_exactly(table: Any) -> None:
    given(
        """SELECT 'it''s "q" \\ 😷' || chr(10) AS date, 9223372036854775807 AS i,
           12345678901234567890.123456789012345678::DECIMAL(38,18) AS d, 0.1::DOUBLE AS f,
           1e30::DOUBLE AS g, true AS b, DATE '0001-01-01' AS day, '' AS empty,
           TIMESTAMP '2026-11-21 05:00:00.5' AS at, NULL::VARCHAR AS none, 'ü"' AS "na""me" """,
    )

    load(dynamodb_table=TABLE)

    assert table.scan()["Items"] == [
        {
            "date": 'it\'s "q" \\ 😷\n',
            "i": Decimal("9223372036854775807"),
            "d": Decimal("12345678901234567890.123456789012345678"),
            "f": Decimal("0.1"),
            "g": Decimal("1E+30"),
            "b": True,
            "day": "0001-01-01",
            "empty": "",
            "at": "2026-11-21T05:00:00.500000Z",
            'na"me': 'ü"',
        }
    ]


def test_records_that_no_target_takes_are_kept_with_their_reason(table: Any) -> None:
    given(
        """SELECT * FROM (VALUES ('a', 1::DOUBLE), ('a', 2), (NULL, 3), ('', 4), ('b', 5),
           ('c', 'inf'::DOUBLE), ('d', 1e200)) AS rows(date, n)""",
    )

    result = load(dynamodb_table=TABLE)

    assert {item["date"]: item["n"] for item in table.scan()["Items"]} == {"a": 1, "b": 5}
    assert (result.rows_written, result.rows_rejected) == (2, 5)
    assert sorted(reject["reason"] for reject in rejects()) == [
        "a number that DynamoDB does not hold",
        "a number that DynamoDB does not hold",
        "the key is missing",
        "the key is missing",
        "the key repeats another record's",
    ]
    assert {"date": "a", "n": 2.0} in [reject["record"] for reject in rejects()]


def test_items_and_keys_that_are_too_large_are_rejected_before_anything_is_sent(table: Any) -> None:
    given(
        """SELECT CASE WHEN range = 9 THEN repeat('k', 2049) ELSE 'd' || range END AS date,
           CASE WHEN range IN (7, 31) THEN repeat('ü', 210000) ELSE 'small' END AS text
           FROM range(60)""",
    )

    result = load(dynamodb_table=TABLE)

    assert (result.rows_written, result.rows_rejected) == (57, 3)
    assert table.scan(Select="COUNT")["Count"] == 57
    assert sorted((reject["reason"], len(reject["record"]["text"])) for reject in rejects()) == [
        ("the item has over 409600 bytes", 210000),
        ("the item has over 409600 bytes", 210000),
        ("the key date has over 2048 bytes", 5),
    ]


def test_an_item_that_dynamodb_refuses_all_the_same_is_a_reject(
    aws: Platform, table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where DynamoDB knows a rule that the load does not: its own check is switched off."""
    monkeypatch.setattr("penstock_job.dynamodb_items.MOST_ITEM_BYTES", 10**9)
    given(
        """SELECT 'd' || range AS date, CASE WHEN range IN (7, 31) THEN repeat('x', 420000)
           ELSE 'small' END AS text FROM range(60)""",
    )

    result = load(dynamodb_table=TABLE)

    assert (result.rows_written, result.rows_rejected) == (58, 2)
    assert table.scan(Select="COUNT")["Count"] == 58
    assert {reject["record"]["date"] for reject in rejects()} == {"d7", "d31"}
    assert all("size" in reject["reason"] for reject in rejects())


def test_too_many_rejects_fail_the_load_and_are_kept(table: Any) -> None:
    given("SELECT 'same' AS date, range AS n FROM range(10)")

    with pytest.raises(RuleViolatedError, match=r"9 of 10 records were rejected \(90.0%"):
        load(dynamodb_table=TABLE, max_reject_ratio="0.1")

    assert table.scan(Select="COUNT")["Count"] == 0
    assert len(rejects()) == 9


@pytest.mark.parametrize(
    ("own", "error", "text"),
    [
        ({}, ArgumentsError, "nowhere to load"),
        ({"redshift_table": "t"}, ArgumentsError, "nowhere to load"),
        ({"redshift_table": "t; DROP", "redshift_workgroup": "w", "redshift_copy_role_arn": "r"},
         ArgumentsError, "no name of a Redshift table"),
        ({"redshift_table": "t", "redshift_workgroup": "w"}, ArgumentsError, "copy_role_arn"),
        ({"dynamodb_table": "absent"}, LoadError, "DynamoDB table absent"),
        ({"dynamodb_table": TABLE, "key": "day"}, ArgumentsError, "key day is no column"),
        ({"dynamodb_table": TABLE, "key": "cases"}, LoadError, "is keyed by"),
        ({"dynamodb_table": TABLE, "inputs": ["a", "b"]}, ArgumentsError, "one input, not 2"),
        ({"dynamodb_table": TABLE, "inputs": "nobody"}, InputError, "nobody has published nothing"),
    ],
)  # fmt: skip
def test_a_load_that_cannot_be_is_refused_before_anything_is_written(
    table: Any, own: dict[str, Any], error: type[JobError], text: str
) -> None:
    given(DAYS)

    with pytest.raises(error, match=text):
        load(**own)

    assert table.scan(Select="COUNT")["Count"] == 0


def test_a_load_killed_in_the_middle_is_completed_by_the_next_attempt(table: Any) -> None:
    """Killed as a process is, without a chance to give its lease back."""
    given("SELECT lpad(range::VARCHAR, 5, '0') AS date, range * 2 AS n FROM range(8000)")
    own = {"inputs": UPSTREAM, "key": "date", "dynamodb_table": TABLE, "lease_seconds": "2"}
    script = GLUE / "bundles/python_shell/load.py"
    process = subprocess.Popen([sys.executable, script, *arguments(JOB, **own)])
    while not (before := table.scan(Select="COUNT", Limit=5000)["Count"]):
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.02)
    process.kill()
    process.wait()

    result = load(attempt=2, dynamodb_table=TABLE, lease_seconds="2")

    assert 0 < before < 8000
    assert (result.rows_written, result.rows_rejected) == (8000, 0)
    items = [
        item
        for page in boto3.client("dynamodb").get_paginator("scan").paginate(TableName=TABLE)
        for item in page["Items"]
    ]
    assert {item["date"]["S"]: item["n"]["N"] for item in items} == {
        f"{n:05d}": str(n * 2) for n in range(8000)
    }


def test_a_load_of_nothing_is_a_load(table: Any) -> None:
    given(f"SELECT * FROM ({DAYS}) WHERE FALSE")

    result = load(dynamodb_table=TABLE)

    assert (result.rows_read, result.rows_written) == (0, 0)


def test_an_index_by_an_attribute_of_another_type_fails_the_load(aws: Platform) -> None:
    boto3.client("dynamodb").create_table(
        TableName="indexed",
        KeySchema=[{"AttributeName": "date", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": "date", "AttributeType": "S"},
            {"AttributeName": "cases", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-cases",
                "KeySchema": [{"AttributeName": "cases", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    given(DAYS)

    with pytest.raises(LoadError, match="an index by cases of type S, the load has integer"):
        load(dynamodb_table="indexed")


def test_many_files_are_read_as_one_and_rejects_keep_their_records(table: Any) -> None:
    """Numbers of records are told apart across files."""
    store = ObjectStore()
    contract = given("SELECT 'a' AS date, 1 AS n UNION ALL SELECT NULL, 2")
    first = find_input(store, contract, UPSTREAM)
    given("SELECT 'b' AS date, 3 AS n UNION ALL SELECT NULL, 4", attempt=2)
    second = find_input(store, contract, UPSTREAM)
    third = contract_of(JobArgumentParser("").read(arguments(UPSTREAM, 3)))
    publish(store, third, [*first.files, *second.files], first.columns, 4, {})

    result = load(dynamodb_table=TABLE)

    assert (result.rows_written, result.rows_rejected) == (2, 2)
    assert {item["date"]: item["n"] for item in table.scan()["Items"]} == {"a": 1, "b": 3}
    assert sorted(reject["record"]["n"] for reject in rejects()) == [2, 4]
