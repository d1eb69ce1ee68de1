"""Which objects belong to a table, and that each is read as it was listed."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest
from botocore.stub import Stubber
from penstock_job.errors import SourceError
from penstock_job.object_listing import (
    digest_of,
    fetch_object,
    list_objects,
    load_listing,
    store_listing,
)
from penstock_job.object_store import ObjectStore
from tests.unit.glue.conftest import BUCKET

pytestmark = pytest.mark.usefixtures("aws")


def put(*keys: str, body: bytes = b"x") -> None:
    for key in keys:
        boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)


def names(address: str) -> list[str]:
    listed = list_objects(ObjectStore(), f"s3://{BUCKET}/{address}")
    return [each.path.removeprefix(f"s3://{BUCKET}/") for each in listed]


def test_an_address_is_an_object_a_folder_or_a_pattern() -> None:
    put("in/orders/1.csv", "in/orders/2026/2.csv", "in/orders2/3.csv", "in/orders.csv")

    assert names("in/orders.csv") == ["in/orders.csv"]
    assert names("in/orders") == names("in/orders/") == ["in/orders/1.csv", "in/orders/2026/2.csv"]
    assert names("in/orders*.csv") == [
        "in/orders.csv",
        "in/orders/1.csv",
        "in/orders/2026/2.csv",
        "in/orders2/3.csv",
    ]
    assert names("in/none") == []


def test_markers_of_folders_and_hidden_objects_are_no_data() -> None:
    put("in/orders/", "in/orders/_SUCCESS", "in/orders/_temporary/0.csv", "in/orders/.x", "in/a")

    assert names("in/orders") == []
    assert names("in/*") == ["in/a"]


def test_a_folder_of_more_objects_than_one_page_is_listed_whole() -> None:
    with Stubber(client := boto3.client("s3")) as stubber:
        for key, further in (("many/1", {"NextContinuationToken": "t"}), ("many/2", {})):
            contents = [{"Key": key, "ETag": '"e"', "Size": 1}]
            answer = {"Contents": contents, "IsTruncated": bool(further), **further}
            stubber.add_response("list_objects_v2", answer)
        assert len(list_objects(ObjectStore(client), f"s3://{BUCKET}/many")) == 2


def test_a_bucket_that_cannot_be_listed_is_told() -> None:
    with pytest.raises(SourceError, match=r"s3://no-such-bucket/in cannot be listed: NoSuchBucket"):
        list_objects(ObjectStore(), "s3://no-such-bucket/in")


def test_an_object_is_fetched_as_it_was_listed_or_not_at_all(tmp_path: Path) -> None:
    store = ObjectStore()
    put("in/a", body=b"old")
    (listed,) = list_objects(store, f"s3://{BUCKET}/in/a")
    fetch_object(store, listed, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"old"

    put("in/a", body=b"new")
    with pytest.raises(SourceError, match=r"in/a was changed while it was extracted"):
        fetch_object(store, listed, tmp_path / "a")

    boto3.client("s3").delete_object(Bucket=BUCKET, Key="in/a")
    with pytest.raises(SourceError, match=r"in/a is gone while it was extracted"):
        fetch_object(store, listed, tmp_path / "a")


def test_a_listing_is_kept_and_tells_an_object_from_its_older_content() -> None:
    store = ObjectStore()
    put("in/a", "in/b")
    first = list_objects(store, f"s3://{BUCKET}/in")
    place = f"s3://{BUCKET}/listing.gz"
    store_listing(store, place, first)
    assert load_listing(store, place) == {each.identity for each in first}

    put("in/a", body=b"new")
    second = list_objects(store, f"s3://{BUCKET}/in")
    assert digest_of(second) != digest_of(first)
    new = [each.path for each in second if each.identity not in load_listing(store, place)]
    assert new == [f"s3://{BUCKET}/in/a"]


def test_a_listing_that_is_gone_is_told_with_what_to_do() -> None:
    with pytest.raises(SourceError, match="is gone; extract the table once with mode full"):
        load_listing(ObjectStore(), f"s3://{BUCKET}/none")
