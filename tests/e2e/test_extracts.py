"""Tables of a real PostgreSQL, from the event to the next job's data, on the deployed template."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from bench.postgres_server import PostgresServer, packaged_programs
from boto3.dynamodb.types import TypeDeserializer
from rich.console import Console
from tests.e2e.stack import Ran, Stack

from penstock_cli import example
from penstock_cli.rerunning import rerun
from penstock_cli.stack import Stack as Deployed

CATEGORY = "Extract_Shop"
INCREMENTAL = {"mode": "incremental", "cursor": "updated_at", "primary_key": ["id"]}


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    server = PostgresServer(packaged_programs()).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def config(stack: Stack, postgres: PostgresServer) -> str:
    """An extract config whose source is that server, by a secret; its address."""
    arn = stack.client("secretsmanager").create_secret(
        Name="job-shop", SecretString=json.dumps(postgres.secret)
    )["ARN"]
    source = {
        "name": "shop",
        "type": "postgresql",
        "secret_arn": arn,
        "tls": False,
        "tables": ["customers", "gone", {"table": "orders", **INCREMENTAL}],
    }
    body = json.dumps({"category": CATEGORY, "sources": [source]}).encode()
    bucket = stack.output("DataBucket")
    stack.client("s3").put_object(Bucket=bucket, Key="config/shop.json", Body=body)
    return f"s3://{bucket}/config/shop.json"


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> Iterator[psycopg.Connection[Any]]:
    with postgres.connect() as connection:
        connection.execute(
            "CREATE TABLE customers AS SELECT i AS id, 'Müller, \"' || i || '\"' AS name"
            " FROM generate_series(1, 50) AS i"
        )
        connection.execute(
            "CREATE TABLE orders (id int PRIMARY KEY, customer int, amount numeric(12,2),"
            " updated_at timestamptz NOT NULL)"
        )
        connection.execute(
            "INSERT INTO orders SELECT i, i % 50 + 1, i * 1.25, timestamptz '2026-11-20' +"
            " i * interval '1 second' FROM generate_series(1, 1000) AS i"
        )
        yield connection


def extract(stack: Stack, config: str, tables: Any, day: str) -> Ran:
    return stack.run(
        category=CATEGORY, tables_to_extract=tables, extract_config=config, logical_date=day
    )


def tables_of(stack: Stack, job_id: str) -> dict[str, dict[str, Any]]:
    """What the run table has of the tables of a run."""
    items = stack.client("dynamodb").query(
        TableName=stack.output("RunTable"),
        KeyConditionExpression="PK = :run AND begins_with(SK, :table)",
        ExpressionAttributeValues={":run": {"S": f"RUN#{job_id}"}, ":table": {"S": "TABLE#"}},
    )["Items"]
    plain = TypeDeserializer()
    return {
        item["SK"]["S"].removeprefix("TABLE#shop/"): {
            name: plain.deserialize(value) for name, value in item.items()
        }
        for item in items
    }


def test_tables_are_extracted_a_bad_one_alone_fails_and_the_next_run_goes_on(
    stack: Stack, config: str, database: psycopg.Connection[Any]
) -> None:
    first = extract(stack, config, "all", "2026-11-20")

    assert first.view.verdict == "FAILED", first.digest
    assert first.outcomes == {"shop.pack-001": "FAILED"}
    assert "1 of 3 tables failed: gone: SourceError: there is no table gone" in first.digest
    tables = tables_of(stack, first.view.job_id)
    assert {name: table["Status"] for name, table in tables.items()} == {
        "customers": "SUCCEEDED",
        "gone": "FAILED",
        "orders": "SUCCEEDED",
    }
    assert (tables["orders"]["Rows"], tables["customers"]["Rows"]) == (1000, 50)
    assert "2026-11-20 00:16:40+00" in tables["orders"]["Watermark"]

    database.execute("CREATE TABLE gone AS SELECT 1 AS id")
    database.execute(
        "UPDATE orders SET amount = 0, updated_at = '2026-11-21 05:00:00+00' WHERE id <= 3"
    )
    second = extract(stack, config, ["orders"], "2026-11-21")

    assert second.view.verdict == "SUCCEEDED", second.digest
    tables = tables_of(stack, second.view.job_id)
    assert {name: (table["Status"], table["Rows"]) for name, table in tables.items()} == {
        "gone": ("SUCCEEDED", 1),  # it failed last time, so this run makes up for it
        "orders": ("SUCCEEDED", 4),  # three that changed, and the one at the boundary
    }
    assert "2026-11-20 00:16:40+00" in tables["orders"]["WatermarkBefore"]


def test_a_rerun_extracts_only_what_failed_and_for_the_same_day(
    stack: Stack, config: str, database: psycopg.Connection[Any]
) -> None:
    database.execute("DROP TABLE gone")
    failed = extract(stack, config, "all", "2026-11-19")
    assert failed.view.verdict == "FAILED", failed.digest
    database.execute("CREATE TABLE gone AS SELECT 1 AS id")

    deployed = Deployed("penstock-local", stack.instance)
    console = Console(file=io.StringIO(), width=200)
    assert rerun(console, deployed, failed.view.job_id, ["gone"], wait=True) == 0
    again = deployed.run_table.runs_for(CATEGORY, "2026-11-19")[-1]
    assert again.rerun_of == failed.view.job_id
    tables = tables_of(stack, again.job_id)
    assert {name: (table["Status"], table["Rows"]) for name, table in tables.items()} == {
        "gone": ("SUCCEEDED", 1)
    }


def test_a_job_takes_in_the_state_of_extracted_tables(
    stack: Stack, config: str, database: psycopg.Connection[Any]
) -> None:
    extract(stack, config, ["orders", "customers"], "2026-11-22")
    [(count, total)] = database.execute("SELECT count(*), sum(amount) FROM orders").fetchall()
    example.control_table(stack.instance, stack.deployed.outputs).put_item(
        Item={
            "JobName": "sales",
            "JobCategory": "Sales",
            "JobType": "python_shell",
            "Target": "{stack}-transform",
            "RunCondition": "ALL_DAYS",
            "TimeoutMinutes": 5,
            "Arguments": {
                "inputs": ["extract:shop/orders", "extract:shop/customers"],
                "select": "SELECT c.name, count(*) AS orders, sum(o.amount) AS amount FROM orders"
                " AS o JOIN customers AS c ON c.id = o.customer GROUP BY c.name",
            },
        }
    )
    ran = stack.run(category="Sales", logical_date="2026-11-22")
    assert ran.view.verdict == "SUCCEEDED", ran.digest
    assert (ran.job("sales").rows_read, ran.job("sales").rows_written) == (count, 50)
    assert total > 0
