"""The steps of a load: judge the keys, put to DynamoDB, replace in Redshift, account for it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence

from penstock_job.column_type import ColumnType
from penstock_job.contract import JobArgumentParser, JobContract, Output, Result, write_result
from penstock_job.dataset import attempt_path, find_input
from penstock_job.dialect import DUCKDB
from penstock_job.duckdb_engine import DuckDbEngine
from penstock_job.dynamodb_items import attribute_type, item_sql, unstorable_sql
from penstock_job.dynamodb_table import DynamoDbTable, Item, Refused
from penstock_job.engine import Written
from penstock_job.errors import ArgumentsError, InputError, LoadError, RuleViolatedError
from penstock_job.object_store import ObjectStore
from penstock_job.redshift_table import (
    RedshiftData,
    RedshiftTarget,
    copy_manifest,
    load_statements,
)
from penstock_job.refine import log_result
from penstock_job.reject_sql import RETRY, record_of
from penstock_job.rejects import UNFIT, Kept, keep_rejects, report
from penstock_job.retry import read_retries, try_again
from penstock_job.rule import read_ratio
from penstock_job.specification import read_names
from penstock_job.tally import require_balance, require_share

INPUT, RECORDS, REFUSED = "penstock_input", "penstock_records", "penstock_refused"
KEY_MISSING, KEY_REPEATED, NUMBER = "key_missing", "key_repeated", "number"
REFUSED_BY_TABLE = "refused"
RULES = (KEY_MISSING, KEY_REPEATED, NUMBER, REFUSED_BY_TABLE, UNFIT)
REASONS = {
    KEY_MISSING: "the key is missing",
    KEY_REPEATED: "the key repeats another record's",
    NUMBER: "a number that DynamoDB does not hold",
}
ROWS_AT_A_TIME = 10_000


class LoadArgumentParser(JobArgumentParser):
    """The arguments of a load. An empty target means: not there."""

    def __init__(self, description: str) -> None:
        super().__init__(description)
        self.add_argument("--inputs", required=True)
        self.add_argument("--key", required=True)
        self.add_argument("--max_reject_ratio")
        self.add_argument("--dynamodb_table", default="")
        self.add_argument("--redshift_table", default="")
        for name in ("workgroup", "cluster", "database", "secret_arn", "copy_role_arn"):
            self.add_argument(f"--redshift_{name}", default="")


def redshift_target(arguments: argparse.Namespace) -> RedshiftTarget | None:
    """The Redshift table among the arguments; None where no workgroup or cluster is configured."""
    configured = arguments.redshift_workgroup or arguments.redshift_cluster
    if not (arguments.redshift_table and configured):
        return None
    return RedshiftTarget(
        table=arguments.redshift_table,
        workgroup=arguments.redshift_workgroup,
        cluster=arguments.redshift_cluster,
        database=arguments.redshift_database or "dev",
        secret_arn=arguments.redshift_secret_arn,
        copy_role_arn=arguments.redshift_copy_role_arn,
    )


def load(engine: DuckDbEngine, contract: JobContract, arguments: argparse.Namespace) -> Result:
    """Load what the upstream job published for the logical date into each target.

    Every put and every replacement is by key, so a load that is repeated changes nothing.
    """
    target = redshift_target(arguments)
    table = DynamoDbTable(arguments.dynamodb_table) if arguments.dynamodb_table else None
    if target is None and table is None:
        raise ArgumentsError("nowhere to load: neither dynamodb_table nor a Redshift is given")
    ratio = read_ratio(arguments.max_reject_ratio)
    key = read_names(arguments.key, "key")
    records = _Records(engine, contract, arguments.inputs, key)
    records.reject(_unfit(records, table))
    _require_limit(records, ratio, "no target takes them")
    outputs = []
    if table is not None:
        records.reject_refused(table.put(records.items()))
        _require_limit(records, ratio, f"DynamoDB table {table.name} refused them")
        outputs.append((table.name, f"dynamodb://{table.name}"))
    if target is not None:
        staged = _load_redshift(engine, contract, records, target)
        _require_same(staged.rows, records.count(), target.address)
        outputs.append((target.table, target.address))
    return _account(engine.store, contract, records, outputs)


class _Records:
    """The records to load, numbered, and why some of them are not loaded."""

    def __init__(
        self, engine: DuckDbEngine, contract: JobContract, inputs: str, key: Sequence[str]
    ) -> None:
        names = read_names(inputs, "inputs")
        if len(names) != 1:
            raise ArgumentsError(f"a load has one input, not {len(names)}")
        manifest = find_input(engine.store, contract, names[0])
        engine.read_dataset(INPUT, manifest)
        self.engine = engine
        self.contract = contract
        self.key = key
        self.schema: Mapping[str, ColumnType] = engine.schema(f"SELECT * FROM {INPUT}")
        missing = [name for name in key if name not in self.schema]
        if missing:
            raise ArgumentsError(
                f"key {', '.join(missing)} is no column of {names[0]}, which has "
                f"{', '.join(self.schema)}"
            )
        self.source = f"{names[0]} for {contract.logical_date}"
        self.retries = read_retries(engine, contract)
        self.trial = try_again(engine, self.retries, INPUT, self.schema, key)
        numbered = "*" if self.retries.rows else f"*, CAST(NULL AS BIGINT) AS {RETRY}"
        engine.keep(
            RECORDS,
            f"SELECT row_number() OVER () AS penstock_number, {numbered} FROM {self.trial.table}",
        )
        engine.keep(REFUSED, "SELECT 0 AS number, '' AS rule, '' AS reason WHERE FALSE")
        self.rows = engine.row(f"SELECT count(*) FROM {RECORDS} WHERE {RETRY} IS NULL")[0]
        if self.rows != manifest.rows:
            raise InputError(
                f"{names[0]} says it published {manifest.rows} rows for "
                f"{contract.logical_date}, but its files hold {self.rows}"
            )
        self.bytes = 0

    @property
    def columns(self) -> str:
        return ", ".join(map(DUCKDB.identifier, self.schema))

    def loadable(self, selected: str) -> str:
        return (
            f"SELECT {selected} FROM {RECORDS} "
            f"WHERE penstock_number NOT IN (SELECT number FROM {REFUSED})"
        )

    def count(self) -> int:
        return self.engine.row(self.loadable("count(*)"))[0]

    def reject(self, reasons: str) -> None:
        """Set aside the records for which this select gives number, rule and reason."""
        self.engine.connection.execute(f"INSERT INTO {REFUSED} {reasons}")

    def reject_refused(self, refused: Sequence[Refused]) -> None:
        for one in refused:
            self.engine.connection.execute(
                f"INSERT INTO {REFUSED} VALUES (?, '{REFUSED_BY_TABLE}', ?)",
                [one.number, one.reason],
            )

    def refused(self) -> int:
        """How many new records are set aside; no limit is for those that are tried again."""
        return self.engine.row(
            f"SELECT count(*) FROM {REFUSED} JOIN {RECORDS} ON penstock_number = number "
            f"WHERE {RETRY} IS NULL"
        )[0]

    def items(self) -> Iterator[Item]:
        """The loadable records as DynamoDB's JSON, ordered so that they spread over partitions."""
        keys = ", ".join(map(DUCKDB.identifier, self.key))
        selected = f"penstock_number, {item_sql(self.schema)} AS item"
        cursor = self.engine.connection.cursor()
        rows = cursor.execute(f"{self.loadable(selected)} ORDER BY hash({keys})")
        while block := rows.fetchmany(ROWS_AT_A_TIME):
            for number, item in block:
                self.bytes += len(item)
                yield number, item

    def write_rejects(self) -> Kept:
        found = []
        if self.engine.row(f"SELECT count(*) FROM {REFUSED}")[0]:
            found.append(self._refused_records())
        if self.trial.unfit and self.trial.rows > self.trial.joined + self.trial.superseded:
            found.append(self.trial.unfit)
        if not found:
            return Kept()
        return keep_rejects(
            self.engine,
            self.contract,
            found,
            RULES,
            source=self.source,
            retries=bool(self.retries.rows),
        )

    def _refused_records(self) -> str:
        record = DUCKDB.record_text(record_of(self.schema, DUCKDB))
        keys = ", ".join(f"CAST({DUCKDB.identifier(name)} AS VARCHAR)" for name in self.key)
        return (
            f"SELECT CAST(NULL AS BIGINT) AS line, concat_ws(' / ', {keys}) AS key, "
            f"{record} AS record, CAST(NULL AS VARCHAR) AS header, rule, reason, {RETRY} "
            f"FROM {REFUSED} JOIN {RECORDS} ON penstock_number = number"
        )


