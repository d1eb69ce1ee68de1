"""The rules that records must keep, as the job's row writes them.

    not_null | unique                                   a bare word
    {rule: range, min: 0, max: 10}                      either end may be left out
    {rule: in_set, values: [US, CA]}
    {rule: regex, pattern: "[A-Z]{2}"}                  the whole value must match
    {rule: unique, columns: [a, b], keep: "updated_at desc"}
    {rule: expression, sql: "deaths <= cases", message: "more deaths than cases"}

Each may say `severity: reject` (the default: the record is set aside), `warn` (it is counted and
kept) or `fail_job` (one such record fails the job), and `max_reject_ratio`, the share of records
that may break this rule before the job fails.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock_job.errors import SpecificationError

REJECT, WARN, FAIL_JOB = "reject", "warn", "fail_job"
SEVERITIES = (REJECT, WARN, FAIL_JOB)
NOT_NULL, RANGE, IN_SET, REGEX = "not_null", "range", "in_set", "regex"
UNIQUE, EXPRESSION = "unique", "expression"

_OPTIONS = {
    NOT_NULL: (),
    RANGE: ("min", "max"),
    IN_SET: ("values",),
    REGEX: ("pattern",),
    UNIQUE: ("columns", "keep"),
    EXPRESSION: ("sql",),
}
_COMMON = ("rule", "column", "severity", "max_reject_ratio", "message")
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
        text = self.options.get("keep")
        match = _KEEP.fullmatch(str(text).strip()) if text else None
        return Preference(match[1], (match[2] or "").lower() == "desc") if match else None


def read_rules(entries: object, column: str | None) -> list[Rule]:
    """The rules of one column, or (column None) of the records as a whole."""
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        raise SpecificationError(f"rules must be a list, not {entries!r}")
    return [_read_rule(entry, column) for entry in entries]


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


def _read_rule(entry: object, column: str | None) -> Rule:
    body = {"rule": entry} if isinstance(entry, str) else entry
    if not isinstance(body, Mapping) or body.get("rule") not in _OPTIONS:
        raise SpecificationError(f"{entry!r} is no rule; the rules are {', '.join(_OPTIONS)}")
    name = str(body["rule"])
    allowed = {*_OPTIONS[name], *_COMMON}
    unknown = sorted(set(body) - allowed)
    if unknown:
        raise SpecificationError(f"rule {name} does not know {', '.join(unknown)}")
    severity = body.get("severity", REJECT)
    if severity not in SEVERITIES:
        raise SpecificationError(f"severity must be one of {SEVERITIES}, not {severity!r}")
    rule = Rule(
        name=name,
        columns=_columns_of(body, name, column),
        severity=severity,
        max_reject_ratio=read_ratio(body.get("max_reject_ratio")),
        message=body.get("message"),
        options={key: body[key] for key in _OPTIONS[name] if key in body},
    )
    _require_options(rule)
    return rule


def _columns_of(body: Mapping[str, Any], name: str, column: str | None) -> tuple[str, ...]:
    if name == EXPRESSION:
        return ()
    named = body.get("columns") or body.get("column") or column
    if not named:
        raise SpecificationError(f"rule {name} does not say which column it is for")
    return (named,) if isinstance(named, str) else tuple(named)


def _require_options(rule: Rule) -> None:
    options = rule.options
    needs = {
        RANGE: options.get("min") is not None or options.get("max") is not None,
        IN_SET: isinstance(options.get("values"), list) and bool(options["values"]),
        REGEX: bool(options.get("pattern")),
        EXPRESSION: bool(options.get("sql")),
    }
    if not needs.get(rule.name, True):
        required = " or ".join(_OPTIONS[rule.name])
        raise SpecificationError(f"rule {rule.name} needs {required}")
    if rule.name == REGEX:
        _require_portable(str(options["pattern"]))


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
