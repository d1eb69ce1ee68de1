"""Tables of the Glue Data Catalog: what Athena, Redshift Spectrum and Spark find by a name.

The catalog is told what a manifest names, and nothing else, after that manifest is published. So
whoever reads through the catalog sees the files of an attempt that has counted, never those of a
dead one. An extract that ends late cannot put an older state back: the entry is changed under the
version that was read before the manifest was, and begun anew if somebody else was quicker.
"""

from __future__ import annotations

import hashlib
import logging
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from penstock_job.errors import CatalogError

logger = logging.getLogger(__name__)

ATTEMPTS = 8
FIRST_PAUSE_SECONDS = 0.1
MOST_PARTITIONS = 100  # of one request (Glue Web API Reference, BatchCreatePartition)
LONGEST_NAME = 128  # of a table that Athena, Spectrum and Spark can all name
ORIGIN = "penstock_origin"
PARQUET = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {
        "SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
        "Parameters": {"serialization.format": "1"},
    },
}


@dataclass(frozen=True)
class CatalogColumn:
    """A column and its type in Hive's words."""

    name: str
    type: str


@dataclass(frozen=True)
class CatalogPartition:
    """One partition: the values of the partition keys, and the folder of its files."""

    values: tuple[str, ...]
    location: str


@dataclass(frozen=True)
class CatalogTable:
    """What the catalog is to hold of a table; `origin` says whose it is: shop/public.orders."""

    origin: str
    columns: Sequence[CatalogColumn]
    location: str
    partition_keys: Sequence[CatalogColumn] = ()
    partitions: Sequence[CatalogPartition] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)

    def table_input(self, name: str) -> dict[str, Any]:
        """The table as the API takes it."""
        return {
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "PartitionKeys": _columns(self.partition_keys),
            "StorageDescriptor": self._storage(self.location),
            "Parameters": {
                "EXTERNAL": "TRUE",
                "classification": "parquet",
                ORIGIN: self.origin,
                **self.parameters,
            },
        }

    def partition_input(self, partition: CatalogPartition) -> dict[str, Any]:
        """A partition as the API takes it."""
        storage = self._storage(partition.location)
        return {"Values": list(partition.values), "StorageDescriptor": storage}

    def _storage(self, location: str) -> dict[str, Any]:
        folder = location.rstrip("/") + "/"
        return {"Columns": _columns(self.columns), "Location": folder, **PARQUET}


Describe = Callable[[Sequence[str]], CatalogTable]


def table_name(source: str, table: str) -> str:
    """The catalog's name for a table of a source: `shop_public_orders`.

    Only what Athena takes without quotes: small letters, digits and underscores.
    """
    name = re.sub(r"[^a-z0-9_]", "_", f"{source}_{table}".lower())
    if len(name) <= LONGEST_NAME:
        return name
    mark = hashlib.sha256(f"{source}/{table}".encode()).hexdigest()[:8]
    return f"{name[: LONGEST_NAME - 9]}_{mark}"


