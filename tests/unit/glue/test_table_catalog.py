"""What the catalog holds of extracted tables: the layers that a manifest names, no others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from penstock_job.catalog import CatalogTable
from penstock_job.dataset import PublishedColumn
from penstock_job.table_catalog import catalog_table
from penstock_job.table_dataset import Layer, TableState
from tests.unit.glue.test_extract_files import Extracts, bucket, put

FOLDER = "s3://data/data/extract/shop/orders"
COLUMNS = [
    PublishedColumn(name, kind)
    for name, kind in {
        "Id": "integer",
        "State": "text",
        "price": "decimal(38,9)",
        "at": "timestamp",
        "day": "date",
        "share": "double",
        "done": "boolean",
        "raw": "binary",
    }.items()
]


def layer(job_id: str, *files: str, is_whole: bool = True, attempt: int = 1) -> Layer:
    place = f"{FOLDER}/job_id={job_id}/attempt={attempt}/try=0a1b2c3d"
    paths = [f"{place}/{file}" for file in files]
    return Layer(
        job_id, attempt, is_whole, paths, COLUMNS, len(files), 0, None, None, "2026-11-21"
    )  # fmt: skip


def described(*layers: Layer, is_layered: bool = False) -> CatalogTable:
    return catalog_table("shop/orders", FOLDER, TableState(layers, ["Id"], "at"), is_layered)


def test_a_whole_table_lies_in_the_folder_of_the_try_that_counts() -> None:
    table = described(layer("1", "part-00001.parquet", "part-00002.parquet", attempt=2))

    assert table.location == f"{FOLDER}/job_id=1/attempt=2/try=0a1b2c3d"
    assert (table.partition_keys, table.partitions) == ([], [])
    assert {column.name: column.type for column in table.columns} == {
        "Id": "bigint", "State": "string", "price": "decimal(38,9)", "at": "timestamp",
        "day": "date", "share": "double", "done": "boolean", "raw": "binary",
    }  # fmt: skip
    assert table.parameters == {
        "penstock_job_id": "1",
        "penstock_attempt": "2",
        "penstock_primary_key": "Id",
        "penstock_cursor": "at",
    }


def test_a_table_without_rows_lies_where_nobody_ever_writes() -> None:
    assert described(layer("1")).location == f"{FOLDER}/job_id=1/attempt=1/empty"


def test_each_layer_is_a_partition() -> None:
    table = described(layer("1", "part-1.parquet"), layer("2", "part-1.parquet", is_whole=False))

    assert [key.name for key in table.partition_keys] == ["penstock_layer"]
    assert [(partition.values, partition.location) for partition in table.partitions] == [
        (("1",), f"{FOLDER}/job_id=1/attempt=1/try=0a1b2c3d"),
        (("2",), f"{FOLDER}/job_id=2/attempt=1/try=0a1b2c3d"),
    ]


def test_increments_that_became_one_are_found_where_the_run_that_did_it_has_written() -> None:
    files = [f"{FOLDER}/job_id=9/attempt=2/try=4d5e6f70/part-00001.parquet"]
    compacted = replace(layer("2", is_whole=False), files=files)
    table = described(layer("1", "part-1.parquet"), compacted)

    assert [(partition.values, partition.location) for partition in table.partitions] == [
        (("1",), f"{FOLDER}/job_id=1/attempt=1/try=0a1b2c3d"),
        (("2",), f"{FOLDER}/job_id=9/attempt=2/try=4d5e6f70"),
    ]


def test_columns_by_which_files_are_laid_out_are_partition_keys_and_no_columns() -> None:
    files = [
        "State=CA/day=2026-01-01/part-00001-00000.parquet",
        "State=CA/day=2026-01-01/part-00002-00000.parquet",
        "State=New%20York/day=__HIVE_DEFAULT_PARTITION__/part-00001-00001.parquet",
    ]
    table = described(layer("1", *files))

    assert [(key.name, key.type) for key in table.partition_keys] == [
        ("State", "string"), ("day", "date")
    ]  # fmt: skip
    assert not {"State", "day"} & {column.name for column in table.columns}
    assert [partition.values for partition in table.partitions] == [
        ("CA", "2026-01-01"), ("New York", "__HIVE_DEFAULT_PARTITION__")
    ]  # fmt: skip
    layered = described(layer("1", *files), is_layered=True)
    assert layered.partitions[0].values == ("1", "CA", "2026-01-01")


def test_folders_that_spark_has_laid_out_are_those_of_the_column() -> None:
    table = described(layer("1", "penstock_by_State=CA/part-00000.snappy.parquet"))

    assert [key.name for key in table.partition_keys] == ["State"]
    assert [partition.values for partition in table.partitions] == [("CA",)]


def test_layers_that_are_laid_out_differently_have_the_layer_alone_as_key() -> None:
    table = described(layer("1", "State=CA/part-1.parquet"), layer("2", "part-1.parquet"))

    assert [key.name for key in table.partition_keys] == ["penstock_layer"]
    assert len(table.partitions) == 2


def test_a_column_called_like_the_key_of_layers_is_left_to_the_key() -> None:
    own = replace(layer("1"), columns=[PublishedColumn("penstock_layer", "integer")])
    table = described(own, is_layered=True)

    assert (list(table.columns), table.partition_keys[0].type) == ([], "string")


@pytest.fixture
def glue(aws: Any) -> Iterator[Any]:
    client = boto3.client("glue")
    client.create_database(DatabaseInput={"Name": "penstock_dev"})
    yield client
    client.delete_database(Name="penstock_dev")


def entry(glue: Any) -> dict[str, Any]:
    table: dict[str, Any] = glue.get_table(DatabaseName="penstock_dev", Name="lake_t")["Table"]
    return table


def folder_keys(location: str) -> list[str]:
    name, _, prefix = location.removeprefix("s3://").partition("/")
    found = boto3.client("s3").list_objects_v2(Bucket=name, Prefix=prefix).get("Contents", [])
    return [each["Key"].removeprefix(prefix) for each in found]


def test_an_extract_registers_its_tables_and_moves_them_on(glue: Any) -> None:
    extracts = Extracts(catalog_database="penstock_dev")
    put("in/t/1.csv", b"a\n1\n")
    extracts.ok(bucket("csv"), {"table": "t", "types": {"a": "integer"}})
    first = entry(glue)
    assert first["StorageDescriptor"]["Columns"] == [{"Name": "a", "Type": "bigint"}]
    assert first["Parameters"]["penstock_origin"] == "lake/t"
    assert folder_keys(first["StorageDescriptor"]["Location"]) == ["part-00001.parquet"]

    put("in/t/1.csv", b"a\n2\n")
    extracts.ok(bucket("csv"), {"table": "t", "types": {"a": "integer"}})
    second = entry(glue)
    assert second["StorageDescriptor"]["Location"] != first["StorageDescriptor"]["Location"]
    assert extracts.ok(bucket("csv"), {"table": "t", "types": {"a": "integer"}})["unchanged"]
    assert entry(glue)["VersionId"] == second["VersionId"]


def test_increments_become_partitions_and_a_whole_extract_takes_their_place(glue: Any) -> None:
    extracts = Extracts(catalog_database="penstock_dev")

    def layers() -> list[str]:
        found = glue.get_partitions(DatabaseName="penstock_dev", TableName="lake_t")
        return [each["Values"][0][:9] for each in found["Partitions"]]

    table = {"table": "t", "mode": "incremental"}
    for number in (1, 2):
        put(f"in/t/{number}.csv", b"a\n1\n")
        extracts.ok(bucket("csv"), table)
    assert layers() == ["20261121T", "20261122T"]

    extracts.ok(bucket("csv"), {"table": "t"})
    assert layers() == ["20261123T"]


def test_what_the_catalog_refuses_fails_its_table_and_is_made_up_for(glue: Any) -> None:
    extracts = Extracts(catalog_database="not_there")
    put("in/t/1.csv", b"a\n1\n")
    error = extracts.error(bucket("csv"), {"table": "t"})
    assert error.startswith("CatalogError: not_there.lake_t is not registered: the Data Catalog")

    extracts.arguments = {"catalog_database": "penstock_dev"}
    assert extracts.ok(bucket("csv"), {"table": "t"})["unchanged"]
    assert entry(glue)["Name"] == "lake_t"
