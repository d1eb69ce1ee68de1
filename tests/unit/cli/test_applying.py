"""Rows are checked whole before any is written, and what Penstock records in them stays."""

from __future__ import annotations

import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from rich.console import Console

from penstock_cli import applying, row_files
from penstock_cli.errors import CommandError

ROW = """
- JobName: orders
  JobCategory: Daily_Sales
  JobType: spark
  Target: orders-job
  DependsOn: [customers]
  Arguments: {region: eu, limit: 10}
"""


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        yield boto3.resource("dynamodb").create_table(
            TableName="control",
            KeySchema=[{"AttributeName": "JobName", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "JobName", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )


def write(folder: Path, text: str) -> Path:
    file = folder / "rows.yaml"
    file.write_text(text)
    return file


def bring_in_line(table: Any, file: Path) -> list[applying.Change]:
    changes = applying.differences(table, row_files.load([file]))
    needed = [change for change in changes if change.is_needed]
    if needed:
        applying.write(table.meta.client, table.name, needed)
    return needed


def test_a_new_row_is_stored_as_it_was_written(table: Any, tmp_path: Path) -> None:
    bring_in_line(table, write(tmp_path, ROW))

    item = table.get_item(Key={"JobName": "orders"})["Item"]
    assert item["DependsOn"] == ["customers"]
    assert item["Arguments"] == {"region": "eu", "limit": Decimal(10)}


def test_applying_the_same_file_again_changes_nothing(table: Any, tmp_path: Path) -> None:
    file = write(tmp_path, ROW)
    bring_in_line(table, file)
    assert bring_in_line(table, file) == []


def test_what_penstock_recorded_stays_and_what_was_taken_out_goes(
    table: Any, tmp_path: Path
) -> None:
    bring_in_line(table, write(tmp_path, ROW))
    table.update_item(
        Key={"JobName": "orders"},
        UpdateExpression="SET StatusFlag = :s",
        ExpressionAttributeValues={":s": "SUCCEEDED"},
    )

    bring_in_line(table, write(tmp_path, ROW.replace("  DependsOn: [customers]\n", "")))

    item = table.get_item(Key={"JobName": "orders"})["Item"]
    assert item["StatusFlag"] == "SUCCEEDED"
    assert "DependsOn" not in item


def test_a_bad_row_is_named_by_file_line_job_and_field(tmp_path: Path) -> None:
    file = write(
        tmp_path, ROW + "\n- JobName: bills\n  JobCategory: Daily_Sales\n  JobType: sparc\n"
    )
    with pytest.raises(CommandError) as refused:
        row_files.load([file])
    text = str(refused.value)
    assert text.startswith("nothing was applied:")
    assert f"{file}:9 (bills) JobType: 'sparc' is none of spark" in text
    assert f"{file}:9 (bills) Target: is missing" in text


def test_a_name_that_stands_twice_is_refused_with_both_places(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"rows\.yaml:9 \(orders\) JobName: stands already at"):
        row_files.load([write(tmp_path, ROW + ROW)])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("JobName: orders", "a list of rows is expected"),
        ("- just text", "a row is a map of fields"),
        ("- {JobName: [", "is no YAML"),
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        row_files.load([write(tmp_path, text)])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"nowhere\.yaml: No such file"):
        row_files.load([tmp_path / "nowhere.yaml"])


def test_the_difference_shows_each_field_that_changes(table: Any, tmp_path: Path) -> None:
    bring_in_line(table, write(tmp_path, ROW))
    changed = write(tmp_path, ROW.replace("orders-job", "orders-v2"))
    text = io.StringIO()

    applying.show(Console(file=text), applying.differences(table, row_files.load([changed])))

    assert text.getvalue() == "~ orders\n    Target: orders-job -> orders-v2\n"
