"""Refines a table by a specification and publishes the result, on either engine."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock_job.column_type import ColumnType
from penstock_job.compiler import JUDGED, compile_program
from penstock_job.contract import JobContract, Output, Result, write_result
from penstock_job.dataset import PublishedColumn, attempt_path, publish, rejects_path
from penstock_job.engine import Engine, Written, of_known_types
from penstock_job.errors import AccountingError, SpecificationError
from penstock_job.object_store import ObjectStore
from penstock_job.specification import Specification
from penstock_job.tally import Tally, read_tally, require_balance, require_limits

logger = logging.getLogger(__name__)
NOTHING = Written([], 0)


@dataclass(frozen=True)
class Refined:
    """A refined table, written under this attempt, not yet published."""

    tally: Tally
    schema: Mapping[str, ColumnType]
    data: Written
    rejects: Written


def refine(
    engine: Engine,
    specification: Specification,
    contract: JobContract,
    *,
    table: str,
    name: str,
    malformed: Written = NOTHING,
) -> Refined:
    """Judge the records of `table`, run the select over those accepted (as `name`), write both.

    The rejects are written before any limit is checked, so that a job that fails for them leaves
    them to be looked at. `malformed` are records of the source that never became rows.
    """
    schema = engine.schema(f"SELECT * FROM {engine.dialect.identifier(table)}")
    program = compile_program(specification, schema, table, engine.dialect)
    engine.keep(JUDGED, program.judged)
    tally = read_tally(engine.row(program.tally), program.checks, malformed.rows)
    rejects = NOTHING
    if tally.rejected:
        rejects = engine.write_json_lines(program.rejects, rejects_path(contract))
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
    return Refined(tally, result_schema, data, _joined(malformed, rejects))


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
    filtered = refined.tally.filtered + accepted - written
    require_balance(
        read=rows_read, written=written, rejected=refined.rejects.rows, filtered=filtered
    )
    columns = [PublishedColumn(name, str(kind)) for name, kind in refined.schema.items()]
    files = [file.path for file in refined.data.files]
    publish(store, contract, files, columns, written, details)
    outputs = [Output(contract.job_name, attempt_path(contract), written)]
    if refined.rejects.rows:
        outputs.append(Output("rejects", rejects_path(contract), refined.rejects.rows))
    result = Result(rows_read, written, refined.rejects.rows, filtered, refined.data.bytes, outputs)
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


def _joined(*parts: Written) -> Written:
    files: Sequence[Any] = [file for part in parts for file in part.files]
    return Written(files, sum(part.rows for part in parts))
