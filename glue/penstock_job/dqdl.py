"""A specification's rules as a DQDL ruleset, for the console of AWS Glue Data Quality.

DQDL judges data that has been published; what only the transform can see (a text that is no number)
has no counterpart there. A rule without one is named in a comment, so that nothing is left out in
silence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from penstock_job.column_type import DATE, NUMERIC, TEXT, TIMESTAMP, ColumnType, plain_number
from penstock_job.rule import (
    EXPRESSION,
    FOREIGN_KEY,
    IN_SET,
    NOT_NULL,
    RANGE,
    REGEX,
    UNIQUE,
    Rule,
)
from penstock_job.specification import Specification
from penstock_job.table_rule import Freshness, RowCount

_NAME = re.compile(r"\w+", re.ASCII)


def dqdl_of(specification: Specification) -> str:
    """The ruleset of a specification, rule by rule in their order."""
    types = {column.name: column.type for column in specification.columns}
    lines: list[str] = []
    comments: list[str] = []
    for rule in specification.rules:
        made = list(_RULES[rule.name](rule, types))
        if made:
            lines += made
        else:
            comments.append(f"# no equivalent: {_told(rule)}")
    for count in specification.table_rules.row_counts:
        lines += _row_count(count)
        if count.max_change is not None:
            lines.append(_change(count.max_change))
    lines += [_freshness(rule) for rule in specification.table_rules.freshness]
    if specification.joins:
        names = ", ".join(join.lookup for join in specification.joins)
        comments.append(f"# no equivalent: what becomes of records that find nothing in {names}")
    body = ",\n".join(f"    {line}" for line in lines)
    return "\n".join([*comments, f"Rules = [\n{body}\n]"]) + "\n"


def _not_null(rule: Rule, _types: Mapping[str, ColumnType]) -> Iterator[str]:
    for name in rule.columns:
        yield (
            f"{_sharing('Completeness', name, rule)}"
            if rule.max_reject_ratio
            else (f"IsComplete {_quoted(name)}")
        )


def _unique(rule: Rule, _types: Mapping[str, ColumnType]) -> Iterator[str]:
    if len(rule.columns) == 1:
        yield f"IsUnique {_quoted(rule.columns[0])}"
    else:  # IsPrimaryKey takes several columns, and forbids missing values as well
        yield f"IsPrimaryKey {' '.join(map(_quoted, rule.columns))}"


def _range(rule: Rule, types: Mapping[str, ColumnType]) -> Iterator[str]:
    least, most = rule.options.get("min"), rule.options.get("max")
    for name in rule.columns:
        kind = types.get(name, ColumnType(TEXT)).kind
        if kind not in (*NUMERIC, DATE, TIMESTAMP):
            return
        ends = [(">=", least), ("<=", most)]
        tests = [
            f"(ColumnValues {_quoted(name)} {sign} {_value(end, kind)})"
            for sign, end in ends
            if end is not None
        ]
        yield " and ".join(tests) if len(tests) > 1 else tests[0][1:-1]


def _in_set(rule: Rule, types: Mapping[str, ColumnType]) -> Iterator[str]:
    for name in rule.columns:
        kind = types.get(name, ColumnType(TEXT)).kind
        values = ", ".join(_value(value, kind) for value in rule.options["values"])
        yield f"ColumnValues {_quoted(name)} in [{values}]{_threshold(rule)}"


def _regex(rule: Rule, _types: Mapping[str, ColumnType]) -> Iterator[str]:
    for name in rule.columns:
        pattern = _quoted(f"^(?:{rule.options['pattern']})$")
        yield f"ColumnValues {_quoted(name)} matches {pattern}{_threshold(rule)}"


def _foreign_key(rule: Rule, _types: Mapping[str, ColumnType]) -> Iterator[str]:
    other = rule.options["references"]
    if not _NAME.fullmatch(other):  # the alias of a data source is a plain name
        return
    ours = _quoted(",".join(rule.columns))
    theirs = ",".join(rule.key)
    yield (
        f"ReferentialIntegrity {ours} {_quoted(f'{other}.{{{theirs}}}')} >= {1 - _ratio(rule):g}"
    )


def _expression(rule: Rule, _types: Mapping[str, ColumnType]) -> Iterator[str]:
    sql = " ".join(str(rule.options["sql"]).split())
    select = f"SELECT count(*) FROM primary WHERE NOT ({sql})"
    yield f"CustomSql {_quoted(select)} = 0"


_RULES: Mapping[str, Callable[[Rule, Mapping[str, ColumnType]], Iterator[str]]] = {
    NOT_NULL: _not_null,
    UNIQUE: _unique,
    RANGE: _range,
    IN_SET: _in_set,
    REGEX: _regex,
    FOREIGN_KEY: _foreign_key,
    EXPRESSION: _expression,
}


def _row_count(rule: RowCount) -> list[str]:
    if rule.least is not None and rule.most is not None:
        return [f"RowCount between {rule.least - 1} and {rule.most + 1}"]  # both ends excluded
    if rule.least is not None:
        return [f"RowCount >= {rule.least}"]
    return [] if rule.most is None else [f"RowCount <= {rule.most}"]


def _change(share: float) -> str:
    least, most = max(0.0, 1 - share), 1 + share
    return f"(RowCount >= {least:g} * last(1)) and (RowCount <= {most:g} * last(1))"


def _freshness(rule: Freshness) -> str:
    hours = -(-rule.max_age // timedelta(hours=1))
    return f"DataFreshness {_quoted(rule.column)} <= {hours} hours"


def _sharing(kind: str, name: str, rule: Rule) -> str:
    return f"{kind} {_quoted(name)} >= {1 - _ratio(rule):g}"


def _threshold(rule: Rule) -> str:
    return f" with threshold >= {1 - _ratio(rule):g}" if rule.max_reject_ratio else ""


def _ratio(rule: Rule) -> float:
    return rule.max_reject_ratio or 0.0


def _told(rule: Rule) -> str:
    return f"{rule.name} of {', '.join(rule.columns) or 'the record'}"


def _value(value: object, kind: str) -> str:
    return plain_number(value) if kind in NUMERIC else _quoted(str(value))


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
