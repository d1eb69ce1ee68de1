"""Extracts tables one by one: read, drift, Parquet, publish, report; each with its own outcome."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace

from penstock_job.contract import JobContract, Result, write_result
from penstock_job.dataset import PublishedColumn
from penstock_job.errors import JobError, SpecificationError, TablesFailedError
from penstock_job.object_store import ObjectStore
from penstock_job.schema_drift import schema_drift
from penstock_job.table_catalog import TableCatalog
from penstock_job.table_dataset import Layer, TableDataset, TableState
from penstock_job.table_outcome import (
    FAILED,
    SUCCEEDED,
    TableOutcome,
    log_outcome,
    outcome_of,
    result_of,
    spoken,
)
from penstock_job.table_source import SourceColumn, TableReading, TableSource
from penstock_job.table_writer import TableWriter
from penstock_job.work_order import ACCEPT, ADD, TableOrder, WorkOrder

logger = logging.getLogger(__name__)


class TableExtract:
    """Extracts the tables of a work order for one attempt at a job."""

    def __init__(
        self,
        contract: JobContract,
        store: ObjectStore,
        source: TableSource,
        writer: TableWriter,
        catalog: TableCatalog | None = None,
    ) -> None:
        self._contract = contract
        self._store = store
        self._source = source
        self._writer = writer
        self._catalog = catalog

    def run(self, order: WorkOrder) -> Result:
        """Extract all tables and leave the result file.

        The file is written anew after each table: should this process be killed, those that were
        published count as extracted. Raises TablesFailedError at the end if any table failed.
        """
        outcomes: list[TableOutcome] = []
        result = result_of(outcomes)
        write_result(self._store, self._contract, result)
        for table in order.tables:
            outcomes.append(self.extract(order.source.name, table))
            result = result_of(outcomes)
            write_result(self._store, self._contract, result)
        failed = [outcome for outcome in outcomes if outcome.outcome == FAILED]
        if failed:
            raise TablesFailedError(spoken(failed, len(outcomes)))
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
        log_outcome(outcome)
        return outcome

    def _extract(self, base: TableOutcome, order: TableOrder) -> TableOutcome:
        dataset = TableDataset(self._store, f"{self._contract.data_path}/{order.target}")
        state = dataset.state()
        published = state.layer_of(self._contract.job_id)
        if published is not None:  # by an earlier attempt of this run, which then died
            return self._registered(outcome_of(base, published), dataset, order)
        if not state.layers:  # an increment needs a whole table to add to
            order = replace(order, watermark=None)
        elif self._source.reads_once:
            order = replace(order, watermark=state.layers[-1].watermark)
        with self._source.read(order) as reading:
            if reading.unchanged and state.layers:
                same = replace(base, watermark=reading.watermark, unchanged=True)
                return self._registered(same, dataset, order)
            layer = self._read(base, order, state, reading)
            keys = (order.primary_key, order.cursor)
        layer = dataset.publish(layer, state.names(), keys)
        self._compact(base, dataset, order)
        return self._registered(outcome_of(base, layer), dataset, order)

    def _registered(
        self, outcome: TableOutcome, dataset: TableDataset, order: TableOrder
    ) -> TableOutcome:
        """Tell the catalog what counts now, even if it was told before: that changes nothing."""
        if self._catalog is not None:
            source, table = outcome.source, outcome.table
            self._catalog.register(source, table, dataset, order.is_incremental)
        return replace(outcome, outcome=SUCCEEDED)

    def _compact(self, base: TableOutcome, dataset: TableDataset, order: TableOrder) -> None:
        """Compact the table; it is published, so that a fault here is said and does no harm."""
        target = f"{dataset.folder}/{_attempt(self._contract)}"
        try:
            count = self._writer.compact(order, dataset, self._contract.job_id, target)
        except JobError as error:
            logger.warning("%s/%s is not compacted: %s", base.source, base.table, error)
        else:
            if count:
                logger.info("%s/%s: %d increments became one", base.source, base.table, count)

    def _read(
        self, base: TableOutcome, order: TableOrder, state: TableState, reading: TableReading
    ) -> Layer:
        """Read a table to Parquet files that no manifest names yet."""
        contract = self._contract
        is_whole = reading.is_whole
        columns = [PublishedColumn(column.name, str(column.type)) for column in reading.columns]
        policy = ADD if order.drift == ACCEPT and not is_whole else order.drift
        drift = schema_drift(_comparable(state, columns, reading), columns, policy)
        _require_columns(order, reading.columns)
        target = f"{contract.data_path}/{order.target}/{_attempt(contract)}"
        written = self._writer.write(order, reading, target)
        return Layer(
            job_id=contract.job_id,
            attempt=contract.attempt,
            is_whole=is_whole,
            files=[file.path for file in written.files],
            columns=columns,
            rows=written.rows,
            bytes=sum(file.size for file in written.files),
            watermark_before=base.watermark_before,
            watermark=reading.watermark,
            logical_date=contract.logical_date,
            details={
                "source_types": {column.name: column.source_type for column in reading.columns},
                "duplicates": written.duplicates,
                "drift": drift.texts,
                "rows_rejected": reading.rows_rejected,
                **reading.details,
            },
        )


def _comparable(
    state: TableState, columns: Sequence[PublishedColumn], reading: TableReading
) -> Sequence[PublishedColumn]:
    """The published columns that those of a reading can be held against."""
    if not reading.may_lack_columns:
        return state.columns
    names = {column.name.lower() for column in columns}
    return [column for column in state.columns if column.name.lower() in names]


def _attempt(contract: JobContract) -> str:
    return f"job_id={contract.job_id}/attempt={contract.attempt}"


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
