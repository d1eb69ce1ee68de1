"""Result sets, kept on disk page by page as the Data API will hand them out."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock_local.redshift.column_types import result_type
from penstock_local.redshift.errors import SqlError
from penstock_local.redshift.fields import NULL, csv_text, json_writer

PAGE_ROWS = 1_000
PAGE_BYTES = 1_000_000
# Limits of the Data API.
ROW_BYTES = 64 * 1024
# What the name of a field's type and its brackets take in a record, at most.
FIELD_BYTES = 24
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
        self._writers = [json_writer(column.type) for column in columns]
        self._page: list[str] = []
        self._page_bytes = 0

    def add(self, batch: list[tuple[Any, ...]], out: io.BufferedIOBase) -> None:
        for row in batch:
            record = self._record(row)
            if len(record) > ROW_BYTES + FIELD_BYTES * len(row):
                raise SqlError("Packet for query is too large: a row may have 64 KB at most")
            self.rows += 1
            self.size += len(record)
            if self.size > RESULT_BYTES:
                raise SqlError("Database response exceeded size limit")
            self._page.append(record)
            self._page_bytes += len(record)
            if len(self._page) >= PAGE_ROWS or self._page_bytes >= PAGE_BYTES:
                self.flush(out)

    def _record(self, row: tuple[Any, ...]) -> str:
        if not self._is_json:
            return csv_text(row)
        fields = [
            NULL if value is None else write(value)
            for value, write in zip(row, self._writers, strict=True)
        ]
        return f"[{','.join(fields)}]"

    def flush(self, out: io.BufferedIOBase) -> None:
        if not self._page:
            return
        if self._is_json:
            records = f"[{','.join(self._page)}]"
        else:
            records = json.dumps([{"CSVRecords": "".join(self._page)}], ensure_ascii=False)
        data = records.encode()
        start = self.pages[-1][0] + self.pages[-1][1] if self.pages else 0
        out.write(data)
        self.pages.append((start, len(data)))
        self._page, self._page_bytes = [], 0
