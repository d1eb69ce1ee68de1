"""Extracts from the event to the committed watermark, with the real adapters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.conftest import BUCKET
from tests.unit.handlers.conftest import House

from penstock.adapters.table_items import TableItems
from penstock.domain.errors import InvalidRequestError, JobNotSucceededError
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


def settle(house: House, job_id: str, name: str, **outcomes: str) -> None:
    """End a job of an extract that reports these outcomes of its tables."""
    tables = [{"source": "shop", "table": t, "outcome": each} for t, each in outcomes.items()]
    key = f"runs/{job_id}/jobs/{name}/{house.job(job_id, name).attempt}/result.json"
    house.s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps({"tables": tables}).encode())
    attempt = house.job(job_id, name).attempt
    request = {"job_id": job_id, "job_name": name, "attempt": attempt}
    house.call("await_turn", {**request, "task_token": "t", "execution_arn": "arn:child"})
    if set(outcomes.values()) == {"SUCCEEDED"}:
        ending: Any = {"result": {"JobRunState": "SUCCEEDED", "JobName": "j", "Id": "jr"}}
    else:
        ending = {"failure": {"state": "Run Python Shell Job", "error": "E", "cause": "failed"}}
    house.call("settle_job", {**request, **ending})


def close(house: House, job_id: str) -> None:
    run = house.runs.run(job_id)
    assert run is not None
    house.call(
        "close_run",
        {
            "job_id": job_id,
            "category": run.category,
            "logical_date": run.logical_date,
            "execution_arn": "arn:execution",
            "started_at": "2026-11-21T05:00:00.000Z",
        },
    )


def rerun(house: House, of: str, job_id: str, *only: str) -> Any:
    asked = {"rerun_of": of, **({"jobs": list(only)} if only else {})}
    return house.call("plan_run", {**event(), "job_id": job_id, "input": asked})


SECOND, THIRD, FOURTH = (f"20261122T0{hour}0000Z-a" for hour in (6, 7, 8))


@pytest.fixture
def failed(extracts: House) -> House:
    """A run of which one table of a pack failed, another succeeded and a third was not come to."""
    settings = {"overrides": {"timeout_minutes": 33}, "logical_date": "2026-11-20"}
    extracts.call("extract_config_manager", event(**settings))
    settle(extracts, JOB_ID, "shop.pack-001", items="SUCCEEDED", orders="FAILED")
    settle(extracts, JOB_ID, "shop.huge", huge="FAILED")
    close(extracts, JOB_ID)
    return extracts


def test_a_rerun_extracts_the_tables_that_failed_for_the_same_day_and_no_others(
    failed: House,
) -> None:
    response = rerun(failed, JOB_ID, SECOND)

    assert response["counts"] == {"planned": 2, "left_out": 0, "invalid": 0}
    assert (response["category"], response["logical_date"]) == ("Extract_Shop", "2026-11-20")
    assert items(failed).statuses(SECOND) == {"shop/orders": "PLANNED", "shop/huge": "PLANNED"}
    run = failed.runs.run(SECOND)
    assert run is not None
    assert (run.rerun_of, run.logical_date) == (JOB_ID, "2026-11-20")
    lines = list(map(json.loads, failed.read(response["plan_key"]).splitlines()))
    assert [line["timeout_seconds"] for line in lines] == [33 * 60] * 2
    order = json.loads(failed.read(f"runs/{SECOND}/tables/shop.orders.json"))
    assert [table["table"] for table in order["tables"]] == ["orders"]


def test_a_rerun_reads_the_config_as_it_is_now(failed: House) -> None:
    mended = json.loads(json.dumps(CONFIG))
    mended["sources"][0]["tables"][0] = {"table": "orders", "types": {"amount": "text"}}
    failed.s3.put_object(Bucket=BUCKET, Key="config/shop.json", Body=json.dumps(mended).encode())
    rerun(failed, JOB_ID, SECOND)
    order = json.loads(failed.read(f"runs/{SECOND}/tables/shop.orders.json"))
    assert order["tables"][0]["types"] == {"amount": "text"}

    del mended["sources"][0]["tables"][0]
    failed.s3.put_object(Bucket=BUCKET, Key="config/shop.json", Body=json.dumps(mended).encode())
    failed.leases.release("Extract_Shop", "2026-11-20", SECOND)
    with pytest.raises(InvalidRequestError, match="has not ended yet"):
        rerun(failed, JOB_ID, THIRD)
    close(failed, SECOND)
    with pytest.raises(InvalidExtractConfigError, match="shop/orders is no table of the config"):
        rerun(failed, JOB_ID, THIRD)


@pytest.mark.parametrize("name", ["orders", "shop/orders", "shop.pack-001"])
def test_a_rerun_is_of_the_table_or_the_job_that_is_named(failed: House, name: str) -> None:
    assert rerun(failed, JOB_ID, SECOND, name)["counts"]["planned"] == 1
    assert items(failed).statuses(SECOND).keys() == {"shop/orders"}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("items", f"items cannot be run again: it has succeeded in run {JOB_ID}"),
        ("other", f"other cannot be run again: it is neither a table nor a job of run {JOB_ID}"),
    ],
)
def test_a_rerun_refuses_what_it_cannot_extract_again(failed: House, name: str, why: str) -> None:
    with pytest.raises(InvalidRequestError, match=why):
        rerun(failed, JOB_ID, SECOND, name)
    assert failed.runs.run(SECOND) is None


def test_a_rerun_takes_what_earlier_reruns_have_left(failed: House) -> None:
    rerun(failed, JOB_ID, SECOND)
    settle(failed, SECOND, "shop.orders", orders="SUCCEEDED")
    settle(failed, SECOND, "shop.huge", huge="FAILED")
    close(failed, SECOND)

    assert rerun(failed, JOB_ID, THIRD)["counts"]["planned"] == 1
    assert items(failed).statuses(THIRD).keys() == {"shop/huge"}
    settle(failed, THIRD, "shop.huge", huge="SUCCEEDED")
    close(failed, THIRD)

    assert rerun(failed, JOB_ID, FOURTH)["counts"]["planned"] == 0
    assert items(failed).statuses(FOURTH) == {}


def test_a_table_that_had_failed_before_is_part_of_the_run_that_takes_it_up(
    failed: House,
) -> None:
    failed.call("extract_config_manager", event(["items"]) | {"job_id": SECOND})
    assert items(failed).statuses(SECOND).keys() == {"shop/items", "shop/orders", "shop/huge"}
    settle(failed, SECOND, "shop.pack-001", items="SUCCEEDED", orders="FAILED")
    settle(failed, SECOND, "shop.huge", huge="SUCCEEDED")
    close(failed, SECOND)

    rerun(failed, SECOND, THIRD)
    assert items(failed).statuses(THIRD).keys() == {"shop/orders"}
