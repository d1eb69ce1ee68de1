"""A Redshift table, and the statements that load it: COPY to a staging table, then MERGE by key.

All statements are one BatchExecuteStatement, hence one transaction: either the table holds the
new rows and the audit a row of the load, or both are as they were. The audit row decides whether
there is anything to do, so a load that is submitted again changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from penstock_job.column_type import ColumnType
from penstock_job.engine import Written
from penstock_job.errors import ArgumentsError
from penstock_job.redshift_columns import created_type

STAGE = "penstock_stage"
AUDIT_SCHEMA, AUDIT_TABLE = "etl", "load_audit"
AUDIT = f"{AUDIT_SCHEMA}.{AUDIT_TABLE}"
AUDIT_COLUMNS = {
    "job_id": "VARCHAR(64)",
    "job_name": "VARCHAR(64)",
    "target": "VARCHAR(256)",
    "source": "VARCHAR(256)",
    "attempt": "INTEGER",
    "logical_date": "DATE",
    "rows_loaded": "BIGINT",
    "loaded_at": "TIMESTAMP",
}
LONGEST_NAME = 100  # of at most 127 bytes
_TABLE = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_$]*\.)?[A-Za-z_][A-Za-z0-9_$]*")


@dataclass(frozen=True)
class RedshiftTarget:
    """A table of a serverless workgroup or of a cluster, and how to get at it."""

    table: str
    workgroup: str
    cluster: str
    database: str
    secret_arn: str
    copy_role_arn: str

    def __post_init__(self) -> None:
        if not _TABLE.fullmatch(self.table):
            raise ArgumentsError(f"{self.table!r} is no name of a Redshift table")
        if not self.copy_role_arn:
            raise ArgumentsError("Redshift needs redshift_copy_role_arn to COPY from S3")

    @property
    def schema_and_name(self) -> tuple[str, str]:
        """Both in lower case, as Redshift folds names."""
        schema, _, name = self.table.lower().rpartition(".")
        return schema or "public", name

    @property
    def address(self) -> str:
        """For the result file."""
        return f"redshift://{self.workgroup or self.cluster}/{self.database}/{self.table}"

    @property
    def lock(self) -> str:
        """An empty table that stands for this one: locking it keeps other loads out, not readers.

        https://docs.aws.amazon.com/redshift/latest/dg/r_LOCK.html
        """
        name = "load_lock_" + "_".join(self.schema_and_name)
        if len(name) > LONGEST_NAME:
            name = f"{name[:80]}_{hashlib.sha256(name.encode()).hexdigest()[:16]}"
        return name

    def connection(self) -> dict[str, str]:
        """The Data API's arguments that say where to run."""
        where = (
            {"WorkgroupName": self.workgroup}
            if self.workgroup
            else {"ClusterIdentifier": self.cluster}
        )
        secret = {"SecretArn": self.secret_arn} if self.secret_arn else {}
        return {**where, "Database": self.database, **secret}


@dataclass(frozen=True)
class AuditEntry:
    """Which load of what: the same load twice has the same job, source and target.

    `source` names the attempt of the upstream job whose data is loaded: where that has run again
    in the same run, its new data is another load.
    """

    job_id: str
    job_name: str
    target: str
    source: str
    attempt: int
    logical_date: str
    rows: int

    def token(self, submission: int) -> str:
        """A ClientToken, the same for the same attempt; it guards one call for some hours."""
        parts = (self.job_id, self.job_name, self.target, self.source, self.attempt, submission)
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    @property
    def condition(self) -> str:
        """A condition for the audit row of this load."""
        names = ("job_id", "job_name", "target", "source")
        return " AND ".join(f"{name} = {_literal(getattr(self, name))}" for name in names)


def copy_manifest(staged: Written) -> bytes:
    """The manifest for COPY: exactly these files, each of which must be there.

    COPY wants the size of every columnar file.
    """
    entries = [
        {"url": file.path, "mandatory": True, "meta": {"content_length": file.size}}
        for file in staged.files
    ]
    return json.dumps({"entries": entries}).encode()


def audit_definition() -> str:
    """The statement that creates the audit."""
    columns = ", ".join(f"{name} {kind}" for name, kind in AUDIT_COLUMNS.items())
    return f"CREATE TABLE IF NOT EXISTS {AUDIT} ({columns})"


def preparing_statements(target: RedshiftTarget, schema: Mapping[str, ColumnType]) -> list[str]:
    """What must be there before a load. Not part of its transaction: see `load_statements`."""
    return [
        f"CREATE SCHEMA IF NOT EXISTS {AUDIT_SCHEMA}",
        audit_definition(),
        f"CREATE TABLE IF NOT EXISTS {AUDIT_SCHEMA}.{target.lock} (nothing BOOLEAN)",
        f"CREATE TABLE IF NOT EXISTS {_table(target)} ({_columns(schema)})",
    ]


def load_statements(
    target: RedshiftTarget,
    schema: Mapping[str, ColumnType],
    key: Sequence[str],
    manifest_path: str,
    audit: AuditEntry,
) -> list[str]:
    """The statements of one load.

    The lock comes first: whatever else came before it would fix what the transaction sees, and it
    would not see the audit row of the load that it had waited for.
    https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html
    """
    names = ", ".join(map(_quoted, schema))
    own = _quoted(target.schema_and_name[1])
    same = " AND ".join(f"{own}.{_quoted(name)} = {STAGE}.{_quoted(name)}" for name in key)
    # Redshift insists on both branches, also where there is nothing but the key.
    rest = [name for name in schema if name not in key] or list(schema)
    changes = ", ".join(f"{_quoted(name)} = {STAGE}.{_quoted(name)}" for name in rest)
    values = ", ".join(f"{STAGE}.{_quoted(name)}" for name in schema)
    source, role = _literal(manifest_path), _literal(target.copy_role_arn)
    done = f"EXISTS (SELECT 1 FROM {AUDIT} WHERE {audit.condition})"
    return [
        f"LOCK {AUDIT_SCHEMA}.{target.lock}",
        f"CREATE TEMP TABLE {STAGE} ({_columns(schema)})",
        f"COPY {STAGE} FROM {source} IAM_ROLE {role} FORMAT AS PARQUET MANIFEST",
        f"DELETE FROM {STAGE} WHERE {done}",
        (
            f"MERGE INTO {_table(target)} USING {STAGE} ON {same} "
            f"WHEN MATCHED THEN UPDATE SET {changes} "
            f"WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({values})"
        ),
        f"INSERT INTO {AUDIT} ({', '.join(AUDIT_COLUMNS)}) {_audit_row(audit)} WHERE NOT {done}",
        f"DROP TABLE {STAGE}",
    ]


def _audit_row(audit: AuditEntry) -> str:
    values = {
        "job_id": _literal(audit.job_id),
        "job_name": _literal(audit.job_name),
        "target": _literal(audit.target),
        "source": _literal(audit.source),
        "attempt": str(audit.attempt),
        "logical_date": _literal(audit.logical_date),
        "rows_loaded": str(audit.rows),
        "loaded_at": "GETDATE()",
    }
    casts = ", ".join(f"CAST({values[name]} AS {kind})" for name, kind in AUDIT_COLUMNS.items())
    return f"SELECT {casts}"


def _table(target: RedshiftTarget) -> str:
    return ".".join(map(_quoted, target.schema_and_name))


def _columns(schema: Mapping[str, ColumnType]) -> str:
    return ", ".join(f"{_quoted(name)} {created_type(kind)}" for name, kind in schema.items())


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
