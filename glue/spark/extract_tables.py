"""The Spark extract: what `python_shell/extract_tables.py` does, for the largest tables.

It reads tables of PostgreSQL by Spark's JDBC reader. Plain PySpark, for Glue 5.1 and any other
Spark 3.5 that has the driver of PostgreSQL: no awsglue, and no master set.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from penstock_job import job_log
from penstock_job.contract import JobArgumentParser, Result, contract_of
from penstock_job.database_access import database_access
from penstock_job.errors import ArgumentsError
from penstock_job.object_store import ObjectStore
from penstock_job.postgresql_source import PORT, PostgresqlSource
from penstock_job.spark_engine import SparkEngine
from penstock_job.spark_table_writer import SparkWriter
from penstock_job.table_catalog import table_catalog
from penstock_job.table_extract import TableExtract
from penstock_job.work_order import load_work_order
from pyspark.sql import SparkSession

POSTGRESQL = "postgresql"


def main(argv: Sequence[str]) -> Result:
    """Extract the tables of one work order."""
    parser = JobArgumentParser(__doc__ or "")
    parser.add_argument("--tables_path", required=True, help="S3 address of the work order")
    parser.add_argument("--catalog_database", default="", help="where tables are registered")
    arguments = parser.read(argv)
    contract, store = contract_of(arguments), ObjectStore()
    order = load_work_order(store, arguments.tables_path)
    if order.source.type != POSTGRESQL:
        raise ArgumentsError(
            f"source {order.source.name} is of the type {order.source.type}; the Spark extract "
            f"knows {POSTGRESQL}, the Python shell extract all types"
        )
    with tempfile.TemporaryDirectory(prefix="penstock-") as folder:
        access = database_access(order.source, store, Path(folder), PORT)
        engine = SparkEngine(SparkSession.builder.getOrCreate(), store)
        with closing(PostgresqlSource(access)) as source:
            writer = SparkWriter(engine, access, store)
            catalog = table_catalog(arguments.catalog_database)
            return TableExtract(contract, store, source, writer, catalog).run(order)


if __name__ == "__main__":
    job_log.start()
    main(sys.argv[1:])
