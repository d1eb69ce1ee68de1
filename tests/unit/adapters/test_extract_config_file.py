"""Extract configs as people write them, and what they are told of mistakes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.conftest import BUCKET

from penstock.adapters.extract_config_file import (
    ExtractConfigFiles,
    check,
    check_request,
    parse,
)
from penstock.domain.extract_config import InvalidExtractConfigError

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "events/extract_config.yaml"
SCHEMA = ROOT / "functions/penstock/extract_config.schema.json"
GOOD = """
category: Extract_Shop
sources:
  - name: shop
    type: postgresql
    secret_arn: arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop
    defaults: {pool: shop_db, target: extract}
    tables:
      - orders
      - table: customers
        mode: incremental
        cursor: updated_at
        primary_key: [id]
"""


def document(**fields: Any) -> dict[str, Any]:
    source = {"name": "shop", "type": "s3", "path": "s3://b/p", "format": "csv", "tables": ["a"]}
    return {"sources": [source | fields]}


@pytest.mark.parametrize("text", [GOOD, json.dumps(parse(GOOD.encode(), "GOOD"))])
def test_yaml_and_json_are_read_alike(s3: Any, text: str) -> None:
    s3.put_object(Bucket=BUCKET, Key="shop.yaml", Body=text.encode())
    config = ExtractConfigFiles(s3).load("s3://data/shop.yaml")
    assert config.category == "Extract_Shop"
    assert [(table.key, table.mode) for table in config.tables] == [
        ("shop/orders", "full"),
        ("shop/customers", "incremental"),
    ]


def test_the_example_can_be_used_as_it_is(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="shop.yaml", Body=EXAMPLE.read_bytes())
    config = ExtractConfigFiles(s3).load("s3://data/shop.yaml")
    assert [(table.key, table.job_type, table.mode) for table in config.tables] == [
        ("shop/orders", "python_shell", "full"),
        ("shop/customers", "python_shell", "incremental"),
        ("shop/clicks", "spark", "full"),
        ("web/rates", "python_shell", "full"),
        ("lake/visits", "python_shell", "incremental"),
    ]


@pytest.mark.parametrize("part", ["table", "choice"])
def test_whatever_holds_for_all_tables_may_be_said_of_one(part: str) -> None:
    definitions = json.loads(SCHEMA.read_text())["definitions"]
    settings = set(definitions["settings"]["properties"])
    assert settings <= set(definitions[part]["properties"])


def test_a_file_that_is_not_there_is_named(s3: Any) -> None:
    with pytest.raises(InvalidExtractConfigError, match=r"there is no s3://data/shop\.yaml"):
        ExtractConfigFiles(s3).load("s3://data/shop.yaml")


def test_a_text_that_is_neither_yaml_nor_json_is_refused_with_its_line(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="c", Body=b"sources: [\n  - x: {")
    with pytest.raises(InvalidExtractConfigError, match=r"neither YAML nor JSON: .* line 2"):
        ExtractConfigFiles(s3).load("s3://data/c")


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({}, "the document: sources is missing"),
        ([], "the document: is [], but has to be of type object"),
        ({"sources": []}, "sources: is []: empty"),
        (document(type="oracle"), 'sources[0].type: is "oracle", but has to be one of postgresql'),
        (document(type="mysql"), "sources[0]: secret_arn is missing"),
        (document(tables=[]), "sources[0].tables: is []: empty"),
        (document(tables=[7]), "sources[0].tables[0]: is 7, but has to be of type object"),
        (document(tables=["a", {}]), "sources[0].tables[1]: table is missing"),
        (
            document(tables=[{"table": "a", "mode": "delta"}]),
            'sources[0].tables[0].mode: is "delta", but has to be one of full, incremental',
        ),
        (
            document(tables=[{"table": "a", "curser": "x"}]),
            "sources[0].tables[0]: curser is no field here; there are table, job_type",
        ),
        (
            document(defaults={"number_of_workers": 0}),
            "sources[0].defaults.number_of_workers: is 0, but has to satisfy minimum 1",
        ),
    ],
)
def test_a_wrong_field_is_named_by_path_value_and_what_was_expected(
    config: Any, problem: str
) -> None:
    with pytest.raises(InvalidExtractConfigError) as caught:
        check(config, "config", "s3://config/c cannot be used")
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        ({"extract_config": "s3://c/k"}, "tables_to_extract is missing"),
        ({"tables_to_extract": "all"}, "extract_config is missing"),
        ({"tables_to_extract": "some", "extract_config": "s3://c/k"}, 'has to be "all"'),
        (
            {"tables_to_extract": [], "extract_config": "s3://c/k"},
            "tables_to_extract: is []: empty",
        ),
        ({"tables_to_extract": "all", "extract_config": "c.yaml"}, 'extract_config: is "c.yaml"'),
        (
            {"tables_to_extract": [{"table": "a", "mode": 1}], "extract_config": "s3://c/k"},
            "tables_to_extract[0].mode: is 1, but has to be one of full, incremental",
        ),
    ],
)
def test_an_event_of_the_wrong_shape_is_refused(event: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidExtractConfigError) as caught:
        check_request(event)
    assert problem in str(caught.value)


def test_an_event_of_the_right_shape_is_accepted_with_whatever_else_a_run_takes() -> None:
    check_request(
        {
            "tables_to_extract": ["orders", {"table": "customers", "mode": "full"}],
            "extract_config": "s3://config/shop.yaml",
            "overrides": {"pool": "slow"},
            "logical_date": "2026-11-21",
            "trigger": "manual",
        }
    )
