"""What the extract job needs of a source: open a table, say its columns, hand over its rows.

A database, files on S3 and files behind HTTP all keep to this; what is done with the rows (Parquet,
schema drift, publishing, reporting) is the same for all of them (`table_extract.py`).
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from penstock_job.column_type import ColumnType
from penstock_job.work_order import TableOrder


@dataclass(frozen=True)
class SourceColumn:
    """A column: its name, the type it is published as, and the type in the source's own words.

    A timestamp that `is_instant` is a moment (timestamptz), any other what a clock showed: the
    Parquet file says which.
    """

    name: str
    type: ColumnType
    source_type: str
    is_instant: bool = False


@dataclass(frozen=True)
class Fault:
    """A value that may not fit its column: where `condition` holds, `shown` is what is wrong."""

    column: SourceColumn
    condition: str
    shown: str


@dataclass(frozen=True)
class Chunk:
    """Rows of a table in a file of this machine, which is deleted when they are written.

    `select` is DuckDB's SQL that reads the file and gives the columns in their published types.
    `rows` is the number of rows as the source counted them; None where nobody has counted.
    `origin` is a select of the file's raw texts, to which the conditions of `faults` apply: where
    `select` fails, they find the value.
    """

    file: Path
    select: str
    rows: int | None
    origin: str = ""
    faults: Sequence[Fault] = ()


class TableReading(Protocol):
    """One table, held as it is at one moment. Errors come as JobError, SourceError above all."""

    @property
    def columns(self) -> Sequence[SourceColumn]:
        """The columns, in their order."""

    @property
    def watermark(self) -> Any:
        """How far this reading goes, as JSON; what the order began with where nothing is new.

        It is taken before the rows are read.
        """

    @property
    def unchanged(self) -> bool:
        """Whether there is nothing to do: the source holds what it held at the watermark."""

    @property
    def is_whole(self) -> bool:
        """Whether the rows are the whole table, or only those that changed since the watermark."""

    @property
    def may_lack_columns(self) -> bool:
        """Whether a column that is not there need not be gone: files state only what they hold."""

    @property
    def rows_rejected(self) -> int:
        """How many records were kept as rejects; known when all chunks are read."""

    @property
    def keys_are_unique(self) -> bool:
        """Whether the source itself keeps the primary key unique, so that nobody need look."""

    @property
    def details(self) -> dict[str, Any]:
        """What else is worth knowing of the source, for the manifest: an ETag, a count."""

    def chunks(self, folder: Path) -> Generator[Chunk, None, None]:
        """The rows, in files that are made in `folder`. To be called once, and closed."""


class TableSource(Protocol):
    """A source of tables."""

    @property
    def reads_once(self) -> bool:
        """Whether to go on from what is published, not from what is committed.

        Rows of files have no key by which rows that were read twice could be told to be one.
        """

    def read(self, order: TableOrder) -> AbstractContextManager[TableReading]:
        """Open a table; a database holds one snapshot of it until the context ends."""

    def close(self) -> None:
        """Let go of connections."""
