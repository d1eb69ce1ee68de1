"""Extracts tables one by one: read, drift, Parquet, publish, report; each with its own outcome."""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb

from penstock_job.compaction import compact
from penstock_job.contract import JobContract, Output, Result, write_result
from penstock_job.dataset import PublishedColumn
from penstock_job.dialect import DUCKDB
from penstock_job.errors import JobError, SpecificationError, TablesFailedError
from penstock_job.increment import start_of
from penstock_job.object_store import ObjectStore
from penstock_job.parquet_parts import ParquetParts, Part
from penstock_job.schema_drift import schema_drift
from penstock_job.table_dataset import Layer, TableDataset, TableState
from penstock_job.table_outcome import FAILED, SUCCEEDED, TableOutcome
from penstock_job.table_source import SourceColumn, TableReading, TableSource
from penstock_job.work_order import ACCEPT, ADD, TableOrder, WorkOrder

logger = logging.getLogger(__name__)

MOST_SPOKEN = 3


class TableExtract:
    """Extracts the tables of a work order for one attempt at a job."""

    def __init__(
        self,
        contract: JobContract,
        store: ObjectStore,
        source: TableSource,
        connection: duckdb.DuckDBPyConnection,
        folder: Path,
    ) -> None:
        self._contract = contract
        self._store = store
        self._source = source
        self._connection = connection
        self._folder = folder

    def run(self, order: WorkOrder) -> Result:
        """Extract all tables and leave the result file.

        The file is written anew after each table: should this process be killed, those that were
        published count as extracted. Raises TablesFailedError at the end if any table failed.
        """
        outcomes: list[TableOutcome] = []
        result = _result(outcomes)
        write_result(self._store, self._contract, result)
        for table in order.tables:
            outcomes.append(self.extract(order.source.name, table))
            result = _result(outcomes)
            write_result(self._store, self._contract, result)
        failed = [outcome for outcome in outcomes if outcome.outcome == FAILED]
        if failed:
            raise TablesFailedError(_spoken(failed, len(outcomes)))
        return result

    def extract(self, source: str, order: TableOrder) -> TableOutcome:
        """Extract one table. Whatever goes wrong with it is its outcome, and no other table's."""
        started = time.monotonic()
        base = TableOutcome(source, order.table, FAILED, watermark_before=order.watermark)
        try:
            outcome = self._extract(base, order)
        except JobError as error:
            outcome = replace(base, error=f"{type(error).__name__}: {error}")
        except Exception as error:  # a fault met at one table must not end the others
            logger.exception("%s/%s", source, order.table)
            outcome = replace(base, error=f"{type(error).__name__}: {' '.join(str(error).split())}")
        outcome = replace(outcome, seconds=time.monotonic() - started)
        _log(outcome)
        return outcome

    def _extract(self, base: TableOutcome, order: TableOrder) -> TableOutcome:
        dataset = TableDataset(self._store, f"{self._contract.data_path}/{order.target}")
        state = dataset.state()
        published = state.layer_of(self._contract.job_id)
        if published is not None:  # by an earlier attempt of this run, which then died
            return _outcome_of(base, published)
        if not state.layers:  # an increment needs a whole table to add to
            order = replace(order, watermark=None)
        with self._source.read(order) as reading:
            if reading.unchanged and state.layers:
                return replace(base, outcome=SUCCEEDED, watermark=reading.watermark, unchanged=True)
            layer = self._read(base, order, state, reading)
            keys = (order.primary_key, order.cursor)
        outcome = _outcome_of(base, dataset.publish(layer, state.names(), keys))
        self._compact(base, dataset)
        return outcome

    def _compact(self, base: TableOutcome, dataset: TableDataset) -> None:
        """Compact the table; it is published, so that a fault here is said and does no harm."""
        target = f"{dataset.folder}/{_attempt(self._contract)}"
        try:
            with self._working_folder() as folder:
                count = compact(self._store, dataset, self._contract.job_id, target, folder)
        except (JobError, duckdb.Error) as error:
            logger.warning("%s/%s is not compacted: %s", base.source, base.table, error)
        else:
            if count:
                logger.info("%s/%s: %d increments became one", base.source, base.table, count)

    def _read(
        self, base: TableOutcome, order: TableOrder, state: TableState, reading: TableReading
    ) -> Layer:
        """Read a table to Parquet files that no manifest names yet."""
        contract = self._contract
        is_whole = start_of(order) is None
        columns = [PublishedColumn(column.name, str(column.type)) for column in reading.columns]
        policy = ADD if order.drift == ACCEPT and not is_whole else order.drift
        drift = schema_drift(state.columns, columns, policy)
        _require_columns(order, reading.columns)
        target = f"{contract.data_path}/{order.target}/{_attempt(contract)}"
        parts, duplicates = self._write(order, reading, target)
        return Layer(
            job_id=contract.job_id,
            attempt=contract.attempt,
            is_whole=is_whole,
            files=[stored.path for part in parts for stored in part.stored],
            columns=columns,
            rows=_rows(parts),
            bytes=sum(stored.size for part in parts for stored in part.stored),
            watermark_before=base.watermark_before,
            watermark=reading.watermark,
            logical_date=contract.logical_date,
            details={
                "source_types": {column.name: column.source_type for column in reading.columns},
                "duplicates": duplicates,
                "drift": drift.texts,
                **reading.details,
            },
        )

    def _write(
        self, order: TableOrder, reading: TableReading, target: str
    ) -> tuple[Sequence[Part], int]:
        """Write the rows to files in the folder `target`; return how many were duplicates, too."""
        deduplicates = order.is_incremental and not reading.keys_are_unique
        with self._working_folder() as folder:
            parts_of = ParquetParts(
                self._connection,
                self._store,
                folder,
                target,
                partition_by=order.partition_by,
                at_once=not deduplicates,
            )
            with closing(reading.chunks(folder)) as chunks:
                parts = parts_of.write(chunks)
            read = _rows(parts)
            if deduplicates and parts:
                parts = parts_of.rewrite(parts, _deduplicated(order))
            return parts_of.store(parts), read - _rows(parts)

    @contextmanager
    def _working_folder(self) -> Iterator[Path]:
        """A folder for one table's files, which is gone afterwards, whatever happened."""
        folder = Path(tempfile.mkdtemp(prefix="table-", dir=self._folder))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _attempt(contract: JobContract) -> str:
    return f"job_id={contract.job_id}/attempt={contract.attempt}"


