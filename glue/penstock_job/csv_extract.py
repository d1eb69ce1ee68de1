"""The steps of an extract: fetch, part the records, read them as text, refine, publish."""

from __future__ import annotations

import logging
from pathlib import Path

from penstock_job.contract import JobContract, Result
from penstock_job.csv_records import Parted
from penstock_job.csv_table import CsvStyle, part_file, select_of, wanted_columns
from penstock_job.dataset import rejects_path
from penstock_job.duckdb_engine import DuckDbEngine
from penstock_job.engine import Written
from penstock_job.errors import AccountingError, SourceError
from penstock_job.http_source import download
from penstock_job.refine import NOTHING, publish_refined, refine
from penstock_job.specification import Specification

logger = logging.getLogger(__name__)

SOURCE_TABLE = "penstock_source"


def extract(
    engine: DuckDbEngine,
    specification: Specification,
    contract: JobContract,
    source_url: str,
    delimiter: str = ",",
) -> Result:
    """Extract a CSV file to Parquet and publish it. Raises SourceError where it is no CSV file."""
    style = CsvStyle(delimiter)
    raw = engine.folder / "source.csv"
    fetched = download(source_url, raw)
    logger.info("%s: %d bytes, SHA-256 %s", fetched.url, fetched.bytes, fetched.sha256)
    records, malformed = engine.folder / "records.csv", engine.folder / "malformed-00000.jsonl"
    try:
        parted = part_file(raw, records, malformed, style)
        wanted = wanted_columns([each.source for each in specification.columns], parted.header)
    except SourceError as error:
        raise SourceError(f"{fetched.url}: {error}") from error
    engine.view(SOURCE_TABLE, select_of(records, parted, style, wanted))
    refined = refine(
        engine,
        specification,
        contract,
        table=SOURCE_TABLE,
        name=contract.job_name,
        malformed=_keep_malformed(engine, contract, malformed, parted),
    )
    _require_all_read(refined.tally.records, parted.well_formed)
    return publish_refined(
        engine.store,
        contract,
        refined,
        rows_read=parted.well_formed + parted.malformed,
        details={"source": {**fetched.as_json(), "blank_lines": parted.blank}},
    )


def _require_all_read(read: int, well_formed: int) -> None:
    if read != well_formed:
        raise AccountingError(
            f"the file has {well_formed} well-formed records, but DuckDB read {read}"
        )


def _keep_malformed(
    engine: DuckDbEngine, contract: JobContract, file: Path, parted: Parted
) -> Written:
    if not parted.malformed:
        return NOTHING
    stored = engine.store.upload(file, f"{rejects_path(contract)}/{file.name}")
    with file.open("rb") as lines:
        rows = sum(1 for _ in lines)
    return Written([stored], rows)
