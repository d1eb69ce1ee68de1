"""A source, a sink and what is between them: a run is extract, Settle Job and load."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
from penstock_job.object_store import ObjectStore
from penstock_job.table_dataset import TableDataset
from tests.crash.points import EXTRACT, LOAD, POINTS, SETTLE, Killed, Point, play_dead
from tests.crash.step import CATEGORY, DAY, RUN_TABLE, tables, take

from penstock.domain.extract_config import ExtractTable, Source
from penstock.domain.extract_jobs import ExtractJob, work_order_key

BUCKET, SINK = "penstock-data", "sink"
REPOSITORY = Path(__file__).parents[2]
ROWS = 60
SETTINGS = {
    "mode": "incremental",
    "cursor": "updated_at",
    "primary_key": ["id"],
    "lookback": 600,
}


@dataclass
class World:
    """One table `orders`, its dataset, its watermark, and a DynamoDB table that is to equal it."""

    database: psycopg.Connection[Any]
    secret_arn: str
    runs: int = 0

    def begin(self) -> None:
        """Fill the source and take it through a first whole run."""
        self.database.execute("DROP TABLE IF EXISTS orders")
        self.database.execute(
            "CREATE TABLE orders (id int PRIMARY KEY, state text, updated_at timestamptz NOT NULL)"
        )
        self.database.execute(
            "INSERT INTO orders SELECT i, 'new', timestamptz '2026-11-21 05:00+00' +"
            f" i * interval '1 minute' FROM generate_series(1, {ROWS}) AS i"
        )
        client = boto3.client("dynamodb")
        for name, *keys in ((RUN_TABLE, ("PK", "S"), ("SK", "S")), (SINK, ("id", "N"))):
            client.create_table(
                TableName=name,
                BillingMode="PAY_PER_REQUEST",
                KeySchema=[
                    {"AttributeName": key, "KeyType": kind}
                    for (key, _), kind in zip(keys, ("HASH", "RANGE"), strict=False)
                ],
                AttributeDefinitions=[
                    {"AttributeName": key, "AttributeType": kind} for key, kind in keys
                ],
            )
        self.run()

    def change(self) -> None:
        """Change the source: rows after the boundary, at it, and committed late before it."""
        boundary = "(SELECT max(updated_at) FROM orders)"
        self.database.execute(
            f"WITH b AS (SELECT {boundary} AS at) UPDATE orders SET state = state || '!',"
            " updated_at = b.at + id * interval '1 second' FROM b WHERE id % 2 = 0"
        )
        self.database.execute(
            f"INSERT INTO orders SELECT max(id) + 1, 'tied', {boundary} FROM orders"
        )
        self.database.execute(
            f"INSERT INTO orders SELECT max(id) + 1, 'late', {boundary} - interval '5 minutes'"
            " FROM orders"
        )

    def run(self, point: Point | None = None, die: Callable[[], None] = play_dead) -> None:
        """Take a run with a new job ID to its end, or to where it is killed."""
        self.runs += 1
        job_id = f"run-{self.runs:03d}"
        table = ExtractTable(
            Source("shop", "postgresql", {"secret_arn": self.secret_arn, "tls": False}),
            "orders",
            SETTINGS,
        )
        job = ExtractJob("shop.orders", (table,))
        order = job.work_order(tables().watermarks([("shop", "orders")]), "extract/")
        ObjectStore().write(
            f"s3://{BUCKET}/{work_order_key(job_id, job.name)}",
            json.dumps(order).encode(),
            "application/json",
        )
        self.attempt(job_id, 1, point, die)

    def attempt(
        self,
        job_id: str,
        attempt: int,
        point: Point | None = None,
        die: Callable[[], None] = play_dead,
    ) -> None:
        """Extract, settle and load for one attempt at a run.

        A job that was killed is settled as failed, which is what Step Functions does; where Settle
        Job is killed, nobody settles, which is the worst that can happen.
        """
        killed_at = point.step if point else ""
        ended_well = self._take(EXTRACT, self._extract(job_id, attempt), point, die)
        if not self._take(SETTLE, self._settle(job_id, attempt, ended_well), point, die):
            return
        if ended_well and killed_at != EXTRACT:
            self._take(LOAD, self._load(job_id, attempt), point, die)

    def retry(self) -> None:
        """Take the last run to its end in a second attempt."""
        self.attempt(f"run-{self.runs:03d}", 2)

    def _take(
        self, step: str, request: dict[str, Any], point: Point | None, die: Callable[[], None]
    ) -> bool:
        """Do a step; false if it was killed."""
        if point is None or point.step != step:
            take(step, request)
            return True
        if die is play_dead:
            with pytest.MonkeyPatch.context() as patch:
                point.arm(patch, die)
                try:
                    take(step, request)
                except Killed:
                    return False
            raise AssertionError(f"{point} was never reached")
        command = [sys.executable, "-m", "tests.crash.step", str(POINTS.index(point))]
        with tempfile.TemporaryDirectory() as folder:  # who is killed cleans nothing up
            ended = subprocess.run(
                [*command, json.dumps(request)],
                cwd=REPOSITORY,
                env={
                    **os.environ,
                    "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'glue'}",
                    "TMPDIR": folder,
                },
                capture_output=True,
                text=True,
                check=False,
            )
        assert ended.returncode == -9, f"{point}: {ended.returncode}\n{ended.stderr}"
        return False

    def _extract(self, job_id: str, attempt: int) -> dict[str, Any]:
        place = f"s3://{BUCKET}/{work_order_key(job_id, 'shop.orders')}"
        return {"argv": self._argv(job_id, "shop.orders", attempt, tables_path=place)}

    def _load(self, job_id: str, attempt: int) -> dict[str, Any]:
        own = {"inputs": "extract:shop/orders", "key": "id", "dynamodb_table": SINK}
        own["lease_seconds"] = "10"  # of a killed load, the next one has to wait for its end
        return {"argv": self._argv(job_id, "load_orders", attempt, **own)}

    def _settle(self, job_id: str, attempt: int, ended_well: bool) -> dict[str, Any]:
        content = ObjectStore().read(_result_path(job_id, "shop.orders", attempt))
        return {
            "job_id": job_id,
            "job_name": "shop.orders",
            "attempt": attempt,
            "outcome": "SUCCEEDED" if ended_well else "FAILED",
            "result_file": content.decode() if content else None,
        }

    @staticmethod
    def _argv(job_id: str, job_name: str, attempt: int, **own: str) -> list[str]:
        values = {
            "job_id": job_id,
            "job_name": job_name,
            "category": CATEGORY,
            "logical_date": DAY,
            "attempt": str(attempt),
            "result_path": _result_path(job_id, job_name, attempt),
            "data_path": f"s3://{BUCKET}/data",
            **own,
        }
        return [text for name, value in values.items() for text in (f"--{name}", value)]

    @property
    def source_rows(self) -> list[tuple[int, str, str]]:
        """What a full reload would put into the sink."""
        return self.database.execute(
            "SELECT id, state, to_char(updated_at AT TIME ZONE 'UTC',"
            ' \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\') FROM orders ORDER BY id'
        ).fetchall()

    @property
    def sink_rows(self) -> list[tuple[int, str, str]]:
        """What is in the sink."""
        pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=SINK)
        rows = [
            (int(item["id"]["N"]), item["state"]["S"], item["updated_at"]["S"])
            for page in pages
            for item in page["Items"]
        ]
        return sorted(rows)

    @property
    def watermark(self) -> Any:
        """The committed watermark."""
        return tables().watermarks([("shop", "orders")]).get("shop/orders")

    @property
    def layers(self) -> list[str]:
        """The runs whose data is published."""
        folder = f"s3://{BUCKET}/data/extract/shop/orders"
        return [layer.job_id for layer in TableDataset(ObjectStore(), folder).state().layers]


def _result_path(job_id: str, job_name: str, attempt: int) -> str:
    return f"s3://{BUCKET}/runs/{job_id}/jobs/{job_name}/{attempt}/result.json"
