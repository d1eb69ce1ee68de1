"""Redshift as the target of a load."""

from __future__ import annotations

from penstock_job.contract import JobContract
from penstock_job.dataset import attempt_path
from penstock_job.duckdb_engine import DuckDbEngine
from penstock_job.lease import Lease
from penstock_job.load_records import LoadRecords
from penstock_job.redshift_columns import created_columns, untakable_cases
from penstock_job.redshift_data import RedshiftData
from penstock_job.redshift_table import (
    AUDIT_SCHEMA,
    AuditEntry,
    RedshiftTarget,
    copy_manifest,
    load_statements,
    preparing_statements,
)


class RedshiftLoad:
    """Copies the records to a staging table and merges them by key, in one transaction."""

    def __init__(self, engine: DuckDbEngine, contract: JobContract, target: RedshiftTarget) -> None:
        self.name = target.table
        self.address = target.address
        self._engine = engine
        self._contract = contract
        self._target = target
        self._api = RedshiftData()
        self._exists = False

    def judge(self, records: LoadRecords) -> None:
        """Set aside what the table's columns cannot take. Raises LoadError where they take none."""
        columns = self._api.columns(self._target, *self._target.schema_and_name)
        self._exists = bool(columns)
        columns = columns or created_columns(records.schema)
        records.reject(untakable_cases(self._target.table, columns, records.schema))

    def load(self, records: LoadRecords, lease: Lease) -> int:
        """Stage and merge; nothing, where the audit has a row of this very load."""
        contract, target = self._contract, self._target
        staged = records.staged()
        manifest_path = f"{attempt_path(contract)}/_redshift_manifest.json"
        self._engine.store.write(manifest_path, copy_manifest(staged), "application/json")
        audit = AuditEntry(
            contract.job_id,
            contract.job_name,
            ".".join(target.schema_and_name),
            records.source,
            contract.attempt,
            contract.logical_date,
            staged.rows,
        )
        self._prepare(records, audit)
        statements = load_statements(target, records.schema, records.key, manifest_path, audit)
        lease.require()
        self._api.run(target, statements, f"{contract.job_name} {contract.job_id}", audit.token)
        return staged.bytes

    def _prepare(self, records: LoadRecords, audit: AuditEntry) -> None:
        """Create what is missing; the lock's table comes last but the target's own."""
        target = self._target
        if self._exists and self._api.columns(target, AUDIT_SCHEMA, target.lock):
            return
        statements = preparing_statements(target, records.schema)
        name = f"prepare {target.table}"
        self._api.run(target, statements, name, lambda number: audit.token(-number))
