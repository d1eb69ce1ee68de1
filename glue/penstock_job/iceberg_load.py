"""Loads an Iceberg table with Spark: MERGE INTO by key, in one commit of the table.

Readers see the table before or after the load, never half of it. A load that is repeated finds
nothing to change: rows that are as they should be are not written, and a load whose name is among
the table's properties is not even tried.
"""

from __future__ import annotations

import argparse
import logging
import re
from collections.abc import Mapping, Sequence

from penstock_job.column_type import ColumnType
from penstock_job.contract import JobArgumentParser, JobContract, Output, Result, write_result
from penstock_job.dialect import SPARK
from penstock_job.errors import ArgumentsError, InputError, LoadError
from penstock_job.job_input import origin_of, read_input
from penstock_job.lease import Lease, add_lease_arguments, lease_of
from penstock_job.object_store import ObjectStore
from penstock_job.record import record_of
from penstock_job.refine import log_result
from penstock_job.reject_sql import RETRY
from penstock_job.rejects import MALFORMED, UNFIT, Kept, keep_rejects, report
from penstock_job.retry import Trial, read_retries, try_again, unfit_rejects
from penstock_job.rule import read_ratio
from penstock_job.spark_engine import SparkEngine
from penstock_job.specification_document import read_names
from penstock_job.tally import require_balance, require_share

logger = logging.getLogger(__name__)
INPUT, JUDGED, ACCEPTED = "penstock_input", "penstock_judged", "penstock_accepted"
KEY_REPEATED = "the key repeats another record's"
_NAME = re.compile(r"[A-Za-z0-9_]+")


class IcebergLoadArgumentParser(JobArgumentParser):
    """The arguments of a load into an Iceberg table."""

    def __init__(self, description: str) -> None:
        super().__init__(description)
        for name in ("inputs", "key", "iceberg_table"):
            self.add_argument(f"--{name}", required=True)
        self.add_argument("--iceberg_catalog", default="iceberg", help="as --conf names it")
        self.add_argument("--max_reject_ratio")
        add_lease_arguments(self)


def load_iceberg(
    engine: SparkEngine, store: ObjectStore, contract: JobContract, arguments: argparse.Namespace
) -> Result:
    """Merge what the upstream job published for the logical date into the table, by key."""
    ratio = read_ratio(arguments.max_reject_ratio)
    names = read_names(arguments.inputs, "inputs")
    if len(names) != 1:
        raise ArgumentsError(f"a load has one input, not {len(names)}")
    source = origin_of(store, contract, names[0])
    published = read_input(engine, store, contract, names[0], INPUT)
    table = _IcebergTable(engine, arguments.iceberg_catalog, arguments.iceberg_table)
    schema = engine.schema(f"SELECT * FROM {INPUT}")
    key = read_names(arguments.key, "key")
    missing = [name for name in key if name not in schema]
    if missing:
        raise ArgumentsError(f"key {', '.join(missing)} is no column of {names[0]}")
    trial = try_again(engine, read_retries(engine, contract), INPUT, schema, key)
    cases = _cases(schema, key, table.columns())
    engine.keep(JUDGED, _judged(schema, key, cases, trial))
    new = f"FILTER (WHERE {RETRY} IS NULL)"
    read, rejected = engine.row(
        f"SELECT count(*) {new}, count(penstock_reason) {new} FROM {JUDGED}"
    )
    if read != published:
        raise InputError(
            f"{names[0]} says it published {published} rows for {contract.logical_date}, "
            f"but its files hold {read}"
        )
    rules = [*(text for _, text in cases), KEY_REPEATED, UNFIT, MALFORMED]
    origin = f"{names[0]} for {contract.logical_date}"
    found = _rejects(engine, schema, key, trial)
    rejects = Kept()
    if found:
        rejects = keep_rejects(
            engine, contract, found, rules, source=origin, retries=bool(trial.rows)
        )
    require_share(ratio, rejected, read, f"{table.name} does not take them")
    with lease_of(store, contract, table.address, arguments) as lease:
        table.merge(schema, key, contract, source + trial.mark, lease)
    written = engine.row(f"SELECT count(*) FROM {ACCEPTED}")[0]
    return _account(store, contract, table, (read + trial.rows, written), rejects, trial)