class Catalog:
    """One database of the Data Catalog, which exists."""

    def __init__(
        self,
        database: str,
        client: Any = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.database = database
        self._client: Any = client or boto3.client(
            "glue", config=Config(connect_timeout=10, read_timeout=60, retries={"mode": "standard"})
        )
        self._sleep = sleep

    def register(self, name: str, describe: Describe) -> None:
        """Make the catalog hold the table as `describe` reads it from the manifest that counts.

        It is told the partition keys of the entry as it is, and is called again whenever somebody
        else has changed the entry meanwhile. To register again what is registered changes nothing.
        Raises CatalogError.
        """
        for attempt in range(ATTEMPTS):
            if attempt:
                pause = FIRST_PAUSE_SECONDS * 2**attempt
                self._sleep(random.uniform(pause / 2, pause))  # noqa: S311 - jitter, no secret
            if self._register(name, describe):
                return
        raise CatalogError(
            f"{self.database}.{name} was changed by others {ATTEMPTS} times while it was registered"
        )

    def _register(self, name: str, describe: Describe) -> bool:
        """Tell whether the entry is as described now, and nobody else has changed it meanwhile."""
        current = self._table(name)
        keys = _keys(current)
        table = describe(keys)
        if not self._put(name, table, current):
            return False
        if not table.partition_keys:
            return True
        version = self._version(name)
        self._set_partitions(name, table)
        return self._version(name) == version and describe(keys) == table

    def _put(self, name: str, table: CatalogTable, current: Mapping[str, Any] | None) -> bool:
        """Make the entry the table's; tell whether nobody else was quicker."""
        if current is None:
            return self._create(name, table)
        origin = current.get("Parameters", {}).get(ORIGIN)
        if origin != table.origin:
            owner = f"belongs to {origin}" if origin else "was not made by Penstock"
            raise CatalogError(
                f"{self.database}.{name} {owner}, so {table.origin} cannot be registered there"
            )
        if _keys(current) != tuple(key.name.lower() for key in table.partition_keys):
            # Glue lets nobody change the keys of a table.
            logger.warning("%s.%s is made anew, with other partition keys", self.database, name)
            self._delete(name)
            return self._create(name, table)
        if not _differs(current, table.table_input(name)):
            return True
        return self._update(name, table, current["VersionId"])

    def _table(self, name: str) -> dict[str, Any] | None:
        with self._explained(name):
            try:
                answer = self._client.get_table(DatabaseName=self.database, Name=name)
            except self._client.exceptions.EntityNotFoundException:
                return None
            found: dict[str, Any] = answer["Table"]
            return found

    def _version(self, name: str) -> str | None:
        table = self._table(name)
        return None if table is None else table.get("VersionId")

    def _create(self, name: str, table: CatalogTable) -> bool:
        with self._explained(name):
            try:
                self._client.create_table(
                    DatabaseName=self.database, TableInput=table.table_input(name)
                )
            except self._client.exceptions.AlreadyExistsException:
                return False
        return True

    def _update(self, name: str, table: CatalogTable, version: str) -> bool:
        with self._explained(name):
            try:
                self._client.update_table(
                    DatabaseName=self.database,
                    TableInput=table.table_input(name),
                    VersionId=version,
                    SkipArchive=True,  # the manifests are the history, and versions are limited
                )
            except self._client.exceptions.ConcurrentModificationException:
                return False
        return True

    def _delete(self, name: str) -> None:
        with self._explained(name):
            try:
                self._client.delete_table(DatabaseName=self.database, Name=name)
            except self._client.exceptions.EntityNotFoundException:
                logger.info("%s.%s is gone already", self.database, name)

    def _set_partitions(self, name: str, table: CatalogTable) -> None:
        """Bring new partitions in, lead old ones to their new folders, take those gone away.

        In this order: what is to be read is there before what is not to be read any more goes.
        """
        where = {"DatabaseName": self.database, "TableName": name}
        with self._explained(name):
            current = self._partitions(where)
            wanted = {partition.values: partition for partition in table.partitions}
            inputs = {values: table.partition_input(each) for values, each in wanted.items()}
            new = [each for values, each in inputs.items() if values not in current]
            for some in _in_parts(new):
                answer = self._client.batch_create_partition(**where, PartitionInputList=some)
                _require_none(name, answer["Errors"], besides="AlreadyExistsException")
            moved = [
                {"PartitionValueList": each["Values"], "PartitionInput": each}
                for values, each in inputs.items()
                if values in current and _differs(current[values], each)
            ]
            for some in _in_parts(moved):
                answer = self._client.batch_update_partition(**where, Entries=some)
                _require_none(name, answer["Errors"], besides="EntityNotFoundException")
            for values in current.keys() - wanted.keys():
                self._delete_partition(where, values)

    def _partitions(self, where: Mapping[str, str]) -> dict[tuple[str, ...], dict[str, Any]]:
        pages = self._client.get_paginator("get_partitions").paginate(**where)
        return {tuple(each["Values"]): each for page in pages for each in page["Partitions"]}

    def _delete_partition(self, where: Mapping[str, str], values: tuple[str, ...]) -> None:
        try:
            self._client.delete_partition(**where, PartitionValues=list(values))
        except self._client.exceptions.EntityNotFoundException:
            logger.info("another extract has removed partition %s already", "/".join(values))

    @contextmanager
    def _explained(self, name: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            stated = error.response["Error"]
            raise CatalogError(
                f"{self.database}.{name} is not registered: the Data Catalog answered "
                f"{error.operation_name} with {stated['Code']}: {stated['Message']}"
            ) from error


def _columns(columns: Iterable[CatalogColumn]) -> list[dict[str, str]]:
    return [{"Name": column.name.lower(), "Type": column.type} for column in columns]


def _differs(current: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether something of what is wanted is not so; Glue adds members of its own."""
    return any(
        _differs(current.get(name) or {}, value)
        if isinstance(value, Mapping)
        else current.get(name) != value
        for name, value in wanted.items()
    )


def _in_parts(entries: Sequence[Any]) -> Iterable[Sequence[Any]]:
    for start in range(0, len(entries), MOST_PARTITIONS):
        yield entries[start : start + MOST_PARTITIONS]


def _require_none(name: str, errors: Sequence[Mapping[str, Any]], besides: str) -> None:
    """Raises CatalogError for errors other than one which only says that another was quicker."""
    for error in errors:
        detail = error["ErrorDetail"]
        if detail["ErrorCode"] != besides:
            raise CatalogError(f"partition of {name}: {detail['ErrorMessage']}")


def _keys(current: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The partition keys of an entry; none where there is no entry."""
    return tuple(key["Name"] for key in (current or {}).get("PartitionKeys", []))
