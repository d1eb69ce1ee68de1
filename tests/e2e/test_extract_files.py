"""Files as sources, the Data Catalog, and Spark as the engine, on the deployed template."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from bench.postgres_server import PostgresServer, packaged_programs
from penstock_local.glue.spark import JDBC_DRIVERS
from tests.e2e.stack import Ran, Stack
from tests.e2e.test_extracts import tables_of

from penstock_cli.sample_sources import serve

CATEGORY = "Extract_Files"
SOURCES = "job-sources"  # the parameter ExtractSourceBucket of Penstock Local


def put_config(stack: Stack, *sources: dict[str, Any]) -> str:
    bucket = stack.output("DataBucket")
    body = json.dumps({"category": CATEGORY, "sources": sources}).encode()
    stack.client("s3").put_object(Bucket=bucket, Key="config/files.json", Body=body)
    return f"s3://{bucket}/config/files.json"


def extract(stack: Stack, config: str, day: str) -> Ran:
    ran = stack.run(
        category=CATEGORY, tables_to_extract="all", extract_config=config, logical_date=day
    )
    assert ran.view.verdict == "SUCCEEDED", ran.digest
    return ran


def catalog_entry(stack: Stack, name: str) -> dict[str, Any]:
    database = stack.output("StackName").replace("-", "_")
    table: dict[str, Any] = stack.client("glue").get_table(DatabaseName=database, Name=name)
    return dict(table["Table"])


def test_files_are_extracted_once_registered_and_not_again_until_they_change(
    stack: Stack, tmp_path: Path
) -> None:
    s3 = stack.client("s3")
    s3.create_bucket(
        Bucket=SOURCES, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name}
    )
    s3.put_object(Bucket=SOURCES, Key="in/visits/1.jsonl", Body=b'{"id": 1}\n{"id": 2}\nbroken\n')
    (tmp_path / "rates.csv").write_text("day;rate\n2026-11-20;1,5\n2026-11-21;1.25\n")
    with serve(tmp_path) as url:
        config = put_config(
            stack,
            {
                "name": "web",
                "type": "http_csv",
                "url": f"{url}/{{table}}.csv",
                "defaults": {"csv": {"delimiter": ";"}},
                "tables": [{"table": "rates", "types": {"rate": "decimal(8,4)", "day": "date"}}],
            },
            {
                "name": "lake",
                "type": "s3",
                "path": f"s3://{SOURCES}/in",
                "format": "jsonl",
                "tables": [{"table": "visits", "mode": "incremental"}],
            },
        )
        first = extract(stack, config, "2026-11-20")
        second = extract(stack, config, "2026-11-21")
        s3.put_object(Bucket=SOURCES, Key="in/visits/0.jsonl", Body=b'{"id": 3}\n')
        third = extract(stack, config, "2026-11-22")

    assert first.outcomes == {"web.rates": "SUCCEEDED", "lake.visits": "SUCCEEDED"}
    rows = {name: (first.job(name).rows_written, first.job(name).rows_rejected)
            for name in first.outcomes}  # fmt: skip
    assert rows == {"web.rates": (1, 1), "lake.visits": (2, 1)}
    assert [second.job(name).rows_written for name in second.outcomes] == [0, 0]
    notes = tables_of(stack, second.view.job_id)["TABLE#web/rates"]["Notes"]
    assert notes == ["unchanged since the last extract"]
    assert third.job("lake.visits").rows_written == 1
    assert third.job("web.rates").rows_written == 0

    rates = catalog_entry(stack, "web_rates")
    assert first.view.job_id in rates["StorageDescriptor"]["Location"]
    assert {"Name": "rate", "Type": "decimal(8,4)"} in rates["StorageDescriptor"]["Columns"]
    visits = catalog_entry(stack, "lake_visits")
    assert [key["Name"] for key in visits["PartitionKeys"]] == ["penstock_layer"]
    found = stack.client("glue").get_partitions(
        DatabaseName=visits["DatabaseName"], TableName="lake_visits"
    )["Partitions"]
    assert sorted(each["Values"][0] for each in found) == [first.view.job_id, third.view.job_id]


def test_a_table_with_workers_is_extracted_by_spark(stack: Stack) -> None:
    if not any(driver.is_file() for driver in JDBC_DRIVERS):
        pytest.skip("Spark has no driver of PostgreSQL: apt-get install libpostgresql-jdbc-java")
    server = PostgresServer(packaged_programs()).start()
    try:
        with server.connect() as connection:
            connection.execute(
                "CREATE TABLE clicks AS SELECT i AS id, now() AS at FROM generate_series(1, 999) i"
            )
        secret = stack.client("secretsmanager").create_secret(
            Name="job-clicks", SecretString=json.dumps(server.secret)
        )
        table = {
            "table": "clicks",
            "worker_type": "G.1X",
            "number_of_workers": 2,
            "partition_column": "id",
        }
        config = put_config(
            stack,
            {
                "name": "big",
                "type": "postgresql",
                "secret_arn": secret["ARN"],
                "tls": False,
                "tables": [table],
            },
        )
        ran = extract(stack, config, "2026-11-20")
    finally:
        server.stop()

    assert ran.job("big.clicks").rows_written == 999
    assert tables_of(stack, ran.view.job_id)
    assert ran.view.job_id in catalog_entry(stack, "big_clicks")["StorageDescriptor"]["Location"]
