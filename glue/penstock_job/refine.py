"""Refines a table by a specification and publishes the result, on either engine."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penstock_job.column_type import ColumnType
from penstock_job.compiler import JUDGED, Program, compile_program
from penstock_job.contract import JobContract, Output, Result, write_result
from penstock_job.dataset import PublishedColumn, attempt_path, publish
from penstock_job.engine import Engine, Written, of_known_types
from penstock_job.errors import AccountingError, SpecificationError
from penstock_job.object_store import ObjectStore
from penstock_job.reject_sql import key_sources
from penstock_job.rejects import MALFORMED, UNFIT, Kept, Malformed, Retries, keep_rejects, report
from penstock_job.retry import Trial, keep_accepted, try_again
from penstock_job.specification import Specification
from penstock_job.tally import Tally, read_tally, require_balance, require_limits

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Refined:
    """A refined table, written under this attempt, not yet published."""

    tally: Tally
    schema: Mapping[str, ColumnType]
    data: Written
    rejects: Kept
    retries: Retries
    trial: Trial
    accepted_rejects: str = ""

    @property
    def input_rows(self) -> int:
        """The records of the input itself that were judged."""
        return self.tally.records - self.trial.joined


def refine(
    engine: Engine,
    specification: Specification,
    contract: JobContract,
    *,
    table: str,
    name: str,
    source: str,
    retries: Retries,
    malformed: Malformed | None = None,
) -> Refined:
    """Judge the records of `table`, run the select over those accepted (as `name`), write both.

    The rejects are written before any limit is checked, so that a job that fails for them leaves
    them to be looked at. `source` names where the records come from, `malformed` are those of the
    source that never became rows, `retries` rejects of earlier runs that are tried again.
    """
    schema = engine.schema(f"SELECT * FROM {engine.dialect.identifier(table)}")
    lines = malformed.table if malformed else None
    trial = try_again(engine, retries, table, schema, key_sources(specification), lines)
    program = compile_program(
        specification, schema, trial.table, engine.dialect, numbered=bool(retries.rows)
    )
    engine.keep(JUDGED, program.judged)
    tally = read_tally(
        engine.row(program.tally), program.checks, malformed.rows if malformed else 0
    )
    rejects = _keep_rejects(engine, contract, source, program, tally, trial, malformed)
    require_limits(tally, specification.max_reject_ratio)
    for warning in tally.warnings():
        logger.warning(warning)

    engine.view(name, program.accepted)
    result = program.accepted
    if specification.select:
        result = _one_select(engine.dialect.sql(specification.select))
    result_schema = engine.schema(result)
    data = engine.write_parquet(
        of_known_types(result, result_schema, engine.dialect), attempt_path(contract)
    )
    accepted = ""
    if tally.again > tally.rejected_again:
        accepted = keep_accepted(engine, contract, program.accepted_again)
    return Refined(tally, result_schema, data, rejects, retries, trial, accepted)


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
    filtered = refined.tally.filtered + accepted - written + refined.trial.superseded
    rejected, read = refined.rejects.written.rows, rows_read + refined.trial.rows
    require_balance(read=read, written=written, rejected=rejected, filtered=filtered)
    columns = [PublishedColumn(name, str(kind)) for name, kind in refined.schema.items()]
    files = [file.path for file in refined.data.files]
    if refined.accepted_rejects:
        details = {**details, "accepted_rejects": refined.accepted_rejects}
    publish(store, contract, files, columns, written, details)
    outputs = [Output(contract.job_name, attempt_path(contract), written)]
    said = report(contract, refined.rejects, refined.retries, refined.trial.superseded)
    result = Result(read, written, rejected, filtered, refined.data.bytes, outputs, said)
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


def _one_select(sql: str) -> str:
    if not sql[:6].lower().startswith(("select", "with")):
        raise SpecificationError(f"select must be one SELECT statement, not {sql[:60]!r}")
    return sql


def _keep_rejects(
    engine: Engine,
    contract: JobContract,
    source: str,
    program: Program,
    tally: Tally,
    trial: Trial,
    malformed: Malformed | None,
) -> Kept:
    found = [program.rejects] if tally.rejected else []
    if malformed and malformed.rows:
        found.append(malformed.rejects)
    if trial.unfit and trial.rows > trial.joined + trial.superseded:
        found.append(trial.unfit)
    if not found:
        return Kept()
    rules = [*(check.label for check in program.checks), MALFORMED, UNFIT]
    return keep_rejects(engine, contract, found, rules, source=source, retries=bool(trial.rows))
