"""Entries of the Data Catalog, in a real one and with others who change them meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from penstock_job.catalog import (
    LONGEST_NAME,
    Catalog,
    CatalogColumn,
    CatalogPartition,
    CatalogTable,
    table_name,
)
from penstock_job.errors import CatalogError

pytestmark = pytest.mark.usefixtures("aws")
DATABASE = "penstock_dev"
NAME = "shop_orders"
FOLDER = "s3://data/extract/shop/orders/job_id=1/attempt=1"
ORDERS = CatalogTable(
    origin="shop/orders",
    columns=[CatalogColumn("Id", "bigint"), CatalogColumn("price", "decimal(38,9)")],
    location=FOLDER,
    parameters={"penstock_job_id": "1"},
)
BY_STATE = replace(
    ORDERS,
    partition_keys=[CatalogColumn("state", "string")],
    partitions=[CatalogPartition((f"s{n}",), f"{FOLDER}/state=s{n}") for n in range(120)],
)


class Racing:
    """A Glue client before whose first such call somebody else is quicker."""

    def __init__(self, operation: str, rival: Callable[[], None]) -> None:
        self._client: Any = boto3.client("glue")
        self._operation = operation
        self._rival: Callable[[], None] | None = rival

    def __getattr__(self, name: str) -> Any:
        if name == self._operation and self._rival is not None:
            rival, self._rival = self._rival, None
            rival()
        return getattr(self._client, name)


@pytest.fixture
def glue(aws: Any) -> Iterator[Any]:
    client = boto3.client("glue")
    client.create_database(DatabaseInput={"Name": DATABASE})
    yield client
    for table in client.get_tables(DatabaseName=DATABASE)["TableList"]:
        client.delete_table(DatabaseName=DATABASE, Name=table["Name"])
    client.delete_database(Name=DATABASE)


def register(table: CatalogTable, client: Any = None) -> None:
    Catalog(DATABASE, client, sleep=lambda _: None).register(NAME, lambda _: table)


def entry(glue: Any) -> dict[str, Any]:
    table: dict[str, Any] = glue.get_table(DatabaseName=DATABASE, Name=NAME)["Table"]
    return table


def partitions(glue: Any) -> dict[str, str]:
    found = glue.get_paginator("get_partitions").paginate(DatabaseName=DATABASE, TableName=NAME)
    return {
        each["Values"][0]: each["StorageDescriptor"]["Location"]
        for page in found
        for each in page["Partitions"]
    }


def test_a_table_is_registered_with_columns_types_location_and_the_parquet_serde(
    glue: Any,
) -> None:
    register(ORDERS)

    table = entry(glue)
    assert table["TableType"] == "EXTERNAL_TABLE"
    storage = table["StorageDescriptor"]
    assert storage["Columns"] == [
        {"Name": "id", "Type": "bigint"},
        {"Name": "price", "Type": "decimal(38,9)"},
    ]
    assert storage["Location"] == f"{FOLDER}/"
    assert storage["SerdeInfo"]["SerializationLibrary"].endswith("ParquetHiveSerDe")
    assert (table["Parameters"]["classification"], table["PartitionKeys"]) == ("parquet", [])


def test_to_register_again_changes_nothing_and_a_new_attempt_is_one_update(glue: Any) -> None:
    register(ORDERS)
    register(ORDERS)
    assert entry(glue)["VersionId"] == "1"

    register(replace(ORDERS, location="s3://data/extract/shop/orders/job_id=2/attempt=1"))
    assert entry(glue)["VersionId"] == "2"
    assert "job_id=2" in entry(glue)["StorageDescriptor"]["Location"]


def test_partitions_come_move_and_go_with_the_manifest(glue: Any) -> None:
    register(BY_STATE)
    assert partitions(glue) == {p.values[0]: f"{p.location}/" for p in BY_STATE.partitions}

    later = [CatalogPartition((f"s{n}",), f"s3://data/2/state=s{n}") for n in range(119, 240)]
    register(replace(BY_STATE, partitions=later, parameters={"penstock_job_id": "2"}))
    assert partitions(glue) == {p.values[0]: f"{p.location}/" for p in later}


@pytest.mark.parametrize("operation", ["create_table", "update_table"])
def test_of_two_extracts_the_entry_is_that_of_the_manifest_whoever_comes_last(
    glue: Any, operation: str
) -> None:
    newer = replace(ORDERS, location="s3://data/newer")
    manifest = [ORDERS]
    if operation == "update_table":
        register(replace(ORDERS, location="s3://data/older"))

    def publish_and_register() -> None:
        manifest[0] = newer
        register(newer)

    slow = Catalog(DATABASE, Racing(operation, publish_and_register), sleep=lambda _: None)
    slow.register(NAME, lambda _: manifest[0])

    assert entry(glue)["StorageDescriptor"]["Location"] == "s3://data/newer/"


def test_partitions_of_a_slow_extract_do_not_stay_in_the_place_of_newer_ones(glue: Any) -> None:
    newer = replace(
        BY_STATE,
        partitions=[CatalogPartition(("new",), "s3://data/2/state=new")],
        parameters={"penstock_job_id": "2"},
    )
    manifest = [BY_STATE]

    def publish_and_register() -> None:
        manifest[0] = newer
        register(newer)

    slow = Catalog(
        DATABASE, Racing("batch_create_partition", publish_and_register), sleep=lambda _: None
    )
    slow.register(NAME, lambda _: manifest[0])

    assert partitions(glue) == {"new": "s3://data/2/state=new/"}


def test_an_entry_that_belongs_to_another_table_is_left_alone(glue: Any) -> None:
    register(ORDERS)
    with pytest.raises(CatalogError, match="belongs to shop/orders, so web/orders cannot"):
        register(replace(ORDERS, origin="web/orders"))

    glue.update_table(DatabaseName=DATABASE, TableInput={"Name": NAME, "Parameters": {}})
    with pytest.raises(CatalogError, match="was not made by Penstock"):
        register(ORDERS)


def test_with_other_partition_keys_the_entry_is_made_anew(glue: Any) -> None:
    register(ORDERS)
    register(BY_STATE)
    assert [key["Name"] for key in entry(glue)["PartitionKeys"]] == ["state"]
    assert len(partitions(glue)) == 120

    register(ORDERS)
    assert (entry(glue)["PartitionKeys"], partitions(glue)) == ([], {})


def test_a_refusal_names_table_operation_and_reason() -> None:
    with pytest.raises(
        CatalogError, match=r"penstock_dev\.shop_orders is not registered: the Data"
    ):
        register(ORDERS)


def test_a_partition_that_is_refused_fails_the_table(glue: Any) -> None:
    client: Any = boto3.client("glue")
    table = replace(BY_STATE, partitions=BY_STATE.partitions[:1])
    errors = [{"ErrorDetail": {"ErrorCode": "ResourceNumberLimitExceededException",
                               "ErrorMessage": "too many"}}]  # fmt: skip
    register(replace(table, partitions=[]))
    client.batch_create_partition = lambda **_: {"Errors": errors}
    with pytest.raises(CatalogError, match="partition of shop_orders: too many"):
        register(table, client)


def test_what_is_changed_all_the_time_is_given_up_aloud() -> None:
    stands = {"Name": NAME, "VersionId": "7", "Parameters": {"penstock_origin": "shop/orders"}}
    with Stubber(client := boto3.client("glue")) as stubber:
        for _ in range(8):
            stubber.add_response("get_table", {"Table": stands})
            stubber.add_client_error("update_table", "ConcurrentModificationException")
        with pytest.raises(CatalogError, match="was changed by others 8 times"):
            register(replace(ORDERS, location="s3://data/2"), client)


def test_names_are_such_as_athena_takes_without_quotes() -> None:
    assert table_name("shop-1", "public.Orders 2") == "shop_1_public_orders_2"
    long = table_name("shop", "x" * 200)
    assert (len(long), long == table_name("shop", "x" * 199)) == (LONGEST_NAME, False)
