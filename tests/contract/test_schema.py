"""What is made from the code: tables as SQL, and the schemas that editors check and complete by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from fastjsonschema import JsonSchemaValueException
from fastjsonschema import compile as compile_schema
from penstock_job.errors import SpecificationError
from penstock_job.specification import read_specification
from schema.editor_schemas import jobs_schema, specification_schema
from schema.generate import files

from penstock.domain.control_row import read_row

ROOT = Path(__file__).parents[2]
ROW = {"JobName": "load", "JobCategory": "Daily", "JobType": "spark", "Target": "load"}
WHOLE = """
columns:
  - id
  - {name: day, from: Day, type: date, format: [dd.MM.yyyy, yyyy-MM-dd], rules: [not_null]}
  - {name: price, type: "decimal(12,2)", nulls: ["", NA], rules: [{rule: range, min: 0}]}
  - {name: state, trim: true, rules: [{rule: in_set, values: [US, CA], severity: warn}]}
nulls: "-"
join:
  - {with: products, on: {product: id}, columns: [price2, {name: p, from: q}], unmatched: reject}
rules:
  - {rule: unique, columns: [id, day], keep: day desc, max_reject_ratio: 0.1}
  - {rule: foreign_key, column: state, references: states, key: code}
  - {rule: regex, column: state, pattern: "[A-Z]{2}"}
  - {rule: expression, sql: price > 0, message: free}
  - {rule: row_count, min: 10, max: 100, max_change: 0.5, severity: warn}
  - {rule: freshness, column: day, max_age: 26 hours, since: now}
filter: state <> 'XX'
select: SELECT * FROM orders
max_reject_ratio: "0.05"
"""
BAD_SPECIFICATIONS = [
    "columnes: [id]",
    "columns: [{name: id, typ: integer}]",
    "columns: [{name: id, type: int}]",
    "columns: [{name: id, rules: [positive]}]",
    "columns: [{name: id, rules: [{rule: in_set}]}]",
    "rules: [{rule: range, column: id, min: 1, maximum: 2}]",
    "rules: [{rule: row_count, min: 1, severity: reject}]",
    "join: [{with: products, 'on': id, unmatched: maybe}]",
    "max_reject_ratio: 3",
]
BAD_FIELDS: list[dict[str, Any]] = [
    {"JobType": "airflow"},
    {"JobName": "no good name"},
    {"TimeoutMinutes": 0},
    {"DependsOn": [{"JobName": "a", "Requires": True}]},
    {"WorkerType": "G.3X"},
    {"SkipFlag": "perhaps"},
]


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_each_file_is_what_the_code_makes(path: Path) -> None:
    assert path.read_text() == files()[path], "stale: make generate"


@pytest.mark.parametrize("path", sorted((ROOT / "jobs").glob("*.yaml")), ids=lambda p: p.name)
def test_the_schema_takes_the_rows_that_ship(path: Path) -> None:
    assert is_taken(jobs_schema(), yaml.safe_load(path.read_text()))


def test_the_schema_takes_a_specification_that_uses_everything() -> None:
    document = yaml.safe_load(WHOLE)

    read_specification(document)
    assert is_taken(specification_schema(), document)
    row = ROW | {"Target": "{stack}-transform", "Arguments": document | {"inputs": "orders"}}
    assert is_taken(jobs_schema(), [row])


@pytest.mark.parametrize("text", BAD_SPECIFICATIONS)
def test_the_schema_and_the_code_refuse_the_same_specification(text: str) -> None:
    document = yaml.safe_load(text)

    with pytest.raises(SpecificationError):
        read_specification(document)
    assert not is_taken(specification_schema(), document)


@pytest.mark.parametrize("fields", BAD_FIELDS, ids=str)
def test_the_schema_and_the_code_refuse_the_same_row(fields: dict[str, Any]) -> None:
    assert not read_row(ROW | fields).is_valid
    assert not is_taken(jobs_schema(), [ROW | fields])


def test_columns_of_the_users_own_are_welcome() -> None:
    assert is_taken(jobs_schema(), [ROW | {"CostCentre": 7}])


def is_taken(schema: dict[str, Any], document: Any) -> bool:
    """Whether a validator passes the document."""
    try:
        compile_schema(schema)(document)
    except JsonSchemaValueException:
        return False
    return True
