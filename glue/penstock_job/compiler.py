"""Compiles a specification to SQL. Pure: the same tables in, the same statements out.

    taken    the input's columns as they came
    plain    each text cast by the engine itself
    typed    each column read as its type
    read     whether there was a value that could not be read
    joined   what the lookups have, and whether they have it
    checked  each rule broken or not, and the filter's verdict
    ranked   `unique`, which needs the verdicts of the other rules
    stated   one status per record: accepted, rejected or filtered

Why a record is rejected, and its text, are put together for rejects alone.

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
from penstock_job.judged_table import ACCEPTED, JUDGED, LINE, READ, REJECTED, STATED, records_of
from penstock_job.lookup import Lookup, Schemas, lookups_of
from penstock_job.record import raw_columns, record_of
from penstock_job.reject_sql import RETRY, first_rule, key_text
from penstock_job.specification import Specification, require_columns
from penstock_job.subject import Subject
from penstock_job.tally import counts_of
from penstock_job.typed_columns import plain, read, taken, typed
from penstock_job.verdict import checked, ranked, reason, stated


@dataclass(frozen=True)
class Program:
    """The compiled statements.

    `lookups` are to be made tables first. `read` reads the main input, as the table
    `penstock_read`; what `judged` makes of that is the table `penstock_judged`, which the others
    read. The same in two steps is `stated`, as the table `penstock_stated`, and `described`, which
    leaves out the result's columns. `counts` are the aggregates that `penstock_job.tally` reads.
    `rejects` gives what `penstock_job.rejects` keeps, `accepted_again` the numbers of the records
    that are tried again and accepted.
    """

    lookups: tuple[Lookup, ...]
    read: str
    judged: str
    stated: str
    described: str
    counts: tuple[str, ...]
    accepted: str
    rejects: str
    accepted_again: str
    checks: tuple[Check, ...]

    @property
    def tally(self) -> str:
        """The select of the counts, as one row."""
        return f"SELECT {', '.join(self.counts)} FROM {JUDGED}"

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


def _require_source(column: Column, schema: Mapping[str, ColumnType]) -> None:
    if column.source not in schema:
        raise SpecificationError(
            f"column {column.name} comes from {column.source}, which the input does not have; "
            f"it has {', '.join(schema)}"
        )


def _judged(subject: Subject) -> dict[str, str]:
    names = [subject.name(name) for name in subject.types]
    flags = [check.flag for check in subject.checks]
    kept = [*flags, *subject.lines, "penstock_status", RETRY]
    raws = [raw for _, raw in raw_columns(subject.schema)]
    steps = (
        f"WITH joined AS ({_joined(subject)}), checked AS ({checked(subject)}), "
        f"ranked AS ({ranked(subject)}), stated AS ({stated(subject)})"
    )
    described = _described(subject)
    return {
        "judged": f"{steps} SELECT {', '.join([*names, *kept, *described])} FROM stated",
        "stated": f"{steps} SELECT {', '.join([*names, *raws, *kept])} FROM stated",
        "described": f"SELECT {', '.join([*kept, *described])} FROM {STATED}",
    }


def _described(subject: Subject) -> list[str]:
    """What is kept of a rejected record beside its status."""
    raw, dialect = dict(raw_columns(subject.schema)), subject.dialect
    described = {
        "penstock_record": dialect.record_text(record_of(subject.schema, dialect)),
        "penstock_rule": first_rule(subject.checks, dialect, is_numbered=subject.is_numbered),
        "penstock_reason": reason(subject),
        "penstock_key": key_text(subject.specification, raw, dialect),
    }
    return [
        f"CASE WHEN penstock_status = '{REJECTED}' THEN {text} END AS {name}"
        for name, text in described.items()
    ]


def _joined(subject: Subject) -> str:
    selected = ["records.*"]
    joins = []
    for look in subject.lookups:
        selected += look.selected(subject.dialect)
        joins.append(look.join(subject.dialect))
    return " ".join([f"SELECT {', '.join(selected)} FROM {READ} AS records", *joins])
