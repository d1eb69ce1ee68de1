"""ItemReader: the items of a Distributed Map, read from S3."""

from __future__ import annotations

import asyncio
import csv
import gzip
import io
import json
from typing import Any, Protocol

from penstock_local.asl import item_formats
from penstock_local.asl.errors import ITEM_READER_FAILED, RUNTIME, StateError
from penstock_local.asl.integrations import Caller
from penstock_local.asl.item_formats import ItemSourceError
from penstock_local.asl.values import Json

MOST_ITEMS = 100_000_000
"""The service's own limit, and what counts without MaxItems."""

GET_OBJECT = "arn:aws:states:::s3:getObject"
LIST_OBJECTS = "arn:aws:states:::s3:listObjectsV2"

# The metadata of a listed object, as the items of the service have it: `Etag`, not `ETag`.
_LISTED = {"ETag": "Etag", "Key": "Key", "Size": "Size", "StorageClass": "StorageClass"}


class ObjectSource(Protocol):
    """Where objects are read from: `Integrations.s3`."""

    async def get(self, caller: Caller, arguments: dict[str, Any]) -> bytes:
        """The content of an object."""

    async def listing(
        self, caller: Caller, arguments: dict[str, Any], limit: int
    ) -> list[dict[str, Any]]:
        """Up to `limit` entries of a listing."""


async def read_items(source: ObjectSource, caller: Caller, reader: dict[str, Json]) -> list[Json]:
    """The items that an ItemReader names.

    `reader` is the state's field with `Arguments` and `ReaderConfig` evaluated; `caller` the state
    machine's role and region. Raises StateError `States.ItemReaderFailed`.
    """
    config = reader.get("ReaderConfig") or {}
    try:
        limit = _limit(config)
        if reader["Resource"].rpartition(":")[2] == "listObjectsV2":
            return await _listed(source, caller, reader, config, limit)
        return await _read(source, caller, reader["Arguments"], config, limit)
    except ItemSourceError as error:
        raise StateError(ITEM_READER_FAILED, str(error)) from error
    except StateError as error:
        raise StateError(ITEM_READER_FAILED, error.cause) from error


def _limit(config: dict[str, Json]) -> int:
    """How many items to take; 0 sets no limit."""
    most = config.get("MaxItems")
    if most is None:
        return MOST_ITEMS
    if isinstance(most, bool) or not isinstance(most, (int, float)) or int(most) != most:
        raise StateError(RUNTIME, "The field 'MaxItems' must be a whole number")
    if most < 0:
        raise ItemSourceError("field MaxItems must be positive")
    return min(int(most), MOST_ITEMS) or MOST_ITEMS


async def _read(
    source: ObjectSource,
    caller: Caller,
    arguments: dict[str, Json],
    config: dict[str, Json],
    limit: int,
) -> list[Json]:
    data = await source.get(caller, arguments)
    if config.get("ManifestType") == "ATHENA_DATA":
        return await _athena_data(source, caller, data, config, limit)
    if config.get("InputType") == "MANIFEST":
        return await _inventory(source, caller, data, limit)
    return await asyncio.to_thread(item_formats.parse, data, config, limit)


async def _listed(
    source: ObjectSource,
    caller: Caller,
    reader: dict[str, Json],
    config: dict[str, Json],
    limit: int,
) -> list[Json]:
    """The objects under a prefix as items, or, loaded and flattened, the items in them."""
    if config.get("Transformation") != "LOAD_AND_FLATTEN":
        found = await source.listing(caller, reader["Arguments"], limit)
        return [_listed_item(entry) for entry in found]
    found = await source.listing(caller, reader["Arguments"], MOST_ITEMS)
    bucket = reader["Arguments"]["Bucket"]
    places = [(bucket, entry["Key"]) for entry in found if not entry["Key"].endswith("/")]
    return await _gathered(source, caller, places, config, limit)


def _listed_item(entry: dict[str, Any]) -> dict[str, Json]:
    item = {name: entry[member] for member, name in _LISTED.items() if member in entry}
    item["LastModified"] = int(entry["LastModified"].timestamp())
    return dict(sorted(item.items()))


async def _gathered(
    source: ObjectSource,
    caller: Caller,
    places: list[tuple[str, str]],
    config: dict[str, Json],
    limit: int,
) -> list[Json]:
    """The items of several files of one format, one file after the other."""
    items: list[Json] = []
    for bucket, key in places:
        if len(items) >= limit:
            break
        data = await source.get(caller, {"Bucket": bucket, "Key": key})
        rest = limit - len(items)
        items += await asyncio.to_thread(item_formats.parse, data, config, rest)
    return items


async def _athena_data(
    source: ObjectSource, caller: Caller, manifest: bytes, config: dict[str, Json], limit: int
) -> list[Json]:
    """The items of the files that Athena's UNLOAD lists, an s3:// URI on each line."""
    lines = [line.strip().strip('"') for line in manifest.decode().splitlines() if line.strip()]
    places = []
    for line in lines:
        bucket, _, key = line.removeprefix("s3://").partition("/")
        if not line.startswith("s3://") or not key:
            raise ItemSourceError(f"The manifest names no object of S3: {line}")
        places.append((bucket, key))
    return await _gathered(source, caller, places, config, limit)


async def _inventory(
    source: ObjectSource, caller: Caller, manifest: bytes, limit: int
) -> list[Json]:
    """The rows of an S3 inventory in CSV: one item for each object in it."""
    try:
        described = json.loads(manifest)
        bucket = described["destinationBucket"].rpartition(":")[2]
        header = [name.strip() for name in described["fileSchema"].split(",")]
        keys = [file["key"] for file in described["files"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ItemSourceError(f"The manifest of the inventory cannot be parsed: {error}") from error
    if described.get("fileFormat", "CSV") != "CSV":
        raise ItemSourceError("Only an S3 inventory in CSV format is supported.")
    items: list[Json] = []
    for key in keys:
        data = await source.get(caller, {"Bucket": bucket, "Key": key})
        items += await asyncio.to_thread(_inventory_rows, data, header)
        if len(items) >= limit:
            break
    return items[:limit]


def _inventory_rows(data: bytes, header: list[str]) -> list[Json]:
    try:
        text = gzip.decompress(data).decode()
        return list(item_formats.records(header, csv.reader(io.StringIO(text, newline=""))))
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise ItemSourceError(f"A file of the inventory cannot be parsed: {error}") from error
