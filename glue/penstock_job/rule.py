"""The rules that records must keep, as the job's row writes them.

    not_null | unique                                   a bare word
    {rule: range, min: 0, max: 10}                      either end may be left out
    {rule: in_set, values: [US, CA]}
    {rule: regex, pattern: "[A-Z]{2}"}                  the whole value must match
    {rule: unique, columns: [a, b], keep: "updated_at desc"}
    {rule: foreign_key, references: customers, key: id} there must be such a row of another input
    {rule: expression, sql: "deaths <= cases", message: "more deaths than cases"}

Each may say `severity: reject` (the default: the record is set aside), `warn` (it is counted and
kept) or `fail_job` (one such record fails the job), and `max_reject_ratio`, the share of records
that may break this rule before the job fails. The rules about the whole data set are in
`table_rule`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock_job.errors import SpecificationError
from penstock_job.problems import Problems, read_list, read_text, read_texts, require_known

REJECT, WARN, FAIL_JOB = "reject", "warn", "fail_job"
SEVERITIES = (REJECT, WARN, FAIL_JOB)
NOT_NULL, RANGE, IN_SET, REGEX = "not_null", "range", "in_set", "regex"
UNIQUE, FOREIGN_KEY, EXPRESSION = "unique", "foreign_key", "expression"

OPTIONS: Mapping[str, Sequence[str]] = {
    NOT_NULL: (),
    RANGE: ("min", "max"),
    IN_SET: ("values",),
    REGEX: ("pattern",),
    UNIQUE: ("keep",),
    FOREIGN_KEY: ("references", "key"),
    EXPRESSION: ("sql",),
}
COMMON = ("rule", "column", "columns", "severity", "max_reject_ratio", "message")
TABLE_RULES = ("row_count", "freshness")
_KEEP = re.compile(r"(.+?)(?:\s+(asc|desc))?", re.IGNORECASE)

# DuckDB's regular expressions have neither; Spark's would take them and the results would differ.
_UNPORTABLE_PATTERN = re.compile(r"\(\?[=!<]|\\[1-9]")


@dataclass(frozen=True)
class Preference:
    """Which of several records with one key stays: the first by this column."""

    column: str
    descending: bool


@dataclass(frozen=True)
class Rule:
    """One rule. `columns` is empty only for an expression."""

    name: str
    columns: tuple[str, ...]
    severity: str
    max_reject_ratio: float | None
    message: str | None
    options: Mapping[str, Any]

    @property
    def keep(self) -> Preference | None:
        """For `unique`: which of the repeated records stays."""
        return read_preference(self.options.get("keep"))

    @property
    def key(self) -> tuple[str, ...]:
        """For `foreign_key`: the columns of the other input, in the order of `columns`."""
        return read_texts(self.options.get("key"), "key") or self.columns


def read_rules(entries: object, column: str | None, path: str, problems: Problems) -> list[Rule]:
    """The rules of one column, or (column None) of the records as a whole."""
    listed = problems.read(path, lambda: read_list(entries, "rules"))
    return [
        rule
        for position, entry in enumerate(listed[0] if listed else [])
        if not is_table_rule(entry)
        for rule in problems.read(
            f"{path}[{position}]",
            lambda entry=entry: _read_rule(entry, column),  # type: ignore[misc]
        )
    ]


def is_table_rule(entry: object) -> bool:
    """Whether an entry of `rules` is about the data set rather than its records."""
    return isinstance(entry, Mapping) and entry.get("rule") in TABLE_RULES


def read_ratio(value: object) -> float | None:
    """A `max_reject_ratio`: a share between 0 and 1, or None for no limit."""
    if value is None or value == "":
        return None
    try:
        ratio = float(str(value).strip('"'))  # a decimal of DynamoDB comes as a JSON text
    except ValueError:
        ratio = -1.0
    if not 0 <= ratio <= 1:
        raise SpecificationError(f"max_reject_ratio must be a number from 0 to 1, not {value!r}")
    return ratio


def read_preference(value: object) -> Preference | None:
    """A `keep` such as `updated_at desc`; None where there is none."""
    if value is None or value == "":
        return None
    match = _KEEP.fullmatch(read_text(value, "keep").strip())
    assert match
    return Preference(match[1], (match[2] or "").lower() == "desc")


def read_severity(body: Mapping[str, Any], allowed: Sequence[str], default: str) -> str:
    """The severity that a rule states, or the default."""
    severity = body.get("severity", default)
    if severity not in allowed:
        raise SpecificationError(f"severity must be one of {', '.join(allowed)}, not {severity!r}")
    return str(severity)


def _read_rule(entry: object, column: str | None) -> Rule:
    body = {"rule": entry} if isinstance(entry, str) else entry
    if not isinstance(body, Mapping) or body.get("rule") not in OPTIONS:
        known = ", ".join([*OPTIONS, *TABLE_RULES])
        raise SpecificationError(f"{entry!r} is no rule; the rules are {known}")
    name = str(body["rule"])
    require_known(body, [*COMMON, *OPTIONS[name]], f"rule {name}")
    rule = Rule(
        name=name,
        columns=_columns_of(body, name, column),
        severity=read_severity(body, SEVERITIES, REJECT),
        max_reject_ratio=read_ratio(body.get("max_reject_ratio")),
        message=body.get("message"),
        options={key: body[key] for key in OPTIONS[name] if key in body},
    )
    _require_options(rule)
    return rule


def _columns_of(body: Mapping[str, Any], name: str, column: str | None) -> tuple[str, ...]:
    if name == EXPRESSION:
        return ()
    named = body.get("columns") or body.get("column") or column
    if not named:
        raise SpecificationError(f"rule {name} does not say which column it is for")
    return read_texts(named, "columns")


def _require_options(rule: Rule) -> None:
    options = rule.options
    needs = {
        RANGE: options.get("min") is not None or options.get("max") is not None,
        IN_SET: isinstance(options.get("values"), list) and bool(options["values"]),
        REGEX: bool(options.get("pattern")),
        FOREIGN_KEY: isinstance(options.get("references"), str) and bool(options["references"]),
        EXPRESSION: bool(options.get("sql")),
    }
    if not needs.get(rule.name, True):
        required = {FOREIGN_KEY: "references"}.get(rule.name, " or ".join(OPTIONS[rule.name]))
        raise SpecificationError(f"rule {rule.name} needs {required}")
    if rule.name == REGEX:
        _require_portable(str(options["pattern"]))
    if rule.name == FOREIGN_KEY and len(rule.key) != len(rule.columns):
        raise SpecificationError(
            f"rule foreign_key compares {len(rule.columns)} columns with {len(rule.key)} of "
            f"{options['references']}"
        )
    read_preference(options.get("keep"))


def _require_portable(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise SpecificationError(f"pattern {pattern!r} cannot be read: {error}") from None
    if _UNPORTABLE_PATTERN.search(pattern):
        raise SpecificationError(
            f"pattern {pattern!r} uses a look-around or a back reference, "
            "which the engines do not share"
        )
