"""A specification's rules as DQDL."""

from __future__ import annotations

from penstock_job.dqdl import dqdl_of
from penstock_job.specification import read_specification


def test_each_rule_becomes_its_counterpart_or_a_comment() -> None:
    specification = read_specification(
        {
            "columns": [
                {"name": "id", "type": "integer", "rules": ["not_null", "unique"]},
                {"name": "state", "rules": [{"rule": "in_set", "values": ["US", 'C"A']},
                                            {"rule": "regex", "pattern": r"[A-Z]{2}\d"}]},
                {"name": "note", "rules": [{"rule": "range", "min": "a"},
                                           {"rule": "not_null", "max_reject_ratio": 0.1}]},
                {"name": "amount", "type": "decimal(8,2)",
                 "rules": [{"rule": "range", "min": 0, "max": "9.5"}]},
                {"name": "day", "type": "date", "rules": [{"rule": "range", "min": "2026-01-01"}]},
            ],
            "rules": [
                {"rule": "unique", "columns": ["state", "day"]},
                {"rule": "foreign_key", "column": "state", "references": "states", "key": "code"},
                {"rule": "expression", "sql": "amount > 1\n OR state = 'US'"},
                {"rule": "row_count", "min": 10, "max": 20, "max_change": 0.5},
                {"rule": "freshness", "column": "day", "max_age": "90 minutes"},
            ],
            "join": [{"with": "shops", "on": "id", "columns": []}],
        }
    )  # fmt: skip

    assert dqdl_of(specification) == (
        "# no equivalent: range of note\n"
        "# no equivalent: what becomes of records that find nothing in shops\n"
        "Rules = [\n"
        '    IsComplete "id",\n'
        '    IsUnique "id",\n'
        '    ColumnValues "state" in ["US", "C\\"A"],\n'
        '    ColumnValues "state" matches "^(?:[A-Z]{2}\\\\d)$",\n'
        '    Completeness "note" >= 0.9,\n'
        '    (ColumnValues "amount" >= 0) and (ColumnValues "amount" <= 9.5),\n'
        '    ColumnValues "day" >= "2026-01-01",\n'
        '    IsPrimaryKey "state" "day",\n'
        '    ReferentialIntegrity "state" "states.{code}" >= 1,\n'
        '    CustomSql "SELECT count(*) FROM primary '
        "WHERE NOT (amount > 1 OR state = 'US')\" = 0,\n"
        "    RowCount between 9 and 21,\n"
        "    (RowCount >= 0.5 * last(1)) and (RowCount <= 1.5 * last(1)),\n"
        '    DataFreshness "day" <= 2 hours\n'
        "]\n"
    )
