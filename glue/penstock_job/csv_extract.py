"""The steps of an extract: fetch, part the records, read them as text, refine, publish."""

from __future__ import annotations

import logging

from penstock_job.contract import JobContract, Result
from penstock_job.csv_file import CsvFile
from penstock_job.csv_table import CsvStyle
from penstock_job.dataset import rows_before
from penstock_job.duckdb_engine import DuckDbEngine
from penstock_job.errors import SourceError
from penstock_job.http_source import download
from penstock_job.refine import publish_refined, refine
from penstock_job.retry import read_retries
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
    try:
        source = CsvFile(engine, raw, style.delimiter)
        judgement = source.judge(specification, SOURCE_TABLE, read_retries(engine, contract))
    except SourceError as error:
        raise SourceError(f"{fetched.url}: {error}") from error
    refined = refine(
        engine,
        contract,
        judgement,
        name=contract.job_name,
        source=fetched.url,
        malformed=source.malformed(),
        before=rows_before(engine.store, contract) if specification.table_rules.compares else None,
    )
    return publish_refined(
        engine.store,
        contract,
        refined,
        rows_read=source.records + source.malformed_rows,
        details={"source": {**fetched.as_json(), "blank_lines": source.blank}},
    )
