"""Compiles a specification to SQL. Pure: the same tables in, the same statements out.

    taken    the input's columns as they came
    plain    each text cast by the engine itself
    typed    each column read as its type
    read     whether there was a value that could not be read
    joined   what the lookups have, and whether they have it
    checked  each rule broken or not, and the filter's verdict
    ranked   `unique`, which needs the verdicts of the other rules
    stated   one status per record: accepted, rejected or filtered

Why a record is rejected, and its text, are put together for rejects alone. What lookups have is
looked up again where the judged records are written: that is quicker than to keep it.

A record that the filter plainly refuses, or that a join drops, is filtered, whatever else is wrong
with it: it is none of this job's business. One that breaks a rule is rejected. One that the filter
cannot judge (its verdict is NULL) and that breaks no rule is filtered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from penstock_job.check import Check, checks_of
from penstock_job.column import Column
from penstock_job.column_type import ColumnType
from penstock_job.dialect import Dialect
from penstock_job.errors import SpecificationError
from penstock_job.judged_table import (
    ACCEPTED,
    JUDGED,
    LINE,
    READ,
    REJECTED,
    STATED,
    STATUS,
    flags_of_masks,
    masks_of_flags,
    records_of,
)
from penstock_job.lookup import Lookup, Schemas, lookups_of
from penstock_job.record import raw_columns, record_of
from penstock_job.reject_sql import RETRY, first_rule, key_text
from penstock_job.specification import Specification, require_columns
from penstock_job.subject import Subject
from penstock_job.tally import counts_of, tally_of
from penstock_job.typed_columns import plain, read, taken, typed
from penstock_job.verdict import checked, ranked, reason, stated


@dataclass(frozen=True)
class Program:
    """The compiled statements.

    lookups          the tables to be made first
    read             the main input read, as the table `penstock_read`
    judged           the table `penstock_judged`; what lookups have is not in it
    accepted         the accepted records in it, with what lookups have for them
    rejects          what `penstock_job.rejects` keeps of it
    accepted_again   the numbers of its records that are tried again and accepted
    tally            the counts that make a tally, as one row

    The same in two steps, the table `penstock_stated` and what is kept of it:

    stated           the judged records with all columns
    counts           the aggregates over them that make a tally
    whole            the accepted records
    described        what is kept of the others
    """

    lookups: tuple[Lookup, ...]
    read: str
    judged: str
    accepted: str
    rejects: str
    accepted_again: str
    tally: str
    stated: str
    counts: tuple[str, ...]
    whole: str
    described: str
    checks: tuple[Check, ...]

    @property
    def compares(self) -> bool:
        """Whether a verdict depends on other records of the input."""
        return any(check.is_comparison for check in self.checks)


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
    subject = Subject(
        specification, columns, schema, tuple(lookups), checks, dialect, has_lines, is_numbered
    )
    names = ", ".join(dialect.identifier(name) for name in subject.types)
    return Program(
        lookups=subject.lookups,
        read=(
            f"WITH taken AS ({taken(subject, table)}), plain AS ({plain(subject)}), "
            f"typed AS ({typed(subject)}) {read(subject)}"
        ),
        **_judged(subject),
        counts=counts_of(subject.checks),
        tally=tally_of(subject.checks),
        whole=f"SELECT {names} FROM {STATED} WHERE {STATUS} = {ACCEPTED}",
        accepted=f"SELECT {names} FROM ({_looked_up_again(subject)}) AS records",
        rejects=_rejects(subject),
        accepted_again=(
            f"SELECT {RETRY} FROM {JUDGED} WHERE {STATUS} = {ACCEPTED} AND {RETRY} IS NOT NULL"
        ),
        checks=subject.checks,
    )


def _require_source(column: Column, schema: Mapping[str, ColumnType]) -> None:
    if column.source not in schema:
        raise SpecificationError(
            f"column {column.name} comes from {column.source}, which the input does not have; "
            f"it has {', '.join(schema)}"
        )


def _judged(subject: Subject) -> dict[str, str]:
    own = [subject.name(column.name) for column in subject.columns]
    whole = [subject.name(name) for name in subject.types]
    raws = [raw for _, raw in raw_columns(subject.schema)]
    flags = [check.flag for check in subject.checks]
    kept = [*subject.lines, STATUS, RETRY]
    steps = (
        f"WITH joined AS ({_joined(subject)}), checked AS ({checked(subject)}), "
        f"ranked AS ({ranked(subject)}), stated AS ({stated(subject)})"
    )
    described = [*kept, *_described(subject)]
    return {
        "judged": f"{steps} SELECT {', '.join([*own, *described])} FROM stated",
        "stated": f"{steps} SELECT {', '.join([*whole, *raws, *flags, *kept])} FROM stated",
        "described": f"SELECT {', '.join(described)} FROM {STATED}",
    }


def _described(subject: Subject) -> list[str]:
    """What is kept of a record beside its status: all that it fails, the record if rejected."""
    raw, dialect = dict(raw_columns(subject.schema)), subject.dialect
    described = {
        "penstock_record": dialect.record_text(record_of(subject.schema, dialect)),
        "penstock_key": key_text(subject.specification, raw, dialect),
    }
    rejected = [
        f"CASE WHEN {STATUS} = {REJECTED} THEN {text} END AS {name}"
        for name, text in described.items()
    ]
    return [*masks_of_flags(subject.checks), *rejected]


def _rejects(subject: Subject) -> str:
    flags = ", ".join(flags_of_masks(subject.checks))
    rejected = f"SELECT *, {flags} FROM {JUDGED} WHERE {STATUS} = {REJECTED}"
    rule = first_rule(subject.checks, subject.dialect, is_numbered=subject.is_numbered)
    return (
        "SELECT CAST(NULL AS BIGINT) AS line, penstock_key AS key, penstock_record AS record, "
        f"CAST(NULL AS STRING) AS header, {rule} AS rule, {reason(subject)} AS reason, "
        f"{RETRY} FROM ({rejected}) AS rejected"
    )


def _looked_up_again(subject: Subject) -> str:
    """The accepted records with what the lookups have for them."""
    looks = [look for look in subject.lookups if look.takes]
    names = [f"records.{subject.name(column.name)}" for column in subject.columns]
    names += [name for look in looks for name in look.taken(subject.dialect)]
    joins = [look.join(subject.dialect) for look in looks]
    accepted = f"(SELECT * FROM {JUDGED} WHERE {STATUS} = {ACCEPTED}) AS records"
    return " ".join([f"SELECT {', '.join(names)} FROM {accepted}", *joins])


def _joined(subject: Subject) -> str:
    selected = ["records.*"]
    joins = []
    for look in subject.lookups:
        selected += look.selected(subject.dialect)
        joins.append(look.join(subject.dialect))
    return " ".join([f"SELECT {', '.join(selected)} FROM {READ} AS records", *joins])