def _unfit(records: _Records, table: DynamoDbTable | None) -> str:
    """A select of the records that no target can take: without a key, or one too many for it."""
    keys = [DUCKDB.identifier(name) for name in records.key]
    absent = " OR ".join(f"{key} IS NULL OR CAST({key} AS VARCHAR) = ''" for key in keys)
    rank = f"row_number() OVER (PARTITION BY {', '.join(keys)} ORDER BY {records.columns})"
    cases = [(absent, KEY_MISSING), (f"{rank} > 1", KEY_REPEATED)]
    if table is not None:
        _require_key(records, table)
        cases.append((unstorable_sql(records.schema), NUMBER))
    whens = " ".join(f"WHEN {test} THEN '{rule}'" for test, rule in cases)
    spoken = " ".join(f"WHEN '{rule}' THEN {DUCKDB.literal(REASONS[rule])}" for _, rule in cases)
    judged = f"SELECT penstock_number AS number, CASE {whens} END AS rule FROM {RECORDS}"
    return (
        f"SELECT number, rule, CASE rule {spoken} END AS reason FROM ({judged}) AS judged "
        "WHERE rule IS NOT NULL"
    )


def _require_limit(records: _Records, limit: float | None, what: str) -> None:
    try:
        require_share(limit, records.refused(), records.rows, what)
    except RuleViolatedError:
        records.write_rejects()  # to be looked at
        raise


