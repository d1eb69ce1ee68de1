"""The files that a Distributed Map can take its items from: JSON, JSON Lines, CSV, Parquet."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from penstock_local.asl.values import Json

NOT_ITERABLE = "Attempting to map over non-iterable node."

_DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}

# The service's own limit for a row; csv's default is smaller than an item may be.
_LONGEST_FIELD = 10 * 1024 * 1024


class ItemSourceError(Exception):
    """A source that holds no items as told; `str()` is the cause that the execution reports."""


def parse(data: bytes, config: dict[str, Json], limit: int) -> list[Json]:
    """The first `limit` items of a file; `config` is the state's ReaderConfig.

    Runs long for a large file: keep it off the event loop. Raises `ItemSourceError`.
    """
    kind = config.get("InputType", "JSON")
    items = _ITEMS.get(kind)
    if items is None:
        raise ItemSourceError(f"The InputType {kind} is not supported.")
    try:
        return list(islice(items(data, config), limit))
    except (UnicodeDecodeError, json.JSONDecodeError, csv.Error) as error:
        raise ItemSourceError(f"The {kind} of the item source cannot be parsed: {error}") from error


def _json_items(data: bytes, config: dict[str, Json]) -> Iterator[Json]:
    text = data.decode("utf-8-sig")
    pointer = config.get("ItemsPointer") or ""
    if not pointer and text.lstrip()[:1] == "[":
        return _members(text)
    found = _follow(json.loads(text), pointer)
    if not isinstance(found, list):
        raise ItemSourceError(NOT_ITERABLE)
    return iter(found)


def _members(text: str) -> Iterator[Json]:
    """The members of a JSON array one by one, so that other threads get their turns between."""
    decode = json.JSONDecoder().raw_decode
    position = _skip(text, text.index("[") + 1)
    if text[position : position + 1] == "]":
        _require_end(text, position + 1)
        return
    while True:
        member, position = decode(text, position)
        yield member
        position = _skip(text, position)
        mark = text[position : position + 1]
        if mark == "]":
            _require_end(text, position + 1)
            return
        if mark != ",":
            raise json.JSONDecodeError("Expecting ',' delimiter", text, position)
        position = _skip(text, position + 1)


def _skip(text: str, position: int) -> int:
    while text[position : position + 1] in _BLANKS:
        position += 1
    return position


_BLANKS = frozenset(" \t\r\n")


def _require_end(text: str, position: int) -> None:
    end = _skip(text, position)
    if end != len(text):
        raise json.JSONDecodeError("Extra data", text, end)


def _follow(document: Json, pointer: str) -> Json:
    """The value that a JSON Pointer names."""
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        try:
            document = document[int(key)] if isinstance(document, list) else document[key]
        except (KeyError, IndexError, ValueError, TypeError):
            raise ItemSourceError(
                f"The ItemsPointer {pointer} does not name a value of the item source."
            ) from None
    return document


def _jsonl_items(data: bytes, config: dict[str, Json]) -> Iterator[Json]:
    del config
    for line in io.StringIO(data.decode("utf-8-sig"), newline="\n"):
        if not line.isspace():
            yield json.loads(line)


def _csv_items(data: bytes, config: dict[str, Json]) -> Iterator[Json]:
    csv.field_size_limit(_LONGEST_FIELD)
    delimiter = _DELIMITERS.get(config.get("CSVDelimiter", "COMMA"))
    if delimiter is None:
        raise ItemSourceError(f"The CSVDelimiter {config['CSVDelimiter']} is not supported.")
    text = io.StringIO(data.decode("utf-8-sig"), newline="")
    rows = csv.reader(text, delimiter=delimiter, strict=True)
    header = _header(rows, config)
    if len(set(header)) < len(header):
        raise ItemSourceError("CSV headers cannot contain duplicates.")
    return records(header, rows)


def _header(rows: Iterator[list[str]], config: dict[str, Json]) -> list[str]:
    if config.get("CSVHeaderLocation") != "GIVEN":
        return next(rows, [])
    header = config.get("CSVHeaders")
    if not isinstance(header, list) or not header:
        raise ItemSourceError("CSVHeaders are required when CSVHeaderLocation is GIVEN.")
    return header


def records(header: list[str], rows: Iterable[list[str]]) -> Iterator[dict[str, str]]:
    """Rows as objects: short ones padded with empty texts, surplus columns dropped."""
    for row in rows:
        if row:
            padded = row + [""] * (len(header) - len(row))
            yield dict(zip(header, padded, strict=False))


def _parquet_items(data: bytes, config: dict[str, Json]) -> Iterator[Json]:
    del config
    import duckdb  # heavy, and few state machines read Parquet

    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        file.write(data)
        file.flush()
        with duckdb.connect(":memory:", config={"threads": 1}) as connection:
            query = "SELECT CAST(to_json(row) AS VARCHAR) FROM read_parquet(?) AS row"
            try:
                found = connection.execute(query, [file.name])
                while batch := found.fetchmany(1000):
                    for (text,) in batch:
                        yield json.loads(text)
            except duckdb.Error as error:
                raise ItemSourceError(
                    f"The PARQUET of the item source cannot be parsed: {error}"
                ) from error


_ITEMS: dict[Any, Callable[[bytes, dict[str, Json]], Iterator[Json]]] = {
    "JSON": _json_items,
    "JSONL": _jsonl_items,
    "CSV": _csv_items,
    "PARQUET": _parquet_items,
}
