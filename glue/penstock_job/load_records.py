"""The records of a load: numbered, judged, those that no target takes set aside with a reason."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from penstock_job.column_type import ColumnType
from penstock_job.contract import JobContract
from penstock_job.dataset import attempt_path, find_input
from penstock_job.dialect import DUCKDB
from penstock_job.duckdb_engine import DuckDbEngine
from penstock_job.dynamodb_items import put_request_sql
from penstock_job.dynamodb_writer import Item, Refused
from penstock_job.engine import Written
from penstock_job.errors import ArgumentsError, InputError, LoadError, RuleViolatedError
from penstock_job.job_input import EXTRACTED, origin_of, read_input
from penstock_job.record import record_of
from penstock_job.reject_sql import RETRY
from penstock_job.rejects import MALFORMED, UNFIT, Kept, keep_rejects
from penstock_job.retry import Trial, read_retries, try_again, unfit_rejects
from penstock_job.specification_document import read_names
from penstock_job.tally import require_share

INPUT, RECORDS, REFUSED = "penstock_input", "penstock_records", "penstock_refused"
READ = "penstock_records_read"
KEY_MISSING, KEY_REPEATED, REFUSED_BY_TABLE = "key_missing", "key_repeated", "refused"
NUMBER = "penstock_number"
FIRST_ROWS, MOST_ROWS = 256, 20_000
BLOCK_BYTES = 8 * 1024 * 1024


class LoadRecords:
    """What the upstream job published for the logical date."""

    def __init__(
        self, engine: DuckDbEngine, contract: JobContract, inputs: str, key: Sequence[str]
    ) -> None:
        names = read_names(inputs, "inputs")
        if len(names) != 1:
            raise ArgumentsError(f"a load has one input, not {len(names)}")
        self._retries = read_retries(engine, contract)
        table = READ if self._retries.rows else RECORDS
        self.source = origin_of(engine.store, contract, names[0])
        self.origin = f"{names[0]} for {contract.logical_date}"
        published = _read(engine, contract, names[0], table)
        self.engine = engine
        self.contract = contract
        self._staged: Written | None = None
        self.key = key
        columns = engine.schema(f"SELECT * FROM {table}")
        self.schema: Mapping[str, ColumnType] = {
            name: kind for name, kind in columns.items() if name != NUMBER
        }
        missing = [name for name in key if name not in self.schema]
        if missing:
            raise ArgumentsError(
                f"key {', '.join(missing)} is no column of {names[0]}, which has "
                f"{', '.join(self.schema)}"
            )
        self.trial = self._with_retries(table)
        self._rules = [KEY_MISSING, KEY_REPEATED, REFUSED_BY_TABLE, UNFIT, MALFORMED]
        engine.connection.execute(
            f"CREATE TABLE {REFUSED} (number BIGINT, rule VARCHAR, reason VARCHAR)"
        )
        self.rows = engine.row(f"SELECT count(*) FROM {RECORDS} WHERE {NUMBER} >= 0")[0]
        if self.rows != published:
            raise InputError(
                f"{names[0]} says it published {published} rows for "
                f"{contract.logical_date}, but its files hold {self.rows}"
            )

    @property
    def columns(self) -> str:
        """The names of the columns, in their order."""
        return ", ".join(map(DUCKDB.identifier, self.schema))

    def loadable(self, selected: str) -> str:
        """A select over the records that are not set aside."""
        where = f"WHERE {NUMBER} NOT IN (SELECT number FROM {REFUSED})" if self.refused() else ""
        return f"SELECT {selected} FROM {RECORDS} {where}"

    def count(self) -> int:
        """How many records are to be loaded."""
        return self.engine.row(self.loadable("count(*)"))[0]

    def reject(self, cases: Sequence[tuple[str, str]], rule: str = "") -> None:
        """Set aside the records for which a condition holds, with the reason beside it.

        Without a rule, each reason is one.
        """
        if not cases:
            return
        whens = " ".join(f"WHEN {test} THEN {DUCKDB.literal(text)}" for test, text in cases)
        judged = self.loadable(f"{NUMBER} AS number, CASE {whens} END AS reason")
        named = DUCKDB.literal(rule) if rule else "reason"
        self._rules += [text for _, text in cases if not rule and text not in self._rules]
        self._set_aside(f"SELECT number, {named}, reason FROM ({judged}) WHERE reason IS NOT NULL")

    def reject_keyless(self) -> None:
        """Set aside the records that lack a part of their key."""
        keys = map(DUCKDB.identifier, self.key)
        absent = " OR ".join(f"{key} IS NULL OR CAST({key} AS VARCHAR) = ''" for key in keys)
        self.reject([(absent, "the key is missing")], KEY_MISSING)

    def reject_repeated(self) -> None:
        """Set aside all but one of the records with the same key, whichever order they come in.

        Only the keys' hashes are held in memory; the records themselves are compared only where
        hashes are equal.
        """
        keys = ", ".join(map(DUCKDB.identifier, self.key))
        repeated = self.loadable(f"hash({keys}) AS penstock_hash")
        repeated = f"SELECT penstock_hash FROM ({repeated}) GROUP BY 1 HAVING count(*) > 1"
        self.engine.keep("penstock_repeated", repeated)
        if self.engine.row("SELECT count(*) FROM penstock_repeated")[0]:
            rank = f"row_number() OVER (PARTITION BY {keys} ORDER BY {self.columns}) AS place"
            among = f"hash({keys}) IN (SELECT penstock_hash FROM penstock_repeated)"
            suspects = f"SELECT * FROM ({self.loadable('*')}) WHERE {among}"
            self._set_aside(
                f"SELECT {NUMBER}, '{KEY_REPEATED}', 'the key repeats another record''s' FROM "
                f"(SELECT {NUMBER}, {rank} FROM ({suspects})) WHERE place > 1"
            )

    def reject_refused(self, refused: Sequence[Refused]) -> None:
        """Set aside the records that a target has refused."""
        if refused:
            self.engine.connection.executemany(
                f"INSERT INTO {REFUSED} VALUES (?, '{REFUSED_BY_TABLE}', ?)",
                [[one.number, one.reason] for one in refused],
            )

    def refused(self) -> int:
        """How many records are set aside."""
        return self.engine.row(f"SELECT count(*) FROM {REFUSED}")[0]

    def refused_anew(self) -> int:
        """How many new records are set aside: no limit is for those that are tried again."""
        return self.engine.row(f"SELECT count(*) FROM {REFUSED} WHERE number >= 0")[0]

    def require_limit(self, limit: float | None, what: str) -> None:
        """Raises RuleViolatedError, with the rejects written, where too many are set aside."""
        try:
            require_share(limit, self.refused_anew(), self.rows, what)
        except RuleViolatedError:
            self.write_rejects()  # to be looked at
            raise

    def items(self) -> Iterator[Item]:
        """The loadable records as put requests for DynamoDB.

        Neighbours come apart: data is often sorted by the partition key, and a partition of the
        table takes a thousand writes a second, no more.
        """
        request = put_request_sql(self.schema, self._complete())
        # A cursor of its own: the connection serves other statements while rows are still coming.
        rows = self.engine.connection.cursor().execute(self.loadable(f"{NUMBER}, {request}"))
        size = FIRST_ROWS
        while block := rows.fetchmany(size):
            stride = -(-len(block) // 25)
            for start in range(stride):
                yield from block[start::stride]
            average = sum(len(body) for _, body in block) // len(block)
            size = max(1, min(MOST_ROWS, BLOCK_BYTES // average))

    def staged(self) -> Written:
        """The loadable records as Parquet files of this attempt, written once for all targets.

        Raises LoadError where the files do not hold what is to be loaded.
        """
        if self._staged is None:
            sql = self.loadable(self.columns)
            self._staged = self.engine.write_parquet_parts(sql, attempt_path(self.contract))
            if self._staged.rows != self.count():
                raise LoadError(f"{self._staged.rows} rows were staged, not {self.count()}")
        return self._staged

    def write_rejects(self) -> Kept:
        """Write what was set aside, each record with its reason."""
        found = [self._refused_records()] if self.refused() else []
        if self.trial.unfit:
            found.append(unfit_rejects(self.trial, DUCKDB))
        if not found:
            return Kept()
        retries = bool(self.trial.rows)
        return keep_rejects(
            self.engine, self.contract, found, self._rules, source=self.origin, retries=retries
        )

    def _with_retries(self, table: str) -> Trial:
        """Add the rejects of earlier runs to the records; their numbers are below zero."""
        trial = try_again(self.engine, self._retries, table, self.schema, self.key)
        if trial.rows:
            again = f"{RETRY} IS NOT NULL"
            self.engine.view(
                RECORDS,
                f"SELECT {NUMBER}, {self.columns} FROM {table} UNION ALL "
                f"SELECT -{RETRY}, {self.columns} FROM {trial.table} WHERE {again}",
            )
            self.source += trial.mark
        return trial

    def _refused_records(self) -> str:
        raws = {name: DUCKDB.identifier(name) for name in self.schema}
        record = DUCKDB.record_text(record_of(self.schema, DUCKDB, raws))
        keys = ", ".join(f"CAST({raws[name]} AS VARCHAR)" for name in self.key)
        return (
            f"SELECT CAST(NULL AS BIGINT) AS line, concat_ws(' / ', {keys}) AS key, "
            f"{record} AS record, CAST(NULL AS VARCHAR) AS header, rule, reason, "
            f"CASE WHEN number < 0 THEN -number END AS {RETRY} "
            f"FROM {REFUSED} JOIN {RECORDS} ON {NUMBER} = number"
        )

    def _set_aside(self, reasons: str) -> None:
        self.engine.connection.execute(f"INSERT INTO {REFUSED} {reasons}")

    def _complete(self) -> Collection[str]:
        """The columns in which no value is missing: the key, at least."""
        counts = ", ".join(f"count({DUCKDB.identifier(name)})" for name in self.schema)
        rows, *present = self.engine.row(self.loadable(f"count(*), {counts}"))
        return {name for name, count in zip(self.schema, present) if count == rows}


def _read(engine: DuckDbEngine, contract: JobContract, name: str, table: str) -> int:
    """Make an input a table of records; return how many rows there must be in it."""
    if not name.startswith(EXTRACTED):
        manifest = find_input(engine.store, contract, name)
        engine.read_numbered(table, manifest, NUMBER)
        return manifest.rows
    rows = read_input(engine, engine.store, contract, name, INPUT)
    engine.keep(table, f"SELECT row_number() OVER () AS {NUMBER}, * FROM {INPUT}")
    return rows
