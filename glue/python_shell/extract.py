"""Extracts a CSV file behind an HTTP address to Parquet, with the columns that the row declares.

Columns are found by the names in the file's header, so a new column or another order does no
harm, and a missing one is an error that names it. Records that do not fit the header, and those
that break a rule, are kept as rejects.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from penstock_job import job_log
from penstock_job.contract import Result, contract_of
from penstock_job.csv_extract import extract
from penstock_job.duckdb_engine import DuckDbEngine
from penstock_job.object_store import ObjectStore
from penstock_job.transform import SpecificationArgumentParser, read_arguments


def main(argv: Sequence[str]) -> Result:
    """Extract one job's source, as its arguments say."""
    parser = SpecificationArgumentParser(__doc__ or "")
    parser.add_argument("--source_url", required=True)
    parser.add_argument("--delimiter", default=",")
    parser.add_argument("--memory_limit", default="", help="as DuckDB writes it: 700MB")
    arguments = parser.read(argv)
    contract = contract_of(arguments)
    store = ObjectStore()
    specification = read_arguments(arguments, store)
    with (
        tempfile.TemporaryDirectory(prefix="penstock-") as folder,
        closing(DuckDbEngine(Path(folder), store, arguments.memory_limit)) as engine,
    ):
        return extract(engine, specification, contract, arguments.source_url, arguments.delimiter)


if __name__ == "__main__":
    job_log.start()
    main(sys.argv[1:])