def _rows(parts: Sequence[Part]) -> int:
    return sum(part.rows for part in parts)


def _require_columns(order: TableOrder, columns: Sequence[SourceColumn]) -> None:
    """Raises SpecificationError where the order names a column that is not extracted."""
    names = {column.name for column in columns}
    needed = {"primary_key": order.primary_key, "partition_by": order.partition_by}
    needed["cursor"] = (order.cursor,) if order.cursor else ()
    needed["types"] = tuple(order.types)
    for setting, wanted in needed.items():
        missing = [name for name in wanted if name not in names]
        if missing:
            raise SpecificationError(
                f"{setting}: there is no column {', '.join(missing)}; there are "
                f"{', '.join(sorted(names))}"
            )


def _deduplicated(order: TableOrder) -> str:
    """Of each primary key the row with the highest cursor."""
    keys = ", ".join(DUCKDB.identifier(name) for name in order.primary_key)
    cursor = DUCKDB.identifier(order.cursor)
    return (
        "SELECT * FROM {parts} QUALIFY row_number() OVER "
        f"(PARTITION BY {keys} ORDER BY {cursor} DESC NULLS LAST) = 1"
    )


def _outcome_of(base: TableOutcome, layer: Layer) -> TableOutcome:
    details = dict(layer.details)
    details.pop("source_types", None)
    return replace(
        base,
        outcome=SUCCEEDED,
        rows=layer.rows,
        bytes=layer.bytes,
        duplicates=details.pop("duplicates", 0),
        drift=details.pop("drift", ()),
        watermark=layer.watermark,
        path=layer.files[0].rpartition("/")[0] if layer.files else "",
        details=details,
    )


def _result(outcomes: Sequence[TableOutcome]) -> Result:
    """The result of the job so far; rows that a source gave twice count as filtered."""
    rows = sum(outcome.rows for outcome in outcomes)
    duplicates = sum(outcome.duplicates for outcome in outcomes)
    return Result(
        rows_read=rows + duplicates,
        rows_written=rows,
        rows_rejected=0,
        rows_filtered=duplicates,
        bytes=sum(outcome.bytes for outcome in outcomes),
        outputs=[
            Output(outcome.table, outcome.path, outcome.rows)
            for outcome in outcomes
            if outcome.path
        ],
        tables=[outcome.as_json() for outcome in outcomes],
    )


def _spoken(failed: Sequence[TableOutcome], of: int) -> str:
    shown = "; ".join(f"{outcome.table}: {outcome.error}" for outcome in failed[:MOST_SPOKEN])
    more = f"; … and {len(failed) - MOST_SPOKEN} more" if len(failed) > MOST_SPOKEN else ""
    return f"{len(failed)} of {of} tables failed: {shown}{more}"


def _log(outcome: TableOutcome) -> None:
    name = f"{outcome.source}/{outcome.table}"
    if outcome.outcome == FAILED:
        logger.error("%s failed: %s", name, outcome.error)
        return
    for line in outcome.drift:
        logger.warning("%s: %s", name, line)
    logger.info(
        "%s: %d rows, %d bytes in %.1f s%s",
        name,
        outcome.rows,
        outcome.bytes,
        outcome.seconds,
        ", unchanged" if outcome.unchanged else "",
    )
