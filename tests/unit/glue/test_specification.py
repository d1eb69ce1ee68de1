"""What a job's row may say, and how it is told what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from penstock_job.column_type import ColumnType, read_type
from penstock_job.dialect import DUCKDB, SPARK
from penstock_job.errors import SpecificationError
from penstock_job.specification import Specification
from penstock_job.specification_document import read_names, specification_of
from tests.unit.glue.folder_store import FolderStore

NO_STORE = FolderStore(Path("/nowhere"))


def read(**own: Any) -> Specification:
    stated = {
        name: value if isinstance(value, str) else json.dumps(value) for name, value in own.items()
    }
    return specification_of(stated, None, NO_STORE)


def test_bare_names_are_columns_of_text_and_bare_words_are_rules() -> None:
    made = read(columns=["Date", {"name": "n", "type": "decimal(10, 2)", "rules": ["not_null"]}])

    assert [(column.name, str(column.type)) for column in made.columns] == [
        ("Date", "text"),
        ("n", "decimal(10,2)"),
    ]
    assert [(rule.name, rule.columns) for rule in made.rules] == [("not_null", ("n",))]


def test_a_ratio_is_read_however_the_control_table_gives_it() -> None:
    for value in ("0.05", '"0.05"', 0.05):
        assert read(max_reject_ratio=value).max_reject_ratio == 0.05
    assert read(max_reject_ratio="").max_reject_ratio is None


@pytest.mark.parametrize(
    ("own", "text"),
    [
        ({"columns": "[{"}, "columns is not JSON"),
        ({"columns": {"a": "date"}}, "columns must be a list, not {'a': 'date'}"),
        ({"columns": [1]}, "1 is no column"),
        ({"columns": ["a", "A"]}, "column A is declared twice"),
        ({"columns": ["penstock_x"]}, "are reserved"),
        ({"columns": [{"name": "a", "typ": "date"}]}, "column a does not know typ"),
        ({"columns": [{"name": "a", "type": "money"}]}, "'money' is no type"),
        ({"columns": [{"name": "a", "type": "decimal(39,2)"}]}, "is no type"),
        (
            {"columns": [{"name": "a", "format": "dd.MM.yyyy"}]},
            "only a date or a timestamp has a format",
        ),
        ({"columns": [{"name": "a", "type": "date", "format": "dd.MM.yy"}]}, "yyyy, MM and dd"),
        ({"rules": "not_null"}, "rules is not JSON"),
        ({"rules": ["not_null"]}, "does not say which column"),
        ({"rules": [{"rule": "never"}]}, "is no rule; the rules are not_null, range"),
        ({"rules": [{"rule": "range", "column": "a"}]}, "rule range needs min or max"),
        ({"rules": [{"rule": "range", "column": "a", "least": 1}]}, "does not know least"),
        ({"rules": [{"rule": "in_set", "column": "a", "values": "US"}]}, "needs values"),
        ({"rules": [{"rule": "regex", "column": "a", "pattern": "("}]}, "cannot be read"),
        ({"rules": [{"rule": "regex", "column": "a", "pattern": "a(?=b)"}]}, "look-around"),
        ({"rules": [{"rule": "expression"}]}, "rule expression needs sql"),
        ({"rules": [{"rule": "unique", "column": "a", "severity": "shrug"}]}, "severity must be"),
        ({"max_reject_ratio": "1.5"}, "from 0 to 1"),
        ({"max_reject_ratio": "few"}, "from 0 to 1"),
    ],
)
def test_a_mistake_in_a_row_is_told_on_one_line(own: dict[str, Any], text: str) -> None:
    with pytest.raises(SpecificationError) as mistake:
        read(**own)

    assert text in str(mistake.value)
    assert "\n" not in str(mistake.value)


def test_inputs_are_one_name_or_a_list_of_names() -> None:
    assert read_names("clean_us_cases", "inputs") == ["clean_us_cases"]
    assert read_names('["a","b"]', "inputs") == ["a", "b"]
    for wrong in ("", "[]", "[1]", '[""]'):
        with pytest.raises(SpecificationError, match="inputs must be"):
            read_names(wrong, "inputs")


def test_types_read_back_as_they_are_written() -> None:
    for text in ("text", "integer", "decimal(38,0)", "double", "boolean", "date", "timestamp"):
        assert str(read_type(text)) == text
    assert read_type("DECIMAL(5, 2)") == ColumnType("decimal", 5, 2)


@pytest.mark.parametrize(
    ("sql", "duckdb", "spark"),
    [
        ("a = 'it''s'", "a = 'it''s'", r"a = 'it\'s'"),
        (r"a = '\n'", r"a = '\n'", r"a = '\\n'"),
        ('"Shop Name" > 1', '"Shop Name" > 1', "`Shop Name` > 1"),
        ('"a""b`c" > 1', '"a""b`c" > 1', '`a"b``c` > 1'),
        ("a -- no ' quote\n> 1 /* nor \" ; */", "a  \n> 1", "a  \n> 1"),
        ("'--' || '/*' = ';'", "'--' || '/*' = ';'", "'--' || '/*' = ';'"),
    ],
)
def test_standard_sql_is_written_in_either_dialect(sql: str, duckdb: str, spark: str) -> None:
    assert DUCKDB.sql(sql) == duckdb
    assert SPARK.sql(sql) == spark


@pytest.mark.parametrize("sql", ["a = 'open", 'a = "open', "a = `b`", "a; b"])
def test_sql_that_is_not_one_expression_is_refused(sql: str) -> None:
    with pytest.raises(SpecificationError, match="is out of place"):
        DUCKDB.sql(sql)
