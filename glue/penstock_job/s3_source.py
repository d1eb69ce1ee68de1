"""Files on S3 as tables: CSV, JSON Lines, Parquet; all of them, or only those that are new."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from penstock_job.contract import JobContract
from penstock_job.csv_table import CsvStyle
from penstock_job.errors import ArgumentsError, SourceError
from penstock_job.file_reading import FileReading, Unchanged, way_of_reading
from penstock_job.file_rejects import FileRejects, rejects_of
from penstock_job.object_listing import (
    ListedObject,
    digest_of,
    fetch_object,
    list_objects,
    load_listing,
    store_listing,
)
from penstock_job.object_store import ObjectStore
from penstock_job.parquet_files import parquet_columns, parquet_file
from penstock_job.raw_rows import RawRows, text_columns
from penstock_job.table_source import SourceColumn, TableReading
from penstock_job.text_files import csv_rows, json_rows
from penstock_job.work_order import SourceOrder, TableOrder

logger = logging.getLogger(__name__)

CSV, JSON_LINES, PARQUET = "csv", "jsonl", "parquet"
FORMATS = (CSV, JSON_LINES, PARQUET)


class S3Source:
    """Objects below a source's `path`: `{table}` in it, or behind it, is the table's name."""

    reads_once = True

    def __init__(
        self, order: SourceOrder, contract: JobContract, store: ObjectStore, folder: Path
    ) -> None:
        self._path = str(order.connection.get("path", ""))
        self._format = order.connection.get("format")
        if not self._path or self._format not in FORMATS:
            raise ArgumentsError(f"source {order.name} needs a path and a format")
        self._contract = contract
        self._store = store
        self._folder = folder

    @contextmanager
    def read(self, order: TableOrder) -> Iterator[TableReading]:
        """List a table's objects, and fetch those that are wanted. Raises SourceError."""
        address = self._address(order.table)
        progress = _Progress.of(order, way_of_reading(order, f"{self._format} {address}"))
        listed = list_objects(self._store, address)
        new = self._new(address, listed, progress)
        if not new:
            yield Unchanged(order.watermark)
            return
        place = Path(tempfile.mkdtemp(prefix="s3-", dir=self._folder))
        try:
            listing = self._keep_listing(order, listed)
            watermark = progress.after(listing, listed)
            yield self._reading(order, place, new, not progress.goes_on, watermark)
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def close(self) -> None:
        """Nothing is held between tables."""

    def _address(self, table: str) -> str:
        if "{table}" in self._path:
            return self._path.replace("{table}", table)
        return f"{self._path.rstrip('/')}/{table}"

    def _new(
        self, address: str, listed: Sequence[ListedObject], progress: _Progress
    ) -> Sequence[ListedObject]:
        """The objects to read: those that are new since the watermark, or all if there are any."""
        if digest_of(listed) == progress.digest:
            return []
        if not progress.goes_on:
            if not listed:
                raise SourceError(f"there is nothing at {address}")
            return listed
        seen = load_listing(self._store, progress.listing)
        new = [each for each in listed if each.identity not in seen]
        logger.info("%s: %d of %d objects are new", address, len(new), len(listed))
        return new

    def _keep_listing(self, order: TableOrder, listed: Sequence[ListedObject]) -> str:
        """Write down what was listed, for the next increment; the watermark leads there.

        It lies with this attempt's files: of an attempt that dies, nobody ever reads it.
        """
        if not order.is_incremental:
            return ""
        contract = self._contract
        path = (
            f"{contract.data_path}/{order.target}/_objects/job_id={contract.job_id}/"
            f"attempt={contract.attempt}/listing.jsonl.gz"
        )
        store_listing(self._store, path, listed)
        return path

    def _reading(
        self,
        order: TableOrder,
        place: Path,
        objects: Sequence[ListedObject],
        is_whole: bool,
        watermark: Any,
    ) -> FileReading:
        rejects = rejects_of(self._store, self._contract, order)
        files, columns = self._rows(order, place, objects, rejects)
        return FileReading(
            files,
            columns,
            rejects,
            watermark=watermark,
            is_whole=is_whole,
            keys_are_unique=not (order.primary_key and order.cursor),
            may_lack_columns=self._format == JSON_LINES and not order.columns,
            details={"objects": len(objects), "object_bytes": sum(each.size for each in objects)},
        )

    def _rows(
        self,
        order: TableOrder,
        place: Path,
        objects: Sequence[ListedObject],
        rejects: FileRejects,
    ) -> tuple[list[RawRows], list[SourceColumn]]:
        if self._format == PARQUET:
            return self._parquet_rows(order, place, objects)
        files = []
        for number, listed in enumerate(objects):
            raw = place / f"object-{number:06d}.raw"
            fetch_object(self._store, listed, raw)
            if self._format == CSV:
                style = CsvStyle.of(order.csv)
                rows, _ = csv_rows(raw, listed.path, style, order.columns, rejects)
            else:
                rows, _ = json_rows(raw, listed.path, order.columns, rejects)
            files.append(rows)
        names = list(dict.fromkeys(name for rows in files for name in rows.schema))
        return files, text_columns(names or order.columns, order.types)

    def _parquet_rows(
        self, order: TableOrder, place: Path, objects: Sequence[ListedObject]
    ) -> tuple[list[RawRows], list[SourceColumn]]:
        files = []
        with duckdb.connect() as connection:
            for number, listed in enumerate(objects):
                file = place / f"object-{number:06d}.parquet"
                fetch_object(self._store, listed, file)
                files.append(parquet_file(connection, file, listed.path))
        columns = parquet_columns(files, order.columns, order.types)
        names = [column.name for column in columns]
        return [each.raw_rows(names) for each in files], columns


@dataclass(frozen=True)
class _Progress:
    """What the watermark says of the objects that have been extracted.

    It counts only if they were read in the same way; otherwise everything is read anew.
    """

    way: str
    is_incremental: bool
    digest: str = ""
    listing: str = ""

    @classmethod
    def of(cls, order: TableOrder, way: str) -> _Progress:
        """How far a table has come."""
        stated = order.watermark
        if not isinstance(stated, dict) or stated.get("way") != way:
            return cls(way, order.is_incremental)
        listing = stated.get("listing") or ""
        # An increment cannot go on from a full extract, which leaves no listing; and a full extract
        # after increments is asked for to have everything read anew.
        same_mode = order.is_incremental == bool(listing)
        return cls(
            way, order.is_incremental, stated.get("sha256", "") if same_mode else "", listing
        )

    @property
    def goes_on(self) -> bool:
        """Whether what was listed the last time need not be read again."""
        return self.is_incremental and bool(self.listing)

    def after(self, listing: str, listed: Sequence[ListedObject]) -> dict[str, Any]:
        """The watermark after these objects."""
        return {
            "sha256": digest_of(listed),
            "objects": len(listed),
            "listing": listing or None,
            "way": self.way,
        }
