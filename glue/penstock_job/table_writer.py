"""What the extract needs of a writer: the rows of a reading as Parquet files, not yet published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from penstock_job.object_store import StoredObject
from penstock_job.table_dataset import TableDataset
from penstock_job.work_order import TableOrder

LAID_OUT_BY = "penstock_by_"
"""May stand before a column's name in the folders of files that are laid out by its values."""


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

    def compact(self, order: TableOrder, dataset: TableDataset, job_id: str, target: str) -> int:
        """Put the increments of a table together if there are many; return how many became one.

        That of the run `job_id` stays by itself. New files go to folders of their own below
        `target`, laid out as the order says. Errors come as JobError.
        """
