"""Files on S3 and their table in the Glue Data Catalog as the target of a load.

The files of an attempt are written first, to a folder of their own; then the table, or the
partition of the logical date, is led to that folder in one step. Until then readers have the data
of the load before, and never those of an attempt that died.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import boto3
from botocore.exceptions import ClientError

from penstock_job.catalog import (
    Catalog,
    CatalogColumn,
    CatalogPartition,
    CatalogTable,
)
from penstock_job.column_type import (
    BINARY,
    BOOLEAN,
    DATE,
    DECIMAL,
    DOUBLE,
    INTEGER,
    TEXT,
    TIMESTAMP,
    ColumnType,
)
from penstock_job.contract import JobContract
from penstock_job.dataset import attempt_path
from penstock_job.errors import ArgumentsError, CatalogError, LoadError
from penstock_job.lease import Lease
from penstock_job.load_records import LoadRecords

HIVE_TYPES = {
    TEXT: "string",
    INTEGER: "bigint",
    DOUBLE: "double",
    BOOLEAN: "boolean",
    DATE: "date",
    TIMESTAMP: "timestamp",
    BINARY: "binary",
}
# Small letters, digits and underscores: what Athena takes without quotes.
_NAME = re.compile(r"[a-z0-9_]{1,128}")


class CatalogLoad:
    """Publishes the records as a table of the Data Catalog, whole or one partition for each date.

    `partition` is the name of the partition key that holds the logical date; without one the
    table is what the last load has brought.
    """

    def __init__(
        self,
        contract: JobContract,
        table: str,
        partition: str,
        client: Any = None,
    ) -> None:
        self._database, _, self._table = table.rpartition(".")
        if not (_NAME.fullmatch(self._database) and _NAME.fullmatch(self._table)):
            raise ArgumentsError(
                f"catalog_table is {table!r}, not database.table in small letters, digits and _"
            )
        if partition and not _NAME.fullmatch(partition):
            raise ArgumentsError(f"catalog_partition is {partition!r}, no name of a column")
        self.name = table
        self.address = f"catalog://{self._database}/{self._table}"
        self._contract = contract
        self._partition = partition
        self._client: Any = client or boto3.client("glue")
        self._catalog = Catalog(self._database, self._client)

    def judge(self, records: LoadRecords) -> None:
        """No record is refused. Raises LoadError where the catalog has no such columns."""
        catalog_columns(records.schema)
        if self._partition.lower() in (name.lower() for name in records.schema):
            raise LoadError(f"{self.name}: the data has a column {self._partition} of its own")

    def load(self, records: LoadRecords, lease: Lease) -> int:
        """Write the files and lead the table to them."""
        staged = records.staged()
        lease.require()
        self._catalog.register(self._table, lambda _: self._described(records, staged.rows))
        return staged.bytes

    def _described(self, records: LoadRecords, rows: int) -> CatalogTable:
        """The table as it is to be: led to this attempt, or one of its partitions."""
        contract = self._contract
        origin = f"{contract.category}/{contract.job_name}"
        columns, folder = catalog_columns(records.schema), attempt_path(contract)
        if not self._partition:
            parameters = {
                "penstock_job_id": contract.job_id,
                "penstock_attempt": str(contract.attempt),
                "penstock_logical_date": contract.logical_date,
                "penstock_rows": str(rows),
            }
            return CatalogTable(origin, columns, folder, parameters=parameters)
        own = CatalogPartition((contract.logical_date,), folder)
        others = [one for one in self._partitions() if one.values != own.values]
        key = CatalogColumn(self._partition, "string")
        location = folder.partition("/job_id=")[0]
        return CatalogTable(origin, columns, location, [key], [*others, own])

    def _partitions(self) -> list[CatalogPartition]:
        """The partitions that the table has: other loads of it wait for the lease."""
        pages = self._client.get_paginator("get_partitions")
        try:
            return [
                CatalogPartition(tuple(one["Values"]), one["StorageDescriptor"]["Location"])
                for page in pages.paginate(DatabaseName=self._database, TableName=self._table)
                for one in page["Partitions"]
            ]
        except ClientError as error:
            if error.response["Error"]["Code"] == "EntityNotFoundException":
                return []
            raise CatalogError(f"partitions of {self.name}: {error}") from error


def catalog_columns(schema: Mapping[str, ColumnType]) -> Sequence[CatalogColumn]:
    """The columns in Hive's words. Raises LoadError for those that it has none for."""
    names = [name.lower() for name in schema]
    if len(set(names)) < len(names):
        raise LoadError("names differ in case only, which the Data Catalog does not tell apart")
    return [CatalogColumn(name, _hive_type(kind)) for name, kind in schema.items()]


def _hive_type(kind: ColumnType) -> str:
    if kind.kind == DECIMAL:
        return f"decimal({kind.precision},{kind.scale})"
    if kind.kind not in HIVE_TYPES:
        raise LoadError(f"a column of type {kind} cannot be registered in the Data Catalog")
    return HIVE_TYPES[kind.kind]
