"""The steps of an extract: fetch, part the records, read them as text, refine, publish."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path

from penstock_job.contract import JobContract, Result
from penstock_job.csv_records import Parted, part_records
from penstock_job.dialect import DUCKDB
from penstock_job.duckdb_engine import DuckDbEngine
from penstock_job.errors import AccountingError, ArgumentsError, SourceError
from penstock_job.http_source import download
from penstock_job.lines_again import read_lines_again
from penstock_job.refine import publish_refined, refine
from penstock_job.rejects import EXCERPT, Malformed
from penstock_job.retry import read_retries
from penstock_job.specification import Specification

logger = logging.getLogger(__name__)

SOURCE_TABLE = "penstock_source"
MALFORMED_TABLE = "penstock_malformed"


def extract(
    engine: DuckDbEngine,
    specification: Specification,
    contract: JobContract,
    source_url: str,
    delimiter: str = ",",
) -> Result:
    """Extract a CSV file to Parquet and publish it. Raises SourceError where it is no CSV file."""
    _require_delimiter(delimiter)
    raw = engine.folder / "source.csv"
    fetched = download(source_url, raw)
    logger.info("%s: %d bytes, SHA-256 %s", fetched.url, fetched.bytes, fetched.sha256)
    records, malformed = engine.folder / "records.csv", engine.folder / "malformed-00000.jsonl"
    try:
        parted = _part(raw, records, malformed, delimiter)
        wanted = _wanted(specification, parted.header)
    except SourceError as error:
        raise SourceError(f"{fetched.url}: {error}") from error
    raw.unlink()
    _read(engine, records, parted, delimiter, wanted)
    retries = read_retries(engine, contract)
    if retries.rows:
        read_lines_again(engine, delimiter)
    refined = refine(
        engine,
        specification,
        contract,
        table=SOURCE_TABLE,
        name=contract.job_name,
        source=fetched.url,
        retries=retries,
        malformed=_malformed(engine, malformed, parted),
    )
    _require_all_read(refined.input_rows, parted.well_formed)
    return publish_refined(
        engine.store,
        contract,
        refined,
        rows_read=parted.well_formed + parted.malformed,
        details={"source": {**fetched.as_json(), "blank_lines": parted.blank}},
    )


def _require_delimiter(delimiter: str) -> None:
    if len(delimiter.encode()) != 1 or delimiter in '"\r\n':
        raise ArgumentsError(f"a delimiter is one character other than a quote, not {delimiter!r}")


def _require_all_read(read: int, well_formed: int) -> None:
    if read != well_formed:
        raise AccountingError(
            f"the file has {well_formed} well-formed records, but DuckDB read {read}"
        )


def _part(raw: Path, records: Path, malformed: Path, delimiter: str) -> Parted:
    with raw.open("rb") as source, records.open("wb") as good, malformed.open("wb") as bad:
        return part_records(source, good, bad, delimiter)


def _wanted(specification: Specification, header: Sequence[str]) -> list[str]:
    """The header's names that the specification takes columns from; all where it names none."""
    wanted = list(dict.fromkeys(column.source for column in specification.columns)) or list(header)
    missing = [name for name in wanted if name not in header]
    if missing:
        raise SourceError(
            f"there is no column {', '.join(missing)}; the header names {', '.join(header)}"
        )
    lowered = [name.lower() for name in wanted]
    for name in wanted:
        if not name or header.count(name) > 1 or lowered.count(name.lower()) > 1:
            raise SourceError(f"the header does not name column {name!r} once and clearly")
    return wanted


def _read(
    engine: DuckDbEngine, records: Path, parted: Parted, delimiter: str, wanted: Sequence[str]
) -> None:
    positions = ", ".join(f"'column_{number}': 'VARCHAR'" for number in range(len(parted.header)))
    rows = (
        f"SELECT * FROM read_csv({DUCKDB.literal(str(records))}, columns = {{{positions}}}, "
        f"auto_detect = false, header = false, delim = {DUCKDB.literal(delimiter)}, "
        "quote = '\"', escape = '\"', nullstr = '', allow_quoted_nulls = false, "
        "new_line = '\\n', strict_mode = true)"
    )
    named = ", ".join(
        f"column_{parted.header.index(name)} AS {DUCKDB.identifier(name)}" for name in wanted
    )
    engine.view(SOURCE_TABLE, f"SELECT {named} FROM ({rows}) AS lines")


def _malformed(engine: DuckDbEngine, file: Path, parted: Parted) -> Malformed | None:
    if not parted.malformed:
        return None
    header = DUCKDB.literal(json.dumps(parted.header, ensure_ascii=False))
    engine.view(
        MALFORMED_TABLE,
        f"SELECT line, reason, text, CASE WHEN whole THEN {header} ELSE '{EXCERPT}' END AS header "
        f"FROM read_json({DUCKDB.literal(str(file))}, format = 'newline_delimited', "
        "columns = {line: 'BIGINT', reason: 'VARCHAR', text: 'VARCHAR', whole: 'BOOLEAN'})",
    )
    return Malformed(MALFORMED_TABLE, parted.malformed)
