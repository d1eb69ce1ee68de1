"""Loads a Redshift table through the Data API: COPY to a staging table, then replace by key.

All statements are one BatchExecuteStatement, hence one transaction: either the table holds the
new rows or it is as it was. Rows are replaced by their key, so a second load changes nothing.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from penstock_job.column_type import (
    BINARY,
    BOOLEAN,
    DATE,
    DECIMAL,
    DOUBLE,
    INTEGER,
    TEXT,
    ColumnType,
)
from penstock_job.engine import Written
from penstock_job.errors import ArgumentsError, LoadError

FIRST_POLL_SECONDS = 0.25
LONGEST_POLL_SECONDS = 5.0
TIMEOUT_SECONDS = 1800.0
STAGE = "penstock_stage"
_TABLE = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_$]*\.)?[A-Za-z_][A-Za-z0-9_$]*")
_TYPE_NAMES = {
    INTEGER: "BIGINT",
    DOUBLE: "DOUBLE PRECISION",
    BOOLEAN: "BOOLEAN",
    BINARY: "VARBYTE(65535)",
    DATE: "DATE",
    TEXT: "VARCHAR(65535)",
}


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
    def address(self) -> str:
        """For the result file."""
        return f"redshift://{self.workgroup or self.cluster}/{self.database}/{self.table}"

    def connection(self) -> dict[str, str]:
        """The Data API's arguments that say where to run."""
        where = (
            {"WorkgroupName": self.workgroup}
            if self.workgroup
            else {"ClusterIdentifier": self.cluster}
        )
        secret = {"SecretArn": self.secret_arn} if self.secret_arn else {}
        return {**where, "Database": self.database, **secret}


def copy_manifest(staged: Written) -> bytes:
    """The manifest for COPY: exactly these files, each of which must be there.

    COPY wants the size of every columnar file.
    """
    entries = [
        {"url": file.path, "mandatory": True, "meta": {"content_length": file.size}}
        for file in staged.files
    ]
    return json.dumps({"entries": entries}).encode()


def load_statements(
    target: RedshiftTarget,
    schema: Mapping[str, ColumnType],
    key: Sequence[str],
    manifest_path: str,
) -> list[str]:
    """The statements of one load; the table is created where it does not exist."""
    columns = ", ".join(f"{_quoted(name)} {_type_name(kind)}" for name, kind in schema.items())
    names = ", ".join(map(_quoted, schema))
    parts = target.table.split(".")
    table, own = ".".join(map(_quoted, parts)), _quoted(parts[-1])
    same = " AND ".join(f"{own}.{_quoted(name)} = {STAGE}.{_quoted(name)}" for name in key)
    source, role = _literal(manifest_path), _literal(target.copy_role_arn)
    return [
        f"CREATE TABLE IF NOT EXISTS {table} ({columns})",
        f"CREATE TEMP TABLE {STAGE} ({columns})",
        f"COPY {STAGE} FROM {source} IAM_ROLE {role} FORMAT AS PARQUET MANIFEST",
        f"DELETE FROM {table} USING {STAGE} WHERE {same}",
        f"INSERT INTO {table} ({names}) SELECT {names} FROM {STAGE}",
        f"DROP TABLE {STAGE}",
    ]


class RedshiftData:
    """Runs statements through the Redshift Data API and waits for their end."""

    def __init__(
        self,
        client: Any = None,
        sleep: Callable[[float], None] = time.sleep,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        self._client = client or boto3.client("redshift-data")
        self._sleep = sleep
        self._timeout = timeout

    def run(self, target: RedshiftTarget, statements: Sequence[str], name: str) -> None:
        """Run the statements as one transaction. Raises LoadError with the statement's error.

        botocore adds a client token, so a request that it sends twice is carried out once.
        """
        try:
            answer = self._client.batch_execute_statement(
                **target.connection(),
                Sqls=list(statements),
                StatementName=name[:500],
            )
            self._wait(answer["Id"], target)
        except (ClientError, BotoCoreError) as error:
            raise LoadError(f"{target.address}: {error}") from error

    def _wait(self, statement_id: str, target: RedshiftTarget) -> None:
        pause, waited = FIRST_POLL_SECONDS, 0.0
        while waited <= self._timeout:
            statement = self._client.describe_statement(Id=statement_id)
            status = statement["Status"]
            if status == "FINISHED":
                return
            if status in ("FAILED", "ABORTED"):
                reason = statement.get("Error") or f"the statement was {status.lower()}"
                raise LoadError(f"{target.address}: {reason}")
            self._sleep(pause)
            waited += pause
            pause = min(LONGEST_POLL_SECONDS, pause * 1.5)
        self._client.cancel_statement(Id=statement_id)
        raise LoadError(f"{target.address}: no end after {waited:.0f} s; it was cancelled")


def _type_name(kind: ColumnType) -> str:
    if kind.kind == DECIMAL:
        return f"DECIMAL({kind.precision},{kind.scale})"
    return _TYPE_NAMES.get(kind.kind, "TIMESTAMP")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
