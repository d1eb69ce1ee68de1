"""Compaction: many increments of a table become one, so that its readers do not read ever more.

The whole table below them is left alone: what compaction costs is the size of what has changed.
Increments without a key only ever grow, so there what has been compacted is left alone, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from penstock_job.duckdb_engine import DuckDbEngine
from penstock_job.layers import read_layers
from penstock_job.object_store import ObjectStore
from penstock_job.parquet_parts import ParquetParts
from penstock_job.table_dataset import Layer, TableDataset, TableState

MOST_INCREMENTS = 32
MEMORY_LIMIT = "300MB"
COMPACTED = "compacted"


def compact(
    store: ObjectStore,
    dataset: TableDataset,
    job_id: str,
    target: str,
    folder: Path,
    partition_by: Sequence[str] = (),
) -> int:
    """Put the increments together if there are too many; return how many became one.

    That of the run `job_id` stays by itself, because an attempt that comes later looks for it. The
    new files belong in the folder `target`, laid out by the columns `partition_by` as all files of
    the table are. Where another job publishes meanwhile, nothing changes.
    """
    state, version = dataset.state_and_version()
    increments = _to_compact(state, job_id)
    if len(increments) <= MOST_INCREMENTS:
        return 0
    part = TableState(increments, state.primary_key, state.cursor)
    with closing(DuckDbEngine(folder, store, MEMORY_LIMIT)) as engine:
        select = read_layers(engine, part, dataset.folder, COMPACTED)
        parts = ParquetParts(engine.connection, store, folder, target, partition_by=partition_by)
        written = parts.write_select(select)
    last = increments[-1]
    layer = Layer(
        job_id=last.job_id,
        attempt=last.attempt,
        is_whole=False,
        files=[stored.path for stored in written.stored],
        columns=part.columns,
        rows=written.rows,
        bytes=sum(stored.size for stored in written.stored),
        watermark_before=increments[0].watermark_before,
        watermark=last.watermark,
        logical_date=last.logical_date,
        details={COMPACTED: [each.job_id for each in increments]},
    )
    gone = {each.job_id for each in increments}
    first, *rest = (each for each in state.layers if each.job_id not in gone)
    below = [each for each in rest if each.job_id != job_id]
    above = [each for each in rest if each.job_id == job_id]
    compacted = replace(state, layers=[first, *below, layer, *above])
    return len(increments) if dataset.replace(compacted, version) else 0


def _to_compact(state: TableState, job_id: str) -> list[Layer]:
    """The increments that are to become one, oldest first."""
    increments = [layer for layer in state.layers[1:] if layer.job_id != job_id]
    if state.can_be_merged:
        return increments
    return [layer for layer in increments if COMPACTED not in layer.details]
