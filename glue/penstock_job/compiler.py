"""Compiles a specification to SQL. Pure: the same tables in, the same statements out.

    typed    each column read as its type, and whether there was a value that could not be read
    checked  each rule broken or not, and the filter's verdict
    ranked   `unique`, which needs the verdicts of the other rules
    stated   one status per record: accepted, rejected or filtered, and why

A record that the filter plainly refuses is filtered, whatever else is wrong with it: it is none of
this job's business. One that breaks a rule is rejected. One that the filter cannot judge (its
verdict is NULL) and that breaks no rule is filtered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from penstock_job.cast import is_unreadable, read_as
from penstock_job.column_type import ColumnType
from penstock_job.dialect import Dialect
from penstock_job.errors import SpecificationError
from penstock_job.reject_sql import RETRY, first_rule, key_text, record_of, rejecting
from penstock_job.rule import REJECT, UNIQUE, Rule
from penstock_job.rule_sql import broken, spoken
from penstock_job.specification import Column, Specification, require_columns

JUDGED = "penstock_judged"
ACCEPTED, REJECTED, FILTERED = "accepted", "rejected", "filtered"


@dataclass(frozen=True)
class Check:
    """One thing that is counted per job: that a column can be read (no rule), or a rule."""

    number: int
    text: str
    severity: str
    rule: Rule | None = None
    column: str = ""

    @property
    def flag(self) -> str:
        """The column that says whether a record fails this check."""
        return f"penstock_check_{self.number}"

    @property
    def label(self) -> str:
        """The check in a count by rule: `type(cases)`, `range(deaths)`, `unique(state, date)`."""
        if self.rule is None:
            return f"type({self.column})"
        return f"{self.rule.name}({', '.join(self.rule.columns) or self.text})"

    @property
    def is_comparison(self) -> bool:
        """Whether the check compares a record with the others."""
        return self.rule is not None and self.rule.name == UNIQUE


@dataclass(frozen=True)
class Program:
    """The compiled statements.

    `judged` reads the main input; its result is to be kept as the table `penstock_judged`, which
    the others read. `tally` gives one row: records, accepted, rejected, filtered, those of them
    that are tried again and not filtered, those again rejected, then the number of records that
    fail each check, without those tried again. `rejects` gives what `penstock_job.rejects` keeps,
    `accepted_again` the numbers of the records that are tried again and accepted.
    """

    judged: str
    tally: str
    accepted: str
    rejects: str
    accepted_again: str
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class _Subject:
    specification: Specification
    columns: tuple[Column, ...]
    schema: Mapping[str, ColumnType]
    checks: tuple[Check, ...]
    dialect: Dialect
    numbered: bool = False

    def rule_checks(self, *, comparisons: bool) -> list[tuple[Check, Rule]]:
        return [
            (check, check.rule)
            for check in self.checks
            if check.rule is not None and check.is_comparison is comparisons
        ]

    def name(self, name: str) -> str:
        return self.dialect.identifier(name)


def compile_program(
    specification: Specification,
    schema: Mapping[str, ColumnType],
    table: str,
    dialect: Dialect,
    *,
    numbered: bool = False,
) -> Program:
    """The program for a main input with these columns, known to the engine as `table`.

    `numbered`: the input has the column `penstock_retry` besides, with the number of each record
    that is tried again and NULL for others. No limit and no `fail_job` is for those: what has been
    set aside once does not stop a later run, it is rejected again.

    Raises SpecificationError where the specification does not fit the input.
    """
    require_columns(specification, list(schema))
    columns = specification.columns or tuple(
        Column(name, name, column_type) for name, column_type in schema.items()
    )
    for column in columns:
        _require_source(column, schema)
    checks = _checks(specification, columns)
    subject = _Subject(specification, columns, schema, checks, dialect, numbered)
    names = ", ".join(dialect.identifier(column.name) for column in columns)
    return Program(
        judged=_judged(subject, table),
        tally=_tally(subject.checks),
        accepted=f"SELECT {names} FROM {JUDGED} WHERE penstock_status = '{ACCEPTED}'",
        rejects=(
            "SELECT CAST(NULL AS BIGINT) AS line, penstock_key AS key, penstock_record AS record, "
            f"CAST(NULL AS {dialect.text_type}) AS header, "
            "penstock_rule AS rule, penstock_reason AS reason, "
            f"{RETRY} FROM {JUDGED} WHERE penstock_status = '{REJECTED}'"
        ),
        accepted_again=(
            f"SELECT {RETRY} FROM {JUDGED} "
            f"WHERE penstock_status = '{ACCEPTED}' AND {RETRY} IS NOT NULL"
        ),
        checks=subject.checks,
    )


def _require_source(column: Column, schema: Mapping[str, ColumnType]) -> None:
    if column.source not in schema:
        raise SpecificationError(
            f"column {column.name} comes from {column.source}, which the input does not have; "
            f"it has {', '.join(schema)}"
        )


def _checks(specification: Specification, columns: Sequence[Column]) -> tuple[Check, ...]:
    described = [
        (f"{column.name} is not {column.type.spoken}", REJECT, None, column.name)
        for column in columns
    ]
    ruled = [(spoken(rule), rule.severity, rule, "") for rule in specification.rules]
    return tuple(Check(number, *check) for number, check in enumerate([*described, *ruled]))


def _tally(checks: Sequence[Check]) -> str:
    statuses = [
        f"count(*) FILTER (WHERE penstock_status = '{status}') AS {status}"
        for status in (ACCEPTED, REJECTED, FILTERED)
    ]
    failed = [
        f"count(*) FILTER (WHERE {check.flag} AND penstock_status <> '{FILTERED}' "
        f"AND {RETRY} IS NULL) AS {check.flag}"
        for check in checks
    ]
    again = [
        f"count({RETRY}) FILTER (WHERE penstock_status <> '{FILTERED}') AS again",
        f"count({RETRY}) FILTER (WHERE penstock_status = '{REJECTED}') AS rejected_again",
    ]
    return f"SELECT {', '.join(['count(*) AS records', *statuses, *again, *failed])} FROM {JUDGED}"


def _judged(subject: _Subject, table: str) -> str:
    names = [subject.name(column.name) for column in subject.columns]
    flags = [check.flag for check in subject.checks]
    kept = ", ".join([*names, *flags, "penstock_status", "penstock_reason", RETRY])
    raw = dict(_raw_columns(subject.schema))
    described = ", ".join(
        f"CASE WHEN penstock_status = '{REJECTED}' THEN {text} END AS {name}"
        for name, text in (
            (
                "penstock_record",
                subject.dialect.record_text(record_of(subject.schema, subject.dialect, raw)),
            ),
            (
                "penstock_rule",
                first_rule(subject.checks, subject.dialect, numbered=subject.numbered),
            ),
            ("penstock_key", key_text(subject.specification, raw, subject.dialect)),
        )
    )
    return (
        f"WITH typed AS ({_typed(subject, table)}), "
        f"checked AS ({_checked(subject)}), "
        f"ranked AS ({_ranked(subject)}), "
        f"stated AS ({_stated()}) "
        f"SELECT {kept}, {described} FROM stated"
    )


def _typed(subject: _Subject, table: str) -> str:
    selected = [
        f"input.{subject.name(name)} AS {raw}" for name, raw in _raw_columns(subject.schema)
    ]
    for column, check in zip(subject.columns, subject.checks):
        value = f"input.{subject.name(column.source)}"
        source_type = subject.schema[column.source]
        typed = read_as(column, source_type, value, subject.dialect)
        unreadable = is_unreadable(column, source_type, value, typed, subject.dialect)
        selected += [f"{typed} AS {subject.name(column.name)}", f"{unreadable} AS {check.flag}"]
    number = f"input.{RETRY}" if subject.numbered else "CAST(NULL AS BIGINT)"
    selected.append(f"{number} AS {RETRY}")
    return f"SELECT {', '.join(selected)} FROM {subject.name(table)} AS input"


def _checked(subject: _Subject) -> str:
    types = {column.name: column.type for column in subject.columns}
    condition = subject.specification.filter
    verdict = f"({subject.dialect.sql(condition)})" if condition else "TRUE"
    selected = ["*", f"{verdict} AS penstock_filter"]
    unreadable = {column.name: check for column, check in zip(subject.columns, subject.checks)}
    for check, rule in subject.rule_checks(comparisons=False):
        # What could not be read is not missing: one fault, one reason.
        excused = [f"NOT {unreadable[name].flag}" for name in rule.columns]
        test = " AND ".join([f"({broken(rule, types, subject.dialect)})", *excused])
        selected.append(f"coalesce({test}, FALSE) AS {check.flag}")
    return f"SELECT {', '.join(selected)} FROM typed"


def _ranked(subject: _Subject) -> str:
    comparisons = subject.rule_checks(comparisons=True)
    reason = _reason(subject, comparisons=True)
    if not comparisons:
        return f"SELECT *, {reason} AS penstock_reason FROM checked"
    # Only records that are good in themselves compete for a key; otherwise a bad one could take
    # it, and both it and the good one would be lost.
    fit = f"({_reason(subject, comparisons=False)} = '' AND penstock_filter IS TRUE)"
    flags = ["*", *(f"{_repeats(subject, rule)} AS {check.flag}" for check, rule in comparisons)]
    ranked = f"SELECT {', '.join(flags)} FROM (SELECT *, {fit} AS penstock_fit FROM checked) AS fit"
    return f"SELECT *, {reason} AS penstock_reason FROM ({ranked}) AS compared"


def _stated() -> str:
    return (
        f"SELECT *, CASE WHEN penstock_filter IS FALSE THEN '{FILTERED}' "
        f"WHEN penstock_reason <> '' THEN '{REJECTED}' "
        f"WHEN penstock_filter IS TRUE THEN '{ACCEPTED}' "
        f"ELSE '{FILTERED}' END AS penstock_status FROM ranked"
    )


def _repeats(subject: _Subject, rule: Rule) -> str:
    keys = [subject.name(name) for name in rule.columns]
    present = " AND ".join(f"{key} IS NOT NULL" for key in keys)
    # Ties are broken by the whole record, so that both engines keep the same one.
    order = [f"{raw} ASC NULLS FIRST" for _, raw in _raw_columns(subject.schema)]
    if rule.keep:
        way = "DESC" if rule.keep.descending else "ASC"
        order.insert(0, f"{subject.name(rule.keep.column)} {way} NULLS LAST")
    partition = ", ".join([*keys, "penstock_fit"])
    rank = f"row_number() OVER (PARTITION BY {partition} ORDER BY {', '.join(order)})"
    return f"(penstock_fit AND {present} AND {rank} > 1)"


def _reason(subject: _Subject, *, comparisons: bool) -> str:
    cases = [
        f"CASE WHEN {condition} THEN {subject.dialect.literal(check.text)} END"
        for check, condition in rejecting(subject.checks, numbered=subject.numbered)
        if comparisons or not check.is_comparison
    ]
    return f"concat_ws('; ', {', '.join(cases)})"


def _raw_columns(schema: Mapping[str, ColumnType]) -> list[tuple[str, str]]:
    return [(name, f"penstock_raw_{number}") for number, name in enumerate(schema)]
