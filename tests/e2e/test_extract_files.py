"""Files as sources, the Data Catalog, and Spark as the engine, on the deployed template."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from bench.postgres_server import PostgresServer, packaged_programs
from tests.e2e.job_targets import ROLE
from tests.e2e.stack import Ran, Stack
from tests.e2e.test_extracts import tables_of

from penstock_cli.sample_sources import serve
from penstock_local.job_processes.spark import JDBC_DRIVERS

CATEGORY = "Extract_Files"
REPOSITORY = Path(__file__).parents[2]
SOURCES = "job-sources"  # the parameter ExtractSourceBucket of Penstock Local


def put_config(stack: Stack, *sources: dict[str, Any]) -> str:
    bucket = stack.output("DataBucket")
    body = json.dumps({"category": CATEGORY, "sources": sources}).encode()
    stack.client("s3").put_object(Bucket=bucket, Key="config/files.json", Body=body)
    return f"s3://{bucket}/config/files.json"


def extract(stack: Stack, config: str, day: str, tables: Any = "all") -> Ran:
    ran = stack.run(
        category=CATEGORY, tables_to_extract=tables, extract_config=config, logical_date=day
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


@pytest.fixture
def targets(stack: Stack) -> Iterator[dict[str, str]]:
    """The shipped extract as an EMR entry point and as the command of a container."""
    bucket = stack.output("DataBucket")
    scripts = {}
    for engine in ("spark", "python_shell"):
        body = (REPOSITORY / f"glue/bundles/{engine}/extract_tables.py").read_bytes()
        key = f"data/code/{engine}/extract_tables.py"
        stack.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
        scripts[engine] = f"s3://{bucket}/{key}"
    with extract_role(stack, bucket) as role:
        stack.client("ecs").register_task_definition(
            family="job-extract",
            requiresCompatibilities=["FARGATE"],
            networkMode="awsvpc",
            cpu="256",
            memory="512",
            taskRoleArn=role,
            containerDefinitions=[{"name": "job-extract", "image": "extract:1"}],
            tags=[{"key": "penstock:local-command", "value": f"python {scripts['python_shell']}"}],
        )
        yield {"emr": scripts["spark"], "ecs": "job-extract"}


@contextmanager
def extract_role(stack: Stack, bucket: str) -> Iterator[str]:
    """The role that samconfig.toml names for emr jobs; other tests may have made it."""
    iam = stack.client("iam")
    trusted = ["emr-serverless.amazonaws.com", "ecs-tasks.amazonaws.com"]
    trust = {"Effect": "Allow", "Principal": {"Service": trusted}, "Action": "sts:AssumeRole"}
    allowed = [
        (["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], f"arn:aws:s3:::{bucket}/*"),
        ("s3:ListBucket", f"arn:aws:s3:::{bucket}"),
        ("secretsmanager:GetSecretValue", "*"),
        ("logs:*", "*"),
    ]
    statements = [
        {"Effect": "Allow", "Action": actions, "Resource": where} for actions, where in allowed
    ]
    version = {"Version": "2012-10-17"}
    is_new = ROLE not in {role["RoleName"] for role in iam.list_roles()["Roles"]}
    if is_new:
        document = json.dumps({**version, "Statement": [trust]})
        iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=document)
    policy = json.dumps({**version, "Statement": statements})
    iam.put_role_policy(RoleName=ROLE, PolicyName="extract", PolicyDocument=policy)
    yield iam.get_role(RoleName=ROLE)["Role"]["Arn"]
    iam.delete_role_policy(RoleName=ROLE, PolicyName="extract")
    if is_new:
        iam.delete_role(RoleName=ROLE)


def test_an_event_has_each_table_extracted_by_the_engine_that_it_names(
    stack: Stack, targets: dict[str, str], tmp_path: Path
) -> None:
    if not any(driver.is_file() for driver in JDBC_DRIVERS):
        pytest.skip("Spark has no driver of PostgreSQL: apt-get install libpostgresql-jdbc-java")
    asked = json.loads((REPOSITORY / "events/start_extract_by_job_type.json").read_text())
    (tmp_path / "rates.csv").write_text("day,rate\n2026-11-20,1.5\n")
    server = PostgresServer(packaged_programs()).start()
    try:
        with server.connect() as connection, serve(tmp_path) as url:
            for table, rows in (("orders", 999), ("clicks", 1001)):
                connection.execute(
                    f"CREATE TABLE {table} AS SELECT i AS id, now() AS at"
                    f" FROM generate_series(1, {rows}) AS i"
                )
            secret = stack.client("secretsmanager").create_secret(
                Name="job-clicks", SecretString=json.dumps(server.secret)
            )
            shop = {"type": "postgresql", "secret_arn": secret["ARN"], "tls": False}
            ranges = {"partition_column": "id", "targets": targets}
            web = {"type": "http_csv", "url": f"{url}/{{table}}.csv"}
            config = put_config(
                stack,
                {"name": "big", **shop, "defaults": ranges, "tables": ["orders", "clicks"]},
                {"name": "web2", **web, "defaults": {"targets": targets}, "tables": ["rates"]},
            )
            ran = extract(stack, config, "2026-11-20", asked["tables_to_extract"])
    finally:
        server.stop()

    rows = {name: ran.job(name).rows_written for name in ran.outcomes}
    assert rows == {"big.orders": 999, "big.clicks": 1001, "web2.rates": 1}
    assert ran.view.job_id in catalog_entry(stack, "big_orders")["StorageDescriptor"]["Location"]
    types = {job.name: job.type for job in ran.view.jobs}
    assert types == {"big.orders": "spark", "big.clicks": "emr", "web2.rates": "ecs"}
