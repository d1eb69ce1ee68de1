"""Refines a table by a specification and publishes the result, on either engine."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from penstock_job.column_type import ColumnType
from penstock_job.compiler import Program, compile_program
from penstock_job.contract import JobContract, Output, Result, write_result
from penstock_job.dataset import PublishedColumn, attempt_path, publish
from penstock_job.engine import Engine, JudgedRecords, Written, of_known_types
from penstock_job.errors import AccountingError, InputError, SpecificationError
from penstock_job.judged_table import WRITTEN
from penstock_job.object_store import ObjectStore
from penstock_job.reject_sql import key_sources
from penstock_job.rejects import MALFORMED, UNFIT, Kept, Malformed, Retries, keep_rejects, report
from penstock_job.retry import Trial, keep_accepted, try_again, unfit_rejects, without_newer_lines
from penstock_job.specification import Specification
from penstock_job.table_rule import TableRules, newest_of, warnings_of
from penstock_job.tally import (
    MALFORMED_COUNT,
    Tally,
    read_tally,
    require_balance,
    require_limits,
)

logger = logging.getLogger(__name__)

NO_LINES = Malformed()


@dataclass(frozen=True)
class Judgement:
    """The records of a table, judged: what holds of how many, before anything is written."""

    specification: Specification
    program: Program
    found: JudgedRecords
    trial: Trial

    @property
    def records(self) -> int:
        """How many records of the table itself there were, without rejects of earlier runs."""
        return self.found.counts[0] - self.trial.joined

    @property
    def malformed(self) -> int:
        """How many lines of the table were no records."""
        return self.found.counts[MALFORMED_COUNT]


@dataclass(frozen=True)
class Refined:
    """A refined table, written under this attempt, not yet published."""

    tally: Tally
    schema: Mapping[str, ColumnType]
    data: Written
    rejects: Kept
    trial: Trial
    accepted_rejects: str
    warnings: Sequence[str] = ()


def judge(
    engine: Engine, specification: Specification, table: str, retries: Retries, folder: str = ""
) -> Judgement:
    """Judge the records of `table` by the specification, once.

    Where there is a folder, and no select to be run over them, an engine may write the accepted
    records to it while it judges. Rejects of earlier runs are judged with them, as if they came
    today. The other inputs are tables already. Raises SpecificationError where it does not fit the
    data, and InputError where a lookup repeats a key.
    """
    schema = _schema_of(engine, table)
    others = {name: _schema_of(engine, name) for name in specification.lookups}
    trial = try_again(engine, retries, table, schema, key_sources(specification))
    schema = _schema_of(engine, trial.table)
    program = compile_program(specification, schema, trial.table, engine.dialect, others)
    for lookup in program.lookups:
        engine.keep(lookup.table, lookup.statement(engine.dialect))
        repeated = engine.row(lookup.repeated())[0]
        if lookup.may_repeat and repeated:
            raise InputError(
                f"{lookup.name} has {repeated} keys more than once "
                f"({', '.join(theirs for _, theirs in lookup.on)}), and the join does not say "
                "which row to take: keep: <column> desc does"
            )
    found = engine.judge_records(program, "" if specification.select else folder)
    return Judgement(specification, program, found, trial)


def refine(
    engine: Engine,
    contract: JobContract,
    judgement: Judgement,
    *,
    name: str,
    source: str,
    malformed: Malformed = NO_LINES,
    before: int | None = None,
) -> Refined:
    """Run the select over the accepted records (as `name`), and write them and the rejects.

    The rejects are written before any limit is checked, so that a job that fails for them leaves
    them to be looked at. `source` says where the records come from, `malformed` are those of it
    that never became rows, `before` the rows that the job published for the day before.
    """
    specification, program = judgement.specification, judgement.program
    tally = read_tally(judgement.found.counts, program.checks, malformed.rows)
    trial = judgement.trial
    if malformed.rows:
        trial = without_newer_lines(engine, trial, malformed.lines)
    rejects = _keep_rejects(engine, contract, source, program, tally, trial, malformed)
    require_limits(tally, specification.max_reject_ratio)

    data = judgement.found.accepted
    result = program.accepted if data is None else f"SELECT * FROM {WRITTEN}"
    engine.view(name, result)
    if specification.select:
        result = _one_select(engine.dialect.sql(specification.select))
    schema = engine.schema(result)
    selected = of_known_types(result, schema, engine.dialect)
    if data is None:
        data = engine.write_parquet(selected, attempt_path(contract))
    rules = specification.table_rules
    warnings = tally.warnings()
    warnings += _judge_table(engine, contract, rules, selected, (data.rows, before))
    for warning in warnings:
        logger.warning(warning)
    accepted = ""
    if tally.again > tally.rejected_again:
        accepted = keep_accepted(engine, contract, program.accepted_again)
    return Refined(tally, schema, data, rejects, trial, accepted, warnings)


def _keep_rejects(
    engine: Engine,
    contract: JobContract,
    source: str,
    program: Program,
    tally: Tally,
    trial: Trial,
    malformed: Malformed,
) -> Kept:
    found = [program.rejects] if tally.rejected else []
    if malformed.rows:
        found.append(malformed.rejects(engine.dialect))
    if trial.unfit:
        found.append(unfit_rejects(trial, engine.dialect))
    if not found:
        return Kept()
    rules = [*(check.label for check in program.checks), MALFORMED, UNFIT]
    return keep_rejects(engine, contract, found, rules, source=source, retries=bool(trial.rows))


def _judge_table(
    engine: Engine,
    contract: JobContract,
    rules: TableRules,
    selected: str,
    counts: tuple[int, int | None],
) -> list[str]:
    """The warnings of the rules about the data set. Raises RuleViolatedError."""
    found = [(rule.severity, rule.violation(*counts)) for rule in rules.row_counts]
    if rules.freshness:
        schema = engine.schema(selected)
        columns = [rule.column for rule in rules.freshness]
        newest = engine.row(newest_of(columns, schema, selected, engine.dialect))
        now = datetime.now(timezone.utc)
        found += [
            (rule.severity, rule.violation(seconds, contract.logical_date, now))
            for rule, seconds in zip(rules.freshness, newest)
        ]
    return warnings_of(found)


def publish_refined(
    store: ObjectStore,
    contract: JobContract,
    refined: Refined,
    *,
    rows_read: int,
    details: Mapping[str, Any],
) -> Result:
    """Check the account, publish, and leave the result file.

    A select may drop records (a join that finds no partner: they count as filtered) but not make
    several of one: that is how a join with a repeated key doubles a load.
    """
    written, accepted = refined.data.rows, refined.tally.accepted
    if written > accepted:
        raise AccountingError(
            f"the select made {written} rows of {accepted} accepted records; does a join find "
            "several partners? Nothing was published"
        )
    trial = refined.trial
    filtered = refined.tally.filtered + accepted - written + trial.superseded
    read, rejected = rows_read + trial.rows, refined.rejects.written.rows
    require_balance(read=read, written=written, rejected=rejected, filtered=filtered)
    columns = [PublishedColumn(name, str(kind)) for name, kind in refined.schema.items()]
    files = [file.path for file in refined.data.files]
    if refined.accepted_rejects:
        details = {**details, "accepted_rejects": refined.accepted_rejects}
    publish(store, contract, files, columns, written, details)
    outputs = [Output(contract.job_name, attempt_path(contract), written)]
    result = Result(
        read,
        written,
        rejected,
        filtered,
        refined.data.bytes,
        outputs,
        warnings=list(refined.warnings),
        rejects=report(contract, refined.rejects, trial.paths, trial.rows, trial.superseded),
    )
    write_result(store, contract, result)
    log_result(contract, result)
    return result


def log_result(contract: JobContract, result: Result) -> None:
    """One line for the job's log."""
    logger.info(
        "%s for %s: %d rows read, %d written, %d rejected, %d filtered",
        contract.job_name,
        contract.logical_date,
        result.rows_read,
        result.rows_written,
        result.rows_rejected,
        result.rows_filtered,
    )


def _schema_of(engine: Engine, table: str) -> Mapping[str, ColumnType]:
    return engine.schema(f"SELECT * FROM {engine.dialect.identifier(table)}")


def _one_select(sql: str) -> str:
    if not sql[:6].lower().startswith(("select", "with")):
        raise SpecificationError(f"select must be one SELECT statement, not {sql[:60]!r}")
    return sql
