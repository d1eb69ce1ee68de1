"""CSV files behind HTTP: fetched whole, or not at all where they have not changed."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from penstock_job.contract import JobContract
from penstock_job.csv_table import CsvStyle
from penstock_job.errors import ArgumentsError
from penstock_job.file_reading import FileReading, Unchanged, way_of_reading
from penstock_job.file_rejects import rejects_of
from penstock_job.http_source import Download, Validators, download_if_changed
from penstock_job.object_store import ObjectStore
from penstock_job.raw_rows import text_columns
from penstock_job.table_source import TableReading
from penstock_job.text_files import csv_rows
from penstock_job.work_order import SourceOrder, TableOrder

logger = logging.getLogger(__name__)


class HttpCsvSource:
    """Files at the addresses that a source's `url` gives, with `{table}` in it or without."""

    reads_once = True

    def __init__(
        self, order: SourceOrder, contract: JobContract, store: ObjectStore, folder: Path
    ) -> None:
        self._url = str(order.connection.get("url", ""))
        if not self._url:
            raise ArgumentsError(f"source {order.name} has no url")
        self._contract = contract
        self._store = store
        self._folder = folder

    @contextmanager
    def read(self, order: TableOrder) -> Iterator[TableReading]:
        """Fetch a table's file, unless it is the one that the watermark is of."""
        url = self._url.replace("{table}", quote(order.table))
        style = CsvStyle.of(order.csv)
        known = _Known.of(order, url)
        place = Path(tempfile.mkdtemp(prefix="http-", dir=self._folder))
        try:
            raw = place / "source.csv"
            fetched = download_if_changed(url, raw, known.validators)
            if fetched is None or fetched.sha256 == known.sha256:
                yield Unchanged(order.watermark)
                return
            logger.info("%s: %d bytes, SHA-256 %s", fetched.url, fetched.bytes, fetched.sha256)
            yield self._reading(order, raw, style, fetched, known.now(fetched))
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def close(self) -> None:
        """Nothing is held between tables."""

    def _reading(
        self, order: TableOrder, raw: Path, style: CsvStyle, fetched: Download, watermark: Any
    ) -> FileReading:
        rejects = rejects_of(self._store, self._contract, order)
        rows, parted = csv_rows(raw, fetched.url, style, order.columns, rejects)
        return FileReading(
            [rows],
            text_columns(list(rows.schema), order.types),
            rejects,
            watermark=watermark,
            details={"file": fetched.as_json(), "blank_lines": parted.blank},
        )


class _Known:
    """What the watermark says of the file that was extracted the last time.

    It counts only if the file was read in the same way then: with another delimiter, or other
    types, the same bytes are other rows.
    """

    def __init__(self, watermark: Any, way: str) -> None:
        stated = watermark if isinstance(watermark, dict) and watermark.get("way") == way else {}
        self._way = way
        self.sha256 = stated.get("sha256")
        self.validators = Validators(stated.get("etag"), stated.get("last_modified"))

    @classmethod
    def of(cls, order: TableOrder, url: str) -> _Known:
        """What is known of the file at this address for this order."""
        return cls(order.watermark, way_of_reading(order, url))

    def now(self, fetched: Download) -> dict[str, Any]:
        """The watermark after this file."""
        return {
            "sha256": fetched.sha256,
            "etag": fetched.etag,
            "last_modified": fetched.last_modified,
            "way": self._way,
        }
