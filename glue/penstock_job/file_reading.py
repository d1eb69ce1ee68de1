"""A table read from files: the reading that all sources of files give the extract."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Mapping, Sequence
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
        """A chunk for each file. Raises RuleViolatedError at the end for too many rejects."""
        good = 0
        with duckdb.connect() as connection:
            for number, raw in enumerate(self._files):
                rows = typed_rows(raw, self.columns)
                rejected = 0
                if rows.rejects:
                    file = folder / f"rejects-{number:05d}.jsonl"
                    _copy(connection, rows.rejects, file)
                    rejected = self._rejects.keep(file)
                good += raw.rows - rejected
                yield Chunk(raw.file, rows.select, raw.rows - rejected)
        self._rejects.require_few(good)


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