def _require_key(records: _Records, table: DynamoDbTable) -> None:
    wanted = table.key_types()
    given = {name: attribute_type(records.schema[name]) for name in records.key}
    if wanted != given:
        raise LoadError(f"DynamoDB table {table.name} is keyed by {wanted}, the load by {given}")


def _load_redshift(
    engine: DuckDbEngine, contract: JobContract, records: _Records, target: RedshiftTarget
) -> Written:
    staged = engine.write_parquet(records.loadable(records.columns), attempt_path(contract))
    manifest_path = f"{attempt_path(contract)}/redshift_manifest.json"
    engine.store.write(manifest_path, copy_manifest(staged), "application/json")
    statements = load_statements(target, records.schema, records.key, manifest_path)
    name = f"{contract.job_name} {contract.job_id} {contract.attempt}"
    RedshiftData().run(target, statements, name)
    records.bytes += staged.bytes
    return staged


def _require_same(loaded: int, expected: int, address: str) -> None:
    if loaded != expected:
        raise LoadError(f"{address}: {loaded} rows were staged, not {expected}")


def _account(
    store: ObjectStore,
    contract: JobContract,
    records: _Records,
    targets: Sequence[tuple[str, str]],
) -> Result:
    written = records.count()
    rejects = records.write_rejects()
    read, filtered = records.rows + records.trial.rows, records.trial.superseded
    rejected = rejects.written.rows
    require_balance(read=read, written=written, rejected=rejected, filtered=filtered)
    outputs = [Output(name, address, written) for name, address in targets]
    said = report(contract, rejects, records.retries, filtered)
    result = Result(read, written, rejected, filtered, records.bytes, outputs, said)
    write_result(store, contract, result)
    log_result(contract, result)
    return result
