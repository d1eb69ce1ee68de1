"""Extracts from the event to the committed watermark, with the real adapters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.conftest import BUCKET
from tests.unit.handlers.conftest import House

from penstock.adapters.table_items import TableItems
from penstock.domain.errors import JobNotSucceededError
from penstock.domain.extract_config import InvalidExtractConfigError
from penstock.domain.outcome import Outcome

JOB_ID = "20261121T050000Z-7b0f"
EVENTS = Path(__file__).parents[3] / "events"
CONFIG = {
    "category": "Extract_Shop",
    "sources": [
        {
            "name": "shop",
            "type": "postgresql",
            "secret_arn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop",
            "defaults": {"pool": "shop_db"},
            "tables": [
                "orders",
                {"table": "items", "mode": "incremental", "cursor": "at", "primary_key": ["id"]},
                {"table": "huge", "expected_seconds": 4000},
            ],
        }
    ],
}


@pytest.fixture
def extracts(house: House) -> House:
    house.s3.put_object(Bucket=BUCKET, Key="config/shop.json", Body=json.dumps(CONFIG).encode())
    return house


def event(tables: Any = "all", **stated: Any) -> dict[str, Any]:
    config = f"s3://{BUCKET}/config/shop.json"
    return {
        "job_id": JOB_ID,
        "execution_arn": "arn:execution",
        "started_at": "2026-11-21T05:00:00.000Z",
        "input": {"tables_to_extract": tables, "extract_config": config, **stated},
    }


def items(house: House) -> TableItems:
    return TableItems(house.dynamodb, "run", lambda: 2_000_000_000)


def test_tables_become_jobs_with_work_orders(extracts: House) -> None:
    response = extracts.call("extract_config_manager", event())
    assert response["counts"] == {"planned": 2, "left_out": 0, "invalid": 0}
    assert (response["category"], response["logical_date"]) == ("Extract_Shop", "2026-11-21")
    lines = {
        line["job_name"]: line
        for line in map(json.loads, extracts.read(response["plan_key"]).splitlines())
    }
    assert lines.keys() == {"shop.huge", "shop.pack-001"}
    place = lines["shop.pack-001"]["arguments"]["--tables_path"]
    order = json.loads(extracts.read(place.removeprefix(f"s3://{BUCKET}/")))
    assert [table["table"] for table in order["tables"]] == ["items", "orders"]
    assert lines["shop.huge"]["target"] == "penstock-dev-extract-tables"
    assert extracts.job(JOB_ID, "shop.huge").pool == "shop_db"
    assert set(items(extracts).statuses(JOB_ID).values()) == {"PLANNED"}


def test_an_event_says_for_each_table_by_which_engine_and_how_many_workers(house: House) -> None:
    example = (EVENTS / "extract_config.yaml").read_bytes()
    house.s3.put_object(Bucket=BUCKET, Key="config/shop.yaml", Body=example)
    asked = json.loads((EVENTS / "start_extract_by_job_type.json").read_text())
    response = house.call("extract_config_manager", {**event(), "input": asked})

    assert response["counts"] == {"planned": 3, "left_out": 0, "invalid": 0}
    lines = {
        line["job_name"]: line
        for line in map(json.loads, house.read(response["plan_key"]).splitlines())
    }
    glue, emr, ecs = (lines[name] for name in ("shop.orders", "shop.clicks", "web.rates"))
    assert (glue["job_type"], glue["target"]) == ("spark", "penstock-dev-extract-tables-spark")
    assert (glue["worker_type"], glue["number_of_workers"]) == ("G.1X", 4)
    assert (emr["job_type"], emr["target"]) == ("emr", "s3://my-code/extract_tables.py")
    submit = emr["arguments"]
    assert "spark.executor.instances=8" in submit["SparkSubmitParameters"]
    assert (ecs["job_type"], ecs["target"]) == ("ecs", "shop-extract")
    assert "--tables_path" in submit["EntryPointArguments"]
    assert "--tables_path" in ecs["arguments"]


def test_a_thousand_tables_at_once_are_at_most_sixty_runs(house: House) -> None:
    source = {**CONFIG["sources"][0], "tables": [f"t{number}" for number in range(1_000)]}
    config = json.dumps({"category": "Extract_Shop", "sources": [source]}).encode()
    house.s3.put_object(Bucket=BUCKET, Key="config/shop.json", Body=config)
    response = house.call("extract_config_manager", event())

    assert 0 < response["counts"]["planned"] <= 60
    assert len(items(house).statuses(JOB_ID)) == 1_000
    names: list[str] = []
    for line in map(json.loads, house.read(response["plan_key"]).splitlines()):
        place = line["arguments"]["--tables_path"]
        order = json.loads(house.read(place.removeprefix(f"s3://{BUCKET}/")))
        names += [table["table"] for table in order["tables"]]
    assert sorted(names) == sorted(source["tables"])


@pytest.mark.parametrize("tables", [[], ["nothing"], ["orders", "orders"], "some"])
def test_nothing_is_started_by_an_event_that_cannot_be_meant(extracts: House, tables: Any) -> None:
    with pytest.raises(InvalidExtractConfigError):
        extracts.call("extract_config_manager", event(tables))
    assert extracts.runs.jobs_of(JOB_ID) == []
    assert extracts.runs.run(JOB_ID) is None


def test_a_table_that_fails_in_a_pack_does_not_keep_its_neighbours_from_going_on(
    extracts: House,
) -> None:
    extracts.call("extract_config_manager", event(["orders", "items"]))
    name = "shop.pack-001"
    report = {
        "tables": [
            {"source": "shop", "table": "items", "outcome": "SUCCEEDED", "watermark": {"v": 5}},
            {"source": "shop", "table": "orders", "outcome": "FAILED", "error": "no such table"},
        ]
    }
    key = f"runs/{JOB_ID}/jobs/{name}/1/result.json"
    extracts.s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(report).encode())
    request = {"job_id": JOB_ID, "job_name": name, "attempt": 1}
    arrival = {**request, "task_token": "t", "execution_arn": "arn:child"}
    extracts.call("await_turn", arrival)
    failure = {"state": "Run Python Shell Job", "error": "E", "cause": "1 table failed"}
    for _ in range(2):  # Step Functions may repeat it
        extracts.call("settle_job", {**request, "failure": failure})
    assert extracts.job(JOB_ID, name).outcome is Outcome.FAILED
    assert items(extracts).statuses(JOB_ID) == {"shop/items": "SUCCEEDED", "shop/orders": "FAILED"}
    assert items(extracts).watermarks([("shop", "items"), ("shop", "orders")]) == {
        "shop/items": {"v": 5}
    }
    later = event(["orders", "items"]) | {"job_id": "20261121T060000Z-8"}
    extracts.leases.release("Extract_Shop", "2026-11-21", JOB_ID)
    extracts.call("extract_config_manager", later)
    order = json.loads(extracts.read(f"runs/20261121T060000Z-8/tables/{name}.json"))
    assert [table["watermark"] for table in order["tables"]] == [{"v": 5}, None]
    assert extracts.messages() == []


def test_a_job_that_reports_a_failed_table_has_failed_whatever_its_service_says(
    extracts: House,
) -> None:
    extracts.call("extract_config_manager", event(["orders", "items"]))
    name = "shop.pack-001"
    tables = [{"source": "shop", "table": "orders", "outcome": "FAILED", "error": "no such table"}]
    key = f"runs/{JOB_ID}/jobs/{name}/1/result.json"
    extracts.s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps({"tables": tables}).encode())
    request = {"job_id": JOB_ID, "job_name": name, "attempt": 1}
    extracts.call("await_turn", {**request, "task_token": "t", "execution_arn": "arn:child"})
    result = {"JobRunState": "SUCCEEDED", "JobName": "j", "Id": "jr"}
    with pytest.raises(JobNotSucceededError, match="1 of 1 tables failed: orders: no such table"):
        extracts.call("settle_job", {**request, "result": result})
    assert extracts.job(JOB_ID, name).outcome is Outcome.FAILED
    # The job never said what became of the other one, so that is no success either.
    assert items(extracts).statuses(JOB_ID) == {"shop/items": "FAILED", "shop/orders": "FAILED"}


def test_a_failed_table_is_extracted_by_the_next_run_though_that_names_others(
    extracts: House,
) -> None:
    extracts.call("extract_config_manager", event(["orders", "items"]))
    name = "shop.pack-001"
    report = {
        "tables": [
            {"source": "shop", "table": "items", "outcome": "SUCCEEDED"},
            {"source": "shop", "table": "orders", "outcome": "FAILED", "error": "no such table"},
        ]
    }
    key = f"runs/{JOB_ID}/jobs/{name}/1/result.json"
    extracts.s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(report).encode())
    request = {"job_id": JOB_ID, "job_name": name, "attempt": 1}
    extracts.call("await_turn", {**request, "task_token": "t", "execution_arn": "arn:child"})
    failure = {"state": "Run Python Shell Job", "error": "E", "cause": "1 table failed"}
    extracts.call("settle_job", {**request, "failure": failure})
    extracts.leases.release("Extract_Shop", "2026-11-21", JOB_ID)

    second = "20261121T060000Z-8"
    extracts.call("extract_config_manager", event(["huge"]) | {"job_id": second})
    assert items(extracts).statuses(second).keys() == {"shop/huge", "shop/orders"}
    assert extracts.messages() == [], "the tables of the pack keep their failures themselves"

    request = {"job_id": second, "job_name": "shop.orders", "attempt": 1}
    report = {"tables": [{"source": "shop", "table": "orders", "outcome": "SUCCEEDED"}]}
    key = f"runs/{second}/jobs/shop.orders/1/result.json"
    extracts.s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(report).encode())
    extracts.call("await_turn", {**request, "task_token": "t", "execution_arn": "arn:child"})
    result = {"JobRunState": "SUCCEEDED", "JobName": "j", "Id": "jr"}
    extracts.call("settle_job", {**request, "result": result})
    extracts.leases.release("Extract_Shop", "2026-11-21", second)
    third = "20261121T070000Z-9"
    extracts.call("extract_config_manager", event(["huge"]) | {"job_id": third})
    assert items(extracts).statuses(third).keys() == {"shop/huge"}
