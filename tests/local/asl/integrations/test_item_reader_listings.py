"""Items that are objects of S3 themselves, or lie in several of them."""

from __future__ import annotations

import gzip
import json
import re
import time

import pytest
from tests.local.asl.integrations.reading import BUCKET, Reader

from penstock_local.asl.item_reader import LIST_OBJECTS

# Listings


def test_objects_are_items_with_etag_written_as_the_service_writes_it(reader: Reader) -> None:
    for name in ("a", "b", "c"):
        reader.put(f"list/{name}.txt", name)
    arguments = {"Bucket": BUCKET, "Prefix": "list/"}
    items = reader.read(LIST_OBJECTS, arguments)
    assert [item["Key"] for item in items] == ["list/a.txt", "list/b.txt", "list/c.txt"]
    assert list(items[0]) == ["Etag", "Key", "LastModified", "Size", "StorageClass"]
    assert re.fullmatch('"[0-9a-f]{32}"', items[0]["Etag"])
    assert abs(items[0]["LastModified"] - time.time()) < 60
    assert (items[0]["Size"], items[0]["StorageClass"]) == (1, "STANDARD")
    assert reader.read(LIST_OBJECTS, arguments, {"MaxItems": 2}) == items[:2]
    assert reader.read(LIST_OBJECTS, {"Bucket": BUCKET, "Prefix": "none/"}) == []


def test_a_listing_goes_over_all_pages(reader: Reader) -> None:
    for number in range(25):
        reader.put(f"pages/{number:02}", "x")
    arguments = {"Bucket": BUCKET, "Prefix": "pages/", "MaxKeys": 10}
    assert len(reader.read(LIST_OBJECTS, arguments)) == 25
    assert len(reader.read(LIST_OBJECTS, arguments, {"MaxItems": 12})) == 12


def test_listed_objects_can_be_loaded_and_flattened(reader: Reader) -> None:
    reader.put("flat/", "")
    reader.put("flat/1.json", "[1, 2]")
    reader.put("flat/2.json", "[3]")
    reader.put("flat/3.json", "[4, 5]")
    arguments = {"Bucket": BUCKET, "Prefix": "flat/"}
    config = {"InputType": "JSON", "Transformation": "LOAD_AND_FLATTEN"}
    assert reader.read(LIST_OBJECTS, arguments, config) == [1, 2, 3, 4, 5]
    assert reader.read(LIST_OBJECTS, arguments, {**config, "MaxItems": 4}) == [1, 2, 3, 4]


# Manifests


def test_the_objects_of_an_inventory_are_items(reader: Reader) -> None:
    for number, rows in enumerate((['"b","k1","1"', '"b","k2","2"'], ['"b","k3","3"'])):
        reader.put(f"inventory/{number}.csv.gz", gzip.compress("\n".join(rows).encode()))
    manifest = {
        "sourceBucket": "b",
        "destinationBucket": f"arn:aws:s3:::{BUCKET}",
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, Size",
        "files": [{"key": f"inventory/{number}.csv.gz"} for number in range(2)],
    }
    items = reader.file(json.dumps(manifest), InputType="MANIFEST")
    assert items == [
        {"Bucket": "b", "Key": "k1", "Size": "1"},
        {"Bucket": "b", "Key": "k2", "Size": "2"},
        {"Bucket": "b", "Key": "k3", "Size": "3"},
    ]
    config = {"InputType": "MANIFEST", "ManifestType": "S3_INVENTORY", "MaxItems": 2}
    assert reader.file(json.dumps(manifest), **config) == items[:2]


@pytest.mark.parametrize("text", ["{}", "[]", "no json", '{"destinationBucket": 1}'])
def test_an_inventory_s_manifest_that_is_none_fails_the_reader(reader: Reader, text: str) -> None:
    assert reader.failure(text, InputType="MANIFEST").startswith(
        "The manifest of the inventory cannot be parsed: "
    )


def test_an_inventory_in_another_format_is_refused(reader: Reader) -> None:
    manifest = {
        "destinationBucket": f"arn:aws:s3:::{BUCKET}",
        "fileFormat": "ORC",
        "fileSchema": "Bucket",
        "files": [],
    }
    cause = reader.failure(json.dumps(manifest), InputType="MANIFEST")
    assert cause == "Only an S3 inventory in CSV format is supported."


def test_the_files_that_athena_wrote_hold_the_items(reader: Reader) -> None:
    reader.put("athena/1", '{"a": 1}\n')
    reader.put("athena/2", '{"a": 2}\n{"a": 3}\n')
    manifest = f"s3://{BUCKET}/athena/1\ns3://{BUCKET}/athena/2\n"
    config = {"InputType": "JSONL", "ManifestType": "ATHENA_DATA"}
    assert reader.file(manifest, **config) == [{"a": 1}, {"a": 2}, {"a": 3}]
    assert reader.file(manifest, **config, MaxItems=1) == [{"a": 1}]
    assert reader.failure("athena/1", **config) == ("The manifest names no object of S3: athena/1")
