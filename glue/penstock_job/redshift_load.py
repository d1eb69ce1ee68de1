"""Redshift as the target of a load."""

from __future__ import annotations

from penstock_job.contract import JobContract
from penstock_job.dataset import attempt_path
from penstock_job.duckdb_engine import DuckDbEngine
from penstock_job.errors import LoadError
from penstock_job.lease import Lease
from penstock_job.load_records import LoadRecords
from penstock_job.redshift_table import (
    RedshiftData,
    RedshiftTarget,
    copy_manifest,
    load_statements,
)


class RedshiftLoad:
    """Copies the records to a staging table and brings them to the table, in one transaction."""

    def __init__(self, engine: DuckDbEngine, contract: JobContract, target: RedshiftTarget) -> None:
        self.name = target.table
        self.address = target.address
        self._engine = engine
        self._contract = contract
        self._target = target

    def judge(self, records: LoadRecords) -> None:
        """Nothing yet."""

    def load(self, records: LoadRecords, lease: Lease) -> int:
        """Stage and replace."""
        engine, contract = self._engine, self._contract
        staged = engine.write_parquet(records.loadable(records.columns), attempt_path(contract))
        if staged.rows != records.count():
            raise LoadError(f"{self.address}: {staged.rows} rows staged, not {records.count()}")
        manifest_path = f"{attempt_path(contract)}/_redshift_manifest.json"
        engine.store.write(manifest_path, copy_manifest(staged), "application/json")
        statements = load_statements(self._target, records.schema, records.key, manifest_path)
        lease.require()
        name = f"{contract.job_name} {contract.job_id} {contract.attempt}"
        RedshiftData().run(self._target, statements, name)
        return staged.bytes
