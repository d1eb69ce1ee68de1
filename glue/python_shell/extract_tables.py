"""Extracts tables of one source, as a work order lists them, each with an outcome of its own.

The tables come as Parquet to datasets that further jobs read as `extract:<source>/<table>`. A table
that fails fails none of its neighbours; the job fails in the end and names those that did.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from penstock_job import job_log
from penstock_job.contract import JobArgumentParser, Result, contract_of
from penstock_job.duckdb_engine import DuckDbEngine
from penstock_job.duckdb_writer import DuckDbWriter
from penstock_job.object_store import ObjectStore
from penstock_job.sources import open_source
from penstock_job.table_catalog import table_catalog
from penstock_job.table_extract import TableExtract
from penstock_job.work_order import load_work_order


def main(argv: Sequence[str]) -> Result:
    """Extract the tables of one work order."""
    parser = JobArgumentParser(__doc__ or "")
    parser.add_argument("--tables_path", required=True, help="S3 address of the work order")
    parser.add_argument("--catalog_database", default="", help="where tables are registered")
    parser.add_argument("--memory_limit", default="400MB", help="for DuckDB, as it writes it")
    arguments = parser.read(argv)
    contract, store = contract_of(arguments), ObjectStore()
    order = load_work_order(store, arguments.tables_path)
    with tempfile.TemporaryDirectory(prefix="penstock-") as name:
        folder = Path(name)
        with (
            closing(DuckDbEngine(folder, store, arguments.memory_limit)) as engine,
            closing(open_source(order.source, contract, store, folder)) as source,
        ):
            writer = DuckDbWriter(engine.connection, store, folder)
            catalog = table_catalog(arguments.catalog_database)
            return TableExtract(contract, store, source, writer, catalog).run(order)


if __name__ == "__main__":
    job_log.start()
    main(sys.argv[1:])
