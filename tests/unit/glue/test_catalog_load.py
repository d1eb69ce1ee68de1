"""Files on S3 as a table of the Data Catalog: led to a load's own folder in one step."""

from __future__ import annotations

from typing import Any

import boto3
import duckdb
import pytest
from penstock_job.catalog import Catalog
from penstock_job.catalog_load import catalog_columns
from penstock_job.column_type import ColumnType
from penstock_job.errors import ArgumentsError, CatalogError, LoadError
from tests.unit.glue.conftest import BUCKET, JOB_ID
from tests.unit.glue.loading import DAYS, JOB, given, load, rejects

DATABASE = "sales"
FOLDER = f"s3://{BUCKET}/data/Daily_Covid/{JOB}"


@pytest.fixture(autouse=True)
def glue(aws: Any) -> Any:
    client = boto3.client("glue")
    client.create_database(DatabaseInput={"Name": DATABASE})
    return client


def table(glue: Any) -> dict[str, Any]:
    found: dict[str, Any] = glue.get_table(DatabaseName=DATABASE, Name="daily_cases")["Table"]
    return found


def partitions(glue: Any) -> dict[str, str]:
    found = glue.get_partitions(DatabaseName=DATABASE, TableName="daily_cases")["Partitions"]
    return {one["Values"][0]: one["StorageDescriptor"]["Location"] for one in found}


def rows_at(location: str, tmp_path: Any) -> list[tuple[Any, ...]]:
    """What a reader finds that takes every file there that is not hidden, as Athena does."""
    s3, prefix = boto3.client("s3"), location.removeprefix(f"s3://{BUCKET}/")
    files = []
    for one in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]:
        name = one["Key"].removeprefix(prefix)
        if not name.startswith(("_", ".")):
            files.append(tmp_path / name)
            s3.download_file(BUCKET, one["Key"], str(files[-1]))
    return duckdb.sql(f"SELECT * FROM read_parquet({[str(file) for file in files]})").fetchall()


def test_the_table_is_what_the_last_load_has_brought(glue: Any, tmp_path: Any) -> None:
    given(f"SELECT *, 1.5::DECIMAL(9,2) AS rate FROM ({DAYS}) UNION ALL SELECT NULL, 1, 1, 1")
    result = load(catalog_table="sales.daily_cases")
    first = table(glue)
    load(catalog_table="sales.daily_cases")
    again = table(glue)
    given(f"SELECT *, 0::DECIMAL(9,2) AS rate FROM ({DAYS}) LIMIT 7", attempt=2)
    load(attempt=2, catalog_table="sales.daily_cases")
    later = table(glue)

    assert (result.rows_written, result.rows_rejected, len(rejects())) == (60, 1, 1)
    assert [(one.path, one.rows) for one in result.outputs[:1]] == [
        ("catalog://sales/daily_cases", 60)
    ]
    assert first["StorageDescriptor"]["Location"] == f"{FOLDER}/job_id={JOB_ID}/attempt=1/"
    assert first["StorageDescriptor"]["Columns"] == [
        {"Name": "date", "Type": "date"},
        {"Name": "cases", "Type": "bigint"},
        {"Name": "deaths", "Type": "bigint"},
        {"Name": "rate", "Type": "decimal(12,2)"},
    ]
    assert first["Parameters"]["penstock_rows"] == "60"
    assert again["VersionId"] == first["VersionId"]
    assert len(rows_at(first["StorageDescriptor"]["Location"], tmp_path)) == 60
    assert later["StorageDescriptor"]["Location"].endswith("attempt=2/")
    assert len(rows_at(later["StorageDescriptor"]["Location"], tmp_path)) == 7


def test_with_a_partition_each_logical_date_has_its_own_data(
    glue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {"catalog_table": "sales.daily_cases", "catalog_partition": "loaded_for"}
    given(DAYS)
    load(**own)
    monkeypatch.setattr("tests.unit.glue.conftest.LOGICAL_DATE", "2026-11-22")
    given(DAYS)
    load(attempt=2, **own)
    given(DAYS)
    load(attempt=3, **own)

    assert partitions(glue) == {
        "2026-11-21": f"{FOLDER}/job_id={JOB_ID}/attempt=1/",
        "2026-11-22": f"{FOLDER}/job_id={JOB_ID}/attempt=3/",
    }
    assert table(glue)["PartitionKeys"] == [{"Name": "loaded_for", "Type": "string"}]


def test_a_load_killed_before_the_switch_leaves_readers_what_they_had(
    glue: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    class KilledError(BaseException):
        pass

    def killed(*_: Any) -> None:
        raise KilledError

    given(DAYS)
    load(catalog_table="sales.daily_cases")
    given(f"SELECT * FROM ({DAYS}) LIMIT 9", attempt=2)
    with monkeypatch.context() as patch:
        patch.setattr(Catalog, "register", killed)
        with pytest.raises(KilledError):
            load(attempt=2, catalog_table="sales.daily_cases")
    location = table(glue)["StorageDescriptor"]["Location"]
    assert len(rows_at(location, tmp_path)) == 60

    load(attempt=3, catalog_table="sales.daily_cases")

    location = table(glue)["StorageDescriptor"]["Location"]
    assert len(rows_at(location, tmp_path)) == 9


@pytest.mark.parametrize(
    ("own", "error", "text"),
    [
        ({"catalog_table": "daily_cases"}, ArgumentsError, "not database.table"),
        ({"catalog_table": "sales.Daily"}, ArgumentsError, "not database.table"),
        ({"catalog_table": "sales.t", "catalog_partition": "a b"}, ArgumentsError, "no name of"),
        ({"catalog_table": "sales.t", "catalog_partition": "cases"}, LoadError, "of its own"),
        ({"catalog_table": "absent.t"}, CatalogError, "absent"),
    ],
)
def test_a_table_that_cannot_be_is_refused(
    own: dict[str, Any], error: type[Exception], text: str
) -> None:
    given(DAYS)

    with pytest.raises(error, match=text):
        load(**own)


def test_columns_that_the_catalog_cannot_name_or_type_are_refused() -> None:
    with pytest.raises(LoadError, match="differ in case only"):
        catalog_columns({"a": ColumnType("text"), "A": ColumnType("text")})
    with pytest.raises(LoadError, match="a column of type interval cannot be registered"):
        catalog_columns({"a": ColumnType("interval")})
