"""What an extract job is to do: one source and some of its tables, as Extract Config Manager says.

The work order is a JSON file at `runs/<job id>/tables/<job>.json`; the job is given its address.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock_job.column_type import ColumnType, read_type
from penstock_job.errors import ArgumentsError, SpecificationError
from penstock_job.object_store import ObjectStore

FULL, INCREMENTAL = "full", "incremental"
ADD, FREEZE, ACCEPT = "add", "freeze", "accept"


@dataclass(frozen=True)
class SourceOrder:
    """Where the tables are: `connection` is what the config says of the source beside its name."""

    name: str
    type: str
    connection: Mapping[str, Any]


@dataclass(frozen=True)
class TableOrder:
    """One table to extract.

    `watermark` is the committed one, whatever JSON the last extract reported, or None. `target` is
    the folder of the table's dataset below the data path. `types` says which columns are published
    as another type than the source's own suggests.
    """

    table: str
    target: str
    mode: str = FULL
    watermark: Any = None
    cursor: str = ""
    primary_key: tuple[str, ...] = ()
    lookback: float = 0
    columns: tuple[str, ...] = ()
    types: Mapping[str, ColumnType] = field(default_factory=dict)
    partition_column: str = ""
    partitions: int = 1
    partition_by: tuple[str, ...] = ()
    drift: str = ADD
    csv: Mapping[str, Any] = field(default_factory=dict)
    max_reject_ratio: float | None = None

    @property
    def is_incremental(self) -> bool:
        """Whether only what has changed since the watermark is wanted."""
        return self.mode == INCREMENTAL


@dataclass(frozen=True)
class WorkOrder:
    """A source and its tables."""

    source: SourceOrder
    tables: tuple[TableOrder, ...]


def load_work_order(store: ObjectStore, path: str) -> WorkOrder:
    """The work order at an S3 address. Raises ArgumentsError where there is none."""
    body = store.read(path)
    if body is None:
        raise ArgumentsError(f"there is no work order at {path}")
    try:
        return read_work_order(json.loads(body))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ArgumentsError(f"{path} is no work order: {error!r}") from error


def read_work_order(document: Mapping[str, Any]) -> WorkOrder:
    """A work order out of its JSON."""
    connection = dict(document["source"])
    source = SourceOrder(connection.pop("name"), connection.pop("type"), connection)
    return WorkOrder(source, tuple(_table(entry) for entry in document["tables"]))


def _table(entry: Mapping[str, Any]) -> TableOrder:
    return TableOrder(
        table=entry["table"],
        target=entry["target"],
        mode=entry.get("mode", FULL),
        watermark=entry.get("watermark"),
        cursor=entry.get("cursor", ""),
        primary_key=tuple(entry.get("primary_key", ())),
        lookback=entry.get("lookback", 0),
        columns=tuple(entry.get("columns", ())),
        types={name: _type(name, text) for name, text in entry.get("types", {}).items()},
        partition_column=entry.get("partition_column", ""),
        partitions=entry.get("partitions", 1),
        partition_by=tuple(entry.get("partition_by", ())),
        drift=entry.get("drift", ADD),
        csv=entry.get("csv", {}),
        max_reject_ratio=entry.get("max_reject_ratio"),
    )


def _type(name: str, text: str) -> ColumnType:
    try:
        return read_type(text)
    except SpecificationError as error:
        raise ArgumentsError(f"types: {name}: {error}") from None