class _IcebergTable:
    """A table of an Iceberg catalog that the session knows."""

    def __init__(self, engine: SparkEngine, catalog: str, name: str) -> None:
        parts = [catalog, *name.split(".")]
        if len(parts) != 3 or not all(map(_NAME.fullmatch, parts)):
            raise ArgumentsError(f"iceberg_table is {name!r}, not database.table")
        self.name = name
        self.address = f"iceberg://{name.replace('.', '/')}"
        self._engine = engine
        self._quoted = ".".join(map(SPARK.identifier, parts))
        self._exists = engine.session.catalog.tableExists(".".join(parts))

    def columns(self) -> Mapping[str, tuple[str, bool]]:
        """The type of each column, and whether it may be missing; none where there is no table."""
        if not self._exists:
            return {}
        fields = self._engine.session.table(self._quoted).schema.fields
        return {
            field.name.lower(): (field.dataType.simpleString(), field.nullable) for field in fields
        }

    def merge(
        self,
        schema: Mapping[str, ColumnType],
        key: Sequence[str],
        contract: JobContract,
        source: str,
        lease: Lease,
    ) -> None:
        """Merge the accepted records, unless this very load has done so."""
        names = [SPARK.identifier(name) for name in schema]
        selected = ", ".join(names)
        self._engine.view(
            ACCEPTED, f"SELECT {selected} FROM {JUDGED} WHERE penstock_reason IS NULL"
        )
        if not self._exists:
            columns = ", ".join(
                f"{SPARK.identifier(name)} {SPARK.type_name(kind)}" for name, kind in schema.items()
            )
            self._engine.execute(
                f"CREATE TABLE IF NOT EXISTS {self._quoted} ({columns}) USING iceberg"
            )
        mark, this = f"penstock.loaded.{contract.job_name}", f"{contract.job_id} {source}"
        if self._property(mark) == this:
            logger.info("%s holds this load already", self.name)
            return
        lease.require()
        self._engine.execute(_merge(self._quoted, names, [SPARK.identifier(one) for one in key]))
        self._engine.execute(
            f"ALTER TABLE {self._quoted} SET TBLPROPERTIES "
            f"({SPARK.literal(mark)} = {SPARK.literal(this)})"
        )

    def _property(self, name: str) -> str | None:
        rows = self._engine.session.sql(f"SHOW TBLPROPERTIES {self._quoted}").collect()
        return next((row["value"] for row in rows if row["key"] == name), None)


def _merge(table: str, names: Sequence[str], key: Sequence[str]) -> str:
    """A MERGE of the records that the table does not hold as they are.

    The others are left out beforehand: for every row that matches, changed or not, Iceberg would
    write the file anew in which it is.
    """
    same = " AND ".join(f"target.{name} = source.{name}" for name in key)
    rest = [name for name in names if name not in key]
    alike = " AND ".join([same, *(f"target.{name} <=> source.{name}" for name in rest)])
    source = (
        f"SELECT source.* FROM {ACCEPTED} AS source LEFT ANTI JOIN {table} AS target ON {alike}"
    )
    update = ""
    if rest:
        changes = ", ".join(f"target.{name} = source.{name}" for name in rest)
        update = f"WHEN MATCHED THEN UPDATE SET {changes} "
    values = ", ".join(f"source.{name}" for name in names)
    return (
        f"MERGE INTO {table} AS target USING ({source}) AS source ON {same} {update}"
        f"WHEN NOT MATCHED THEN INSERT ({', '.join(names)}) VALUES ({values})"
    )


