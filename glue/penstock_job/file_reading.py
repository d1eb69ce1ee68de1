"""A table read from files: the reading that all sources of files give the extract."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from penstock_job.dialect import DUCKDB
from penstock_job.errors import EngineError
from penstock_job.file_rejects import FileRejects
from penstock_job.raw_rows import RawRows, typed_rows
from penstock_job.table_source import Chunk, SourceColumn
from penstock_job.work_order import TableOrder

ENOUGH_ROWS = 100_000
MOST_FILES = 200  # of one chunk


@dataclass(frozen=True)
class Unchanged:
    """A table whose source holds what it held at the watermark."""

    watermark: Any
    details: dict[str, Any] = field(default_factory=dict)
    columns: Sequence[SourceColumn] = ()
    unchanged: bool = True
    is_whole: bool = True
    keys_are_unique: bool = True
    may_lack_columns: bool = False
    rows_rejected: int = 0

    def chunks(self, folder: Path) -> Generator[Chunk, None, None]:  # noqa: ARG002
        """Nothing to read."""
        yield from ()


class FileReading:
    """Rows out of files that are on this machine already."""

    unchanged = False

    def __init__(
        self,
        files: Sequence[RawRows],
        columns: Sequence[SourceColumn],
        rejects: FileRejects,
        *,
        watermark: Any,
        is_whole: bool = True,
        keys_are_unique: bool = True,
        may_lack_columns: bool = False,
        details: Mapping[str, Any],
    ) -> None:
        self._files = files
        self.columns = columns
        self.watermark = watermark
        self.is_whole = is_whole
        self.keys_are_unique = keys_are_unique
        self.may_lack_columns = may_lack_columns
        self._rejects = rejects
        self._details = details

    @property
    def rows_rejected(self) -> int:
        """How many records could not be used; known when all chunks are read."""
        return self._rejects.rows

    @property
    def details(self) -> dict[str, Any]:
        """What is known of the files, and where the rejects are."""
        rejects = {"rejects": self._rejects.path} if self._rejects.rows else {}
        return {**self._details, **rejects}

    def chunks(self, folder: Path) -> Generator[Chunk, None, None]:
        """Chunks of one large file or several small ones, so that small files make no small files.

        Raises RuleViolatedError at the end for too many rejects, SourceError if they are all.
        """
        good = 0
        with duckdb.connect() as connection:
            for files in _together(self._files):
                kept, selects = 0, []
                for raw in files:
                    rows = typed_rows(raw, self.columns)
                    selects.append(rows.select)
                    kept += raw.rows - self._set_aside(connection, rows.rejects, folder)
                good += kept
                yield Chunk(files[0].file, " UNION ALL ".join(selects), kept)
        self._rejects.require_few(good, of_a_whole=self.is_whole)

    def _set_aside(self, connection: duckdb.DuckDBPyConnection, select: str, folder: Path) -> int:
        """Keep the rows that do not fit their types; return how many there are."""
        if not select:
            return 0
        file = folder / "rejects.jsonl"
        _copy(connection, select, file)
        return self._rejects.keep(file)


def _together(files: Sequence[RawRows]) -> Iterator[list[RawRows]]:
    """The files in groups of so many rows at least, in their order."""
    group: list[RawRows] = []
    for file in files:
        group.append(file)
        if len(group) == MOST_FILES or sum(each.rows for each in group) >= ENOUGH_ROWS:
            yield group
            group = []
    if group:
        yield group


def way_of_reading(order: TableOrder, address: str) -> str:
    """A mark of all that decides which rows a file is."""
    types = {name: str(kind) for name, kind in order.types.items()}
    way = [address, dict(order.csv), list(order.columns), types]
    return hashlib.sha256(json.dumps(way, sort_keys=True).encode()).hexdigest()[:16]


def _copy(connection: duckdb.DuckDBPyConnection, select: str, file: Path) -> None:
    try:
        connection.execute(f"COPY ({select}) TO {DUCKDB.literal(str(file))} (FORMAT json)")
    except duckdb.Error as error:
        raise EngineError(f"DuckDB: {str(error).splitlines()[0]}") from error
