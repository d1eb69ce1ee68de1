"""The real adapters in the place of the run table in memory, for simulated runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.unit.fake_run_table import PoolState
from tests.unit.simulated_runs import stop_before_request

from penstock.adapters.job_items import JobItems
from penstock.adapters.pool_items import PoolItems
from penstock.adapters.run_table import RunTable
from penstock.domain.job_record import JobRecord

EXPIRES = 2_000_000_000


class RealRunTable:
    """JobItems and PoolItems on a table of their own; each request may be the last before death.

    To read all records takes long, so they are looked at only now and then.
    """

    check_every = 20

    def __init__(self, client: Any, table: str) -> None:
        client.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "PK", "KeyType": "HASH"},
                {"AttributeName": "SK", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("PK", "SK")
            ],
        )
        self._client, self._table = client, table
        self._jobs = JobItems(client, table)
        self._pools = PoolItems(client, table, 1, lambda: EXPIRES)
        self._runs = RunTable(client, table, lambda: EXPIRES)
        self._names: set[str] = set()
        self._ids: list[str] = []

    def create_jobs(self, jobs: Sequence[JobRecord]) -> None:
        self._runs.create_jobs(jobs)
        self._ids = sorted({job.job_id for job in jobs})

    def set_limit(self, name: str, limit: int) -> None:
        self._names.add(name)
        self._client.update_item(
            TableName=self._table,
            Key={"PK": {"S": f"POOL#{name}"}, "SK": {"S": "POOL"}},
            UpdateExpression="SET #L = :limit",
            ExpressionAttributeNames={"#L": "Limit"},
            ExpressionAttributeValues={":limit": {"N": str(limit)}},
        )

    @property
    def jobs_by_name(self) -> dict[tuple[str, str], JobRecord]:
        jobs = [job for job_id in self._ids for job in self._runs.jobs_of(job_id)]
        return {(job.job_id, job.job_name): job for job in jobs}

    @property
    def pools(self) -> dict[str, PoolState]:
        views = [self._pools.pool(name) for name in sorted(self._names)]
        return {view.name: PoolState(view.limit, set(view.holders)) for view in views}

    def __getattr__(self, name: str) -> Any:
        """Return a method of the adapters that stands still before its request."""
        adapter = self._jobs if name in dir(JobItems) else self._pools
        method = getattr(adapter, name)

        def call(*arguments: Any) -> Any:
            stop_before_request(name)
            return method(*arguments)

        return call
