"""Compiles a specification to SQL. Pure: the same tables in, the same statements out.

    taken    the input's columns as they came
    plain    each text cast by the engine itself
    typed    each column read as its type
    read     whether there was a value that could not be read
    joined   what the lookups have, and whether they have it
    checked  each rule broken or not, and the filter's verdict
    ranked   `unique`, which needs the verdicts of the other rules
    stated   one status per record: accepted, rejected or filtered, and why

A record that the filter plainly refuses, or that a join drops, is filtered, whatever else is wrong
with it: it is none of this job's business. One that breaks a rule is rejected. One that the filter
cannot judge (its verdict is NULL) and that breaks no rule is filtered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from penstock_job.cast import is_unreadable, plain_cast, read_as, without_nulls
from penstock_job.check import JOIN, Check, checks_of
from penstock_job.column import Column
from penstock_job.column_type import ColumnType
from penstock_job.dialect import Dialect
from penstock_job.errors import SpecificationError
from penstock_job.join import DROP, Join
from penstock_job.lookup import Lookup, Schemas, lookups_of
from penstock_job.record import raw_columns, record_of
from penstock_job.reject_sql import RETRY, first_rule, key_text, rejecting
from penstock_job.rule import FOREIGN_KEY, Rule
from penstock_job.rule_sql import broken
from penstock_job.specification import Specification, require_columns

JUDGED = "penstock_judged"
LINE, FAULT = "penstock_line", "penstock_fault"
"""Columns of an input of lines, some of which are no records: the line, and why it is none."""
ACCEPTED, REJECTED, FILTERED = "accepted", "rejected", "filtered"
MALFORMED = "malformed"


@dataclass(frozen=True)
class Program:
    """The compiled statements.

    `lookups` are to be made tables first. `judged` reads the main input; its result is to be kept
    as the table `penstock_judged`, which the others read. `tally` gives one row: records,
    accepted, rejected, filtered, those of them that are tried again and not filtered, those again
    rejected, then the number of records that fail each check, without those tried again. `rejects`
    gives what `penstock_job.rejects` keeps, `accepted_again` the numbers of the records that are
    tried again and accepted.
    """

    lookups: tuple[Lookup, ...]
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
    lookups: tuple[Lookup, ...]
    checks: tuple[Check, ...]
    dialect: Dialect
    has_lines: bool
    is_numbered: bool

    @property
    def lines(self) -> list[str]:
        return [LINE, FAULT] if self.has_lines else []

    @property
    def types(self) -> dict[str, ColumnType]:
        own = {column.name: column.type for column in self.columns}
        return {**own, **{n: t for look in self.lookups for n, t in look.columns.items()}}

    def rule_checks(self, *, comparisons: bool) -> list[tuple[Check, Rule]]:
        return [
            (check, check.rule)
            for check in self.checks
            if check.rule is not None and check.is_comparison is comparisons
        ]

    def name(self, name: str) -> str:
        return self.dialect.identifier(name)

    def is_read(self, names: Sequence[str]) -> list[str]:
        """That the values of these columns could be read: one fault, one reason."""
        flags = {column.name: check.flag for column, check in zip(self.columns, self.checks)}
        return [f"NOT {flags[name]}" for name in names if name in flags]


def compile_program(
    specification: Specification,
    schema: Mapping[str, ColumnType],
    table: str,
    dialect: Dialect,
    others: Schemas | None = None,
) -> Program:
    """The program for a main input with these columns, known to the engine as `table`.

    `others` are the columns of the other inputs. An input with the column `penstock_retry` has the
    number of each record there that is tried again. No limit and no `fail_job` is for those: what
    has been set aside once does not stop a later run, it is rejected again.

    Raises SpecificationError where the specification does not fit the inputs.
    """
    has_lines, is_numbered = LINE in schema, RETRY in schema
    schema = records_of(schema)
    require_columns(specification, list(schema))
    columns = specification.columns or tuple(
        Column(name, name, column_type) for name, column_type in schema.items()
    )
    for column in columns:
        _require_source(column, schema)
    own = {column.name: column.type for column in columns}
    lookups = lookups_of(specification, own, others or {})
    checks = checks_of(specification, columns, lookups)
    subject = _Subject(
        specification, columns, schema, tuple(lookups), checks, dialect, has_lines, is_numbered
    )
    names = ", ".join(dialect.identifier(name) for name in subject.types)
    return Program(
        lookups=subject.lookups,
        judged=_judged(subject, table),
        tally=_tally(subject.checks),
        accepted=f"SELECT {names} FROM {JUDGED} WHERE penstock_status = '{ACCEPTED}'",
        rejects=(
            "SELECT CAST(NULL AS BIGINT) AS line, penstock_key AS key, penstock_record AS record, "
            "CAST(NULL AS STRING) AS header, penstock_rule AS rule, penstock_reason AS reason, "
            f"{RETRY} FROM {JUDGED} WHERE penstock_status = '{REJECTED}'"
        ),
        accepted_again=(
            f"SELECT {RETRY} FROM {JUDGED} "
            f"WHERE penstock_status = '{ACCEPTED}' AND {RETRY} IS NOT NULL"
        ),
        checks=subject.checks,
    )


def records_of(schema: Mapping[str, ColumnType]) -> dict[str, ColumnType]:
    """The columns of the records themselves among those of an input."""
    return {name: kind for name, kind in schema.items() if name not in (LINE, FAULT, RETRY)}


def _require_source(column: Column, schema: Mapping[str, ColumnType]) -> None:
    if column.source not in schema:
        raise SpecificationError(
            f"column {column.name} comes from {column.source}, which the input does not have; "
            f"it has {', '.join(schema)}"
        )


def _tally(checks: Sequence[Check]) -> str:
    statuses = [
        f"count(*) FILTER (WHERE penstock_status = '{status}') AS {status}"
        for status in (ACCEPTED, REJECTED, FILTERED)
    ]
    failed = [
        f"count(*) FILTER (WHERE {check.flag} AND penstock_status IN ('{ACCEPTED}', '{REJECTED}') "
        f"AND {RETRY} IS NULL) AS {check.flag}"
        for check in checks
    ]
    statuses += [
        f"count({RETRY}) FILTER (WHERE penstock_status <> '{FILTERED}') AS again",
        f"count({RETRY}) FILTER (WHERE penstock_status = '{REJECTED}') AS rejected_again",
    ]
    records = f"count(*) FILTER (WHERE penstock_status <> '{MALFORMED}') AS records"
    return f"SELECT {', '.join([records, *statuses, *failed])} FROM {JUDGED}"


def _judged(subject: _Subject, table: str) -> str:
    names = [subject.name(name) for name in subject.types]
    flags = [check.flag for check in subject.checks]
    kept = ", ".join([*names, *flags, *subject.lines, "penstock_status", "penstock_reason", RETRY])
    raw, dialect = dict(raw_columns(subject.schema)), subject.dialect
    rule = first_rule(subject.checks, dialect, is_numbered=subject.is_numbered)
    described = {
        "penstock_record": dialect.record_text(record_of(subject.schema, dialect)),
        "penstock_rule": rule,
        "penstock_key": key_text(subject.specification, raw, dialect),
    }
    rejected = ", ".join(
        f"CASE WHEN penstock_status = '{REJECTED}' THEN {text} END AS {name}"
        for name, text in described.items()
    )
    return (
        f"WITH taken AS ({_taken(subject, table)}), plain AS ({_plain(subject)}), "
        f"typed AS ({_typed(subject)}), read AS ({_read(subject)}), "
        f"joined AS ({_joined(subject)}), checked AS ({_checked(subject)}), "
        f"ranked AS ({_ranked(subject)}), stated AS ({_stated(subject)}) "
        f"SELECT {kept}, {rejected} FROM stated"
    )


def _taken(subject: _Subject, table: str) -> str:
    raw = dict(raw_columns(subject.schema))
    selected = [f"input.{subject.name(name)} AS {column}" for name, column in raw.items()]
    for number, column in enumerate(subject.columns):
        value = f"input.{subject.name(column.source)}"
        source_type = subject.schema[column.source]
        taken = without_nulls(column, source_type, value, subject.dialect)
        selected.append(f"{taken} AS penstock_value_{number}")
    retry = f"input.{RETRY}" if subject.is_numbered else "CAST(NULL AS BIGINT)"
    selected += [*(f"input.{name}" for name in subject.lines), f"{retry} AS {RETRY}"]
    return f"SELECT {', '.join(selected)} FROM {subject.name(table)} AS input"


def _plain(subject: _Subject) -> str:
    selected = ["*"]
    for number, column in enumerate(subject.columns):
        source_type = subject.schema[column.source]
        cast = plain_cast(column, source_type, f"penstock_value_{number}", subject.dialect)
        if cast is not None:
            selected.append(f"{cast} AS penstock_plain_{number}")
    return f"SELECT {', '.join(selected)} FROM taken"


def _typed(subject: _Subject) -> str:
    selected = ["*"]
    for number, column in enumerate(subject.columns):
        source_type = subject.schema[column.source]
        value = f"penstock_value_{number}"
        has_plain = plain_cast(column, source_type, value, subject.dialect) is not None
        plain = f"penstock_plain_{number}" if has_plain else None
        typed = read_as(column, source_type, value, plain, subject.dialect)
        selected.append(f"{typed} AS {subject.name(column.name)}")
    return f"SELECT {', '.join(selected)} FROM plain"


def _read(subject: _Subject) -> str:
    selected = ["*"]
    for number, (column, check) in enumerate(zip(subject.columns, subject.checks)):
        source_type = subject.schema[column.source]
        value, typed = f"penstock_value_{number}", subject.name(column.name)
        unreadable = is_unreadable(column, source_type, value, typed, subject.dialect)
        selected.append(f"{unreadable} AS {check.flag}")
    return f"SELECT {', '.join(selected)} FROM typed"


def _joined(subject: _Subject) -> str:
    selected = ["records.*"]
    joins = []
    for look in subject.lookups:
        selected += look.selected(subject.dialect)
        joins.append(look.join(subject.dialect))
    return " ".join([f"SELECT {', '.join(selected)} FROM read AS records", *joins])


def _checked(subject: _Subject) -> str:
    selected = ["*", f"{_verdict(subject)} AS penstock_filter"]
    for check in subject.checks:
        if check.kind == JOIN and check.lookup is not None:
            read = subject.is_read([name for name, _ in check.lookup.on])
            test = " AND ".join([f"NOT {check.lookup.found}", *read])
            selected.append(f"({test}) AS {check.flag}")
    for check, rule in subject.rule_checks(comparisons=False):
        if rule.name == FOREIGN_KEY and check.lookup is not None:
            there = [f"{subject.name(name)} IS NOT NULL" for name in rule.columns]
            test = " AND ".join([f"NOT {check.lookup.found}", *there])
        else:
            test = broken(rule, subject.types, subject.dialect)
        test = " AND ".join([f"({test})", *subject.is_read(rule.columns)])
        selected.append(f"coalesce({test}, FALSE) AS {check.flag}")
    return f"SELECT {', '.join(selected)} FROM joined"


def _verdict(subject: _Subject) -> str:
    condition = subject.specification.filter
    verdict = f"({subject.dialect.sql(condition)})" if condition else "TRUE"
    dropped = [
        " AND ".join([f"NOT {look.found}", *subject.is_read([name for name, _ in look.on])])
        for look in subject.lookups
        if isinstance(look.origin, Join) and look.origin.unmatched == DROP
    ]
    if not dropped:
        return verdict
    tests = " OR ".join(f"({test})" for test in dropped)
    return f"CASE WHEN {tests} THEN FALSE ELSE {verdict} END"


def _ranked(subject: _Subject) -> str:
    comparisons = subject.rule_checks(comparisons=True)
    reason = _reason(subject)
    if not comparisons:
        return f"SELECT *, {reason} AS penstock_reason FROM checked"
    # Only records that are good in themselves compete for a key; otherwise a bad one could take
    # it, and both it and the good one would be lost.
    fit = f"(NOT ({_fails(_rejecting(subject, comparisons=False))}) AND penstock_filter IS TRUE)"
    flags = ["*", *(f"{_repeats(subject, rule)} AS {check.flag}" for check, rule in comparisons)]
    ranked = f"SELECT {', '.join(flags)} FROM (SELECT *, {fit} AS penstock_fit FROM checked) AS fit"
    return f"SELECT *, {reason} AS penstock_reason FROM ({ranked}) AS compared"


def _stated(subject: _Subject) -> str:
    malformed = f"WHEN {FAULT} IS NOT NULL THEN '{MALFORMED}' " if subject.has_lines else ""
    return (
        f"SELECT *, CASE {malformed}WHEN penstock_filter IS FALSE THEN '{FILTERED}' "
        f"WHEN penstock_reason <> '' THEN '{REJECTED}' "
        f"WHEN penstock_filter IS TRUE THEN '{ACCEPTED}' "
        f"ELSE '{FILTERED}' END AS penstock_status FROM ranked"
    )


def _repeats(subject: _Subject, rule: Rule) -> str:
    keys = [subject.name(name) for name in rule.columns]
    present = " AND ".join(f"{key} IS NOT NULL" for key in keys)
    # Ties are broken by the whole record, so that both engines keep the same one.
    order = [f"{raw} ASC NULLS FIRST" for _, raw in raw_columns(subject.schema)]
    if rule.keep:
        way = "DESC" if rule.keep.descending else "ASC"
        order.insert(0, f"{subject.name(rule.keep.column)} {way} NULLS LAST")
    partition = ", ".join([*keys, "penstock_fit"])
    rank = f"row_number() OVER (PARTITION BY {partition} ORDER BY {', '.join(order)})"
    return f"(penstock_fit AND {present} AND {rank} > 1)"


def _rejecting(subject: _Subject, *, comparisons: bool) -> list[tuple[Check, str]]:
    return [
        (check, condition)
        for check, condition in rejecting(subject.checks, is_numbered=subject.is_numbered)
        if comparisons or not check.is_comparison
    ]


def _fails(checks: Sequence[tuple[Check, str]]) -> str:
    return " OR ".join(condition for _, condition in checks)


def _reason(subject: _Subject) -> str:
    checks = _rejecting(subject, comparisons=True)
    cases = ", ".join(
        f"CASE WHEN {condition} THEN {subject.dialect.literal(check.text)} END"
        for check, condition in checks
    )
    # Most records fail nothing; for them, no text is put together.
    return f"CASE WHEN {_fails(checks)} THEN concat_ws('; ', {cases}) ELSE '' END"
