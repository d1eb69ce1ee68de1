"""Merges what an upstream job has published into an Iceberg table, by key.

Plain PySpark, for Glue 5.1 with `--datalake-formats iceberg` and any other Spark 3.5 whose session
has Iceberg's extensions and a catalog: those are static settings, so they come with `--conf`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from penstock_job import job_log
from penstock_job.contract import Result, contract_of
from penstock_job.iceberg_load import IcebergLoadArgumentParser, load_iceberg
from penstock_job.object_store import ObjectStore
from penstock_job.spark_engine import SparkEngine
from pyspark.sql import SparkSession


def main(argv: Sequence[str]) -> Result:
    """Load one job's input, as its arguments say."""
    arguments = IcebergLoadArgumentParser(__doc__ or "").read(argv)
    store = ObjectStore()
    engine = SparkEngine(SparkSession.builder.getOrCreate(), store)
    try:
        return load_iceberg(engine, store, contract_of(arguments), arguments)
    finally:
        engine.release()


if __name__ == "__main__":
    job_log.start()
    main(sys.argv[1:])
