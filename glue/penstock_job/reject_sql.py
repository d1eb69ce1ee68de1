"""SQL for what is kept of a rejected record beside the record: the rule it breaks, and its key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from penstock_job.column_type import TEXT, ColumnType
from penstock_job.dialect import Dialect
from penstock_job.rule import FAIL_JOB, REJECT, UNIQUE
from penstock_job.specification import Specification

if TYPE_CHECKING:
    from penstock_job.check import Check

RETRY = "penstock_retry"
"""The column with the number of a record that is tried again; NULL for a new one."""


def rejecting(checks: Sequence[Check], *, is_numbered: bool) -> list[tuple[Check, str]]:
    """The checks that set a record aside, each with its condition.

    What would fail the job only sets a record aside that is tried again.
    """
    found = [(check, check.flag) for check in checks if check.severity == REJECT]
    if is_numbered:
        found += [
            (check, f"({check.flag} AND {RETRY} IS NOT NULL)")
            for check in checks
            if check.severity == FAIL_JOB
        ]
    return found


def first_rule(checks: Sequence[Check], dialect: Dialect, *, is_numbered: bool) -> str:
    """The label of the first check that a record fails."""
    cases = [
        f"WHEN {condition} THEN {dialect.literal(check.label)}"
        for check, condition in rejecting(checks, is_numbered=is_numbered)
    ]
    return f"CASE {' '.join(cases)} END"


def key_sources(specification: Specification) -> list[str]:
    """The input's columns that make the key: those of the first `unique` rule; none without."""
    sources = {column.name: column.source for column in specification.columns}
    for rule in specification.rules:
        if rule.name == UNIQUE:
            return [sources.get(name, name) for name in rule.columns]
    return []


def key_text(specification: Specification, raw: Mapping[str, str], dialect: Dialect) -> str:
    """The values of the key as they came, for people; `raw` are the expressions by column."""
    text = dialect.type_name(ColumnType(TEXT))
    values = [f"CAST({raw[name]} AS {text})" for name in key_sources(specification)]
    return f"concat_ws(' / ', {', '.join(values)})" if values else f"CAST(NULL AS {text})"
