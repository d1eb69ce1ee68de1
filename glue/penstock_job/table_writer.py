"""What the extract needs of a writer: the rows of a reading as Parquet files, not yet published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from penstock_job.object_store import StoredObject
from penstock_job.work_order import TableOrder


@dataclass(frozen=True)
class WrittenTable:
    """The files, their rows, and how many rows were left out as older ones of the same key."""

    files: Sequence[StoredObject]
    rows: int
    duplicates: int = 0


class TableWriter(Protocol):
    """Writes tables. A writer takes the readings of its own kind of source."""

    def write(self, order: TableOrder, reading: Any, target: str) -> WrittenTable:
        """Write the rows to a folder of their own below `target`. Errors come as JobError."""
