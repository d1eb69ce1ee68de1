"""Result sets, kept on disk page by page as the Data API will hand them out."""

from __future__ import annotations

import base64
import csv
import datetime as dt
import io
import json
import math
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from penstock_local.redshift.column_types import result_type
from penstock_local.redshift.errors import SqlError

PAGE_ROWS = 1_000
PAGE_BYTES = 1_000_000
# Limits of the Data API.
ROW_BYTES = 64 * 1024
RESULT_BYTES = 500 * 1_000_000

_SIGNED = ("int2", "int4", "int8", "numeric", "float4", "float8")


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """A column of a result: its name and its type in DuckDB."""

    name: str
    type: str

    def metadata(self) -> dict[str, Any]:
        """The ColumnMetadata of the Data API."""
        type_name, precision, scale = result_type(self.type)
        return {
            "isCaseSensitive": type_name == "varchar",
            "isCurrency": False,
            "isSigned": type_name in _SIGNED,
            "label": self.name,
            "length": 0,
            "name": self.name,
            "nullable": 1,
            "precision": precision,
            "scale": scale,
            "schemaName": "",
            "tableName": "",
            "typeName": type_name,
        }


@dataclass(frozen=True, slots=True)
class ResultSet:
    """A finished result; `pages` are the places of its pages in the file."""

    columns: tuple[ResultColumn, ...]
    rows: int
    size: int
    format: str
    file: Path
    pages: tuple[tuple[int, int], ...]

    def page(self, number: int) -> str:
        """The Records of one page, as JSON."""
        if not self.pages:
            return "[]"
        start, length = self.pages[number]
        with self.file.open("rb") as file:
            file.seek(start)
            return file.read(length).decode()

    def delete(self) -> None:
        """Forget the rows."""
        self.file.unlink(missing_ok=True)


class ResultStore:
    """The folder of the results."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(
        self, columns: Sequence[ResultColumn], batches: Iterator[list[tuple[Any, ...]]], form: str
    ) -> ResultSet:
        """Write all rows. Raises SqlError when they are more than the Data API allows."""
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"{uuid.uuid4()}.{form.lower()}"
        writer = _PageWriter(columns, form)
        try:
            with file.open("wb") as out:
                for batch in batches:
                    writer.add(batch, out)
                writer.flush(out)
        except BaseException:
            file.unlink(missing_ok=True)
            raise
        if not writer.pages:
            file.unlink()
        return ResultSet(tuple(columns), writer.rows, writer.size, form, file, tuple(writer.pages))


class _PageWriter:
    def __init__(self, columns: Sequence[ResultColumn], form: str) -> None:
        self.rows = 0
        self.size = 0
        self.pages: list[tuple[int, int]] = []
        self._is_json = form == "JSON"
        self._types = [column.type for column in columns]
        self._page: list[Any] = []
        self._page_bytes = 0

    def add(self, batch: list[tuple[Any, ...]], out: io.BufferedIOBase) -> None:
        for row in batch:
            fields = [field(*pair) for pair in zip(row, self._types, strict=True)]
            row_bytes = sum(_weight(item) for item in fields)
            if row_bytes > ROW_BYTES:
                raise SqlError("Packet for query is too large: a row may have 64 KB at most")
            self.rows += 1
            self.size += row_bytes
            if self.size > RESULT_BYTES:
                raise SqlError("Database response exceeded size limit")
            self._page.append(fields)
            self._page_bytes += row_bytes
            if len(self._page) >= PAGE_ROWS or self._page_bytes >= PAGE_BYTES:
                self.flush(out)

    def flush(self, out: io.BufferedIOBase) -> None:
        if not self._page:
            return
        records = self._page if self._is_json else [{"CSVRecords": _csv(self._page)}]
        data = json.dumps(records, ensure_ascii=False, separators=(",", ":")).encode()
        start = self.pages[-1][0] + self.pages[-1][1] if self.pages else 0
        out.write(data)
        self.pages.append((start, len(data)))
        self._page, self._page_bytes = [], 0


def field(value: Any, duckdb_type: str) -> dict[str, Any]:
    """A value as the Data API types it: integers, doubles and booleans as such, the rest as text.

    Source: "Mapping JDBC data types when calling the Data API" in the Redshift management guide.
    """
    if value is None:
        return {"isNull": True}
    if duckdb_type == "VARIANT":
        return {"stringValue": _json(value)}
    if isinstance(value, bytes):
        return {"blobValue": base64.b64encode(value).decode()}
    return _number(value) or {"stringValue": text(value)}


def _number(value: Any) -> dict[str, Any] | None:
    if isinstance(value, bool):
        return {"booleanValue": value}
    if isinstance(value, int):
        return {"longValue": value}
    if isinstance(value, float) and math.isfinite(value):
        return {"doubleValue": value}
    return None


def text(value: Any) -> str:
    """A value as Redshift prints it; timestamps always have a fraction, as JDBC writes them."""
    if isinstance(value, dt.datetime):
        fraction = f"{value.microsecond:06d}".rstrip("0") or "0"
        return f"{value.replace(microsecond=0).isoformat(sep=' ')}.{fraction}"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, (dict, list)):
        return _json(value)
    return str(value)


def _json(value: Any) -> str:
    return json.dumps(value, default=text, ensure_ascii=False, separators=(",", ":"))


def _weight(item: dict[str, Any]) -> int:
    value = next(iter(item.values()))
    return len(value.encode()) if isinstance(value, str) else 8


def _csv(page: list[list[dict[str, Any]]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for row in page:
        writer.writerow(["" if "isNull" in item else _plain(item) for item in row])
    return out.getvalue()


def _plain(item: dict[str, Any]) -> str:
    value = next(iter(item.values()))
    return str(value).lower() if isinstance(value, bool) else str(value)