def _cases(
    schema: Mapping[str, ColumnType],
    key: Sequence[str],
    columns: Mapping[str, tuple[str, bool]],
) -> list[tuple[str, str]]:
    """Conditions for records that the table does not take, each with its reason.

    Raises LoadError where the table lacks a column.
    """
    lacking = [name for name in schema if columns and name.lower() not in columns]
    if lacking:
        raise LoadError(
            f"the table has no column {', '.join(lacking)}; it has {', '.join(columns)}"
        )
    keys = [SPARK.identifier(name) for name in key]
    absent = " OR ".join(f"{one} IS NULL OR CAST({one} AS STRING) = ''" for one in keys)
    cases = [(absent, "the key is missing")]
    for name in schema if columns else ():
        value, (kind, nullable) = SPARK.identifier(name), columns[name.lower()]
        cases.append(
            (f"{value} IS NOT NULL AND TRY_CAST({value} AS {kind}) IS NULL",
             f"{name} does not fit into {kind}")
        )  # fmt: skip
        if not nullable:
            cases.append((f"{value} IS NULL", f"{name} is missing, and the table requires it"))
    return cases


def _judged(
    schema: Mapping[str, ColumnType],
    key: Sequence[str],
    cases: Sequence[tuple[str, str]],
    trial: Trial,
) -> str:
    """A select of all records, each with the reason why it is not loaded, or none."""
    keys = [SPARK.identifier(name) for name in key]
    number = "" if trial.rows else f", CAST(NULL AS BIGINT) AS {RETRY}"
    whens = " ".join(f"WHEN {test} THEN {SPARK.literal(text)}" for test, text in cases)
    all_columns = ", ".join(map(SPARK.identifier, schema))
    first = f"SELECT *{number}, CASE {whens} END AS penstock_fault FROM {trial.table}"
    place = (
        f"row_number() OVER (PARTITION BY penstock_fault IS NULL, {', '.join(keys)} "
        f"ORDER BY {all_columns})"
    )
    return (
        f"SELECT {all_columns}, {RETRY}, CASE WHEN penstock_fault IS NOT NULL THEN penstock_fault "
        f"WHEN penstock_place > 1 THEN {SPARK.literal(KEY_REPEATED)} END AS penstock_reason "
        f"FROM (SELECT *, {place} AS penstock_place FROM ({first}))"
    )


def _rejects(
    engine: SparkEngine, schema: Mapping[str, ColumnType], key: Sequence[str], trial: Trial
) -> list[str]:
    """Selects of what is to be kept of the records that are not loaded."""
    found = []
    if engine.row(f"SELECT count(penstock_reason) FROM {JUDGED}")[0]:
        raws = {name: SPARK.identifier(name) for name in schema}
        record = SPARK.record_text(record_of(schema, SPARK, raws))
        keys = ", ".join(f"CAST({raws[name]} AS STRING)" for name in key)
        found.append(
            f"SELECT CAST(NULL AS BIGINT) AS line, concat_ws(' / ', {keys}) AS key, "
            f"{record} AS record, CAST(NULL AS STRING) AS header, penstock_reason AS rule, "
            f"penstock_reason AS reason, {RETRY} FROM {JUDGED} WHERE penstock_reason IS NOT NULL"
        )
    if trial.unfit:
        found.append(unfit_rejects(trial, SPARK))
    return found


def _account(
    store: ObjectStore,
    contract: JobContract,
    table: _IcebergTable,
    rows: tuple[int, int],
    rejects: Kept,
    trial: Trial,
) -> Result:
    read, written = rows
    rejected, filtered = rejects.written.rows, trial.superseded
    require_balance(read=read, written=written, rejected=rejected, filtered=filtered)
    outputs = [Output(table.name, table.address, written)]
    said = report(contract, rejects, trial.paths, trial.rows, filtered)
    result = Result(read, written, rejected, filtered, 0, outputs, rejects=said)
    write_result(store, contract, result)
    log_result(contract, result)
    return result
