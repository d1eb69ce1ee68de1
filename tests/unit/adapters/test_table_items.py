"""Extracts by table, and watermarks that never go back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.conftest import RUN_TABLE

from penstock.adapters.table_items import TableItems
from penstock.domain.extracting import settle_tables
from penstock.domain.job_record import JobKey, JobRecord
from penstock.domain.lane import Lane
from penstock.domain.outcome import Outcome
from penstock.domain.table_report import TableRejects, TableReport, table_reports, watermark_text

NOW = "2026-11-21T05:00:00.000Z"
ONE = TableReport("shop", "orders", "SUCCEEDED", rows=7, watermark=watermark_text({"value": "1"}))
TWO = replace(ONE, watermark_before=ONE.watermark, watermark=watermark_text({"value": "2"}))


@pytest.fixture
def tables(dynamodb: Any) -> TableItems:
    return TableItems(dynamodb, RUN_TABLE, lambda: 2_000_000_000)


def committed(tables: TableItems) -> Any:
    return tables.watermarks([("shop", "orders"), ("shop", "none")]).get("shop/orders")


def job(*tables: dict[str, Any], lane: Lane = Lane.LIVE) -> tuple[JobRecord, bytes]:
    record = JobRecord(
        "run", "shop.pack-001", "python_shell", "Extract", "2026-11-21", Outcome.FAILED, lane=lane
    )
    return record, json.dumps({"rows_read": 1, "tables": tables}).encode()


def entry(**fields: Any) -> dict[str, Any]:
    return {"source": "shop", "table": "orders", "outcome": "SUCCEEDED"} | fields


def test_a_watermark_moves_on_from_where_the_extract_began(tables: TableItems) -> None:
    assert committed(tables) is None
    assert tables.commit_watermark("run1", ONE, NOW)
    assert tables.commit_watermark("run2", TWO, NOW)
    assert committed(tables) == {"value": "2"}


def test_committing_again_is_harmless(tables: TableItems) -> None:
    assert tables.commit_watermark("run1", ONE, NOW)
    assert tables.commit_watermark("run1", ONE, NOW)
    assert committed(tables) == {"value": "1"}


def test_a_watermark_never_goes_back_to_that_of_a_late_extract(tables: TableItems) -> None:
    assert tables.commit_watermark("run1", ONE, NOW)
    assert tables.commit_watermark("run2", TWO, NOW)
    assert not tables.commit_watermark("run1", ONE, NOW)
    assert not tables.commit_watermark("run3", replace(TWO, watermark='{"value":"3"}'), NOW)
    assert committed(tables) == {"value": "2"}


def test_a_table_of_a_failed_pack_keeps_its_own_success(tables: TableItems) -> None:
    record, content = job(
        entry(watermark={"value": "5"}, rows=3),
        entry(table="items", outcome="FAILED", error="column gone", watermark={"value": "9"}),
    )
    settle_tables(tables, record, content, NOW)
    assert committed(tables) == {"value": "5"}
    assert tables.watermarks([("shop", "items")]) == {}
    assert tables.statuses("run") == {"shop/items": "FAILED", "shop/orders": "SUCCEEDED"}


def test_a_backfill_moves_no_watermark_but_is_recorded(tables: TableItems) -> None:
    record, content = job(entry(watermark={"value": "5"}), lane=Lane.BACKFILL)
    settle_tables(tables, record, content, NOW)
    assert committed(tables) is None
    assert tables.statuses("run") == {"shop/orders": "SUCCEEDED"}


def test_of_two_extracts_side_by_side_the_second_says_that_it_came_too_late(
    tables: TableItems,
) -> None:
    first, content = job(entry(watermark={"value": "5"}))
    settle_tables(tables, first, content, NOW)
    second, content = job(entry(watermark={"value": "4"}))
    [report] = settle_tables(tables, replace(second, job_id="run2"), content, NOW)
    assert "another extract has moved the watermark" in report.error
    assert committed(tables) == {"value": "5"}


def test_what_is_worth_knowing_is_noted_with_the_table(tables: TableItems, dynamodb: Any) -> None:
    drift = ["column a (text) is new"]
    rejects = {"rows_rejected": 3, "rejects": "s3://data/_rejects"}
    for facts in ({"unchanged": True}, {"drift": drift, **rejects}, {"unchanged": "no"}):
        record, content = job(entry(**facts))
        settle_tables(tables, record, content, NOW)
        item = dynamodb.get_item(
            TableName=RUN_TABLE, Key={"PK": {"S": "RUN#run"}, "SK": {"S": "TABLE#shop/orders"}}
        )["Item"]
        found = [note["S"] for note in item["Notes"]["L"]]
        if facts == {"unchanged": True}:
            assert found == ["unchanged since the last extract"]
        elif "drift" in facts:
            assert found == [*drift, "3 records rejected: s3://data/_rejects"]
            assert tables.rejects("run") == [
                TableRejects("shop/orders", "shop.pack-001", 3, "s3://data/_rejects")
            ]
        else:
            assert found == []
            assert tables.rejects("run") == [], "a later attempt has rejected nothing"


def test_planned_tables_are_seen_before_anything_starts(tables: TableItems) -> None:
    tables.plan("run", [(f"shop/t{number}", "shop.pack-001") for number in range(30)])
    assert set(tables.statuses("run").values()) == {"PLANNED"}
    tables.record(JobKey("run", "shop.pack-001", 1), replace(ONE, table="t3"), NOW)
    assert tables.statuses("run")["shop/t3"] == "SUCCEEDED"


@pytest.mark.parametrize(
    "content", [None, b"", b"{", b"[]", b'{"tables": 3}', b'{"tables": [1, {"rows": 2}]}']
)
def test_a_result_file_without_tables_reports_none(content: bytes | None) -> None:
    assert table_reports(content) == []


def test_a_word_that_is_no_success_counts_as_failed() -> None:
    [report] = table_reports(b'{"tables": [{"table": "a", "outcome": "OK", "rows": -1}]}')
    assert (report.outcome, report.rows, report.moves_watermark) == ("FAILED", None, False)


def test_a_failure_is_remembered_until_the_table_is_extracted(tables: TableItems) -> None:
    names = [("shop", "orders"), ("shop", "a/b")]
    failed = replace(ONE, table="a/b", outcome="FAILED", error="no such table")
    tables.remember_failure("run2", failed, NOW)
    assert tables.failed(names) == {"shop/a/b"}
    tables.forget_failure("run1", failed)  # a success that was earlier makes up for nothing
    assert tables.failed(names) == {"shop/a/b"}
    tables.forget_failure("run2", failed)
    tables.forget_failure("run2", failed)
    assert tables.failed(names) == set()


def test_a_job_that_ends_without_a_report_leaves_no_table_planned(tables: TableItems) -> None:
    tables.plan("run", [("shop/orders", "shop.pack-001"), ("shop/items", "shop.pack-001")])
    tables.plan("run", [("shop/other", "shop.other")])
    record, content = job(entry(rows=3))
    reports = settle_tables(tables, replace(record, cause="killed"), content, NOW)
    assert "did not report this table; killed" in reports[1].error
    assert tables.statuses("run") == {
        "shop/orders": "SUCCEEDED",
        "shop/items": "FAILED",
        "shop/other": "PLANNED",
    }
    assert tables.failed([("shop", "items"), ("shop", "orders")]) == {"shop/items"}
