"""The Spark transform: what `python_shell/transform.py` does, for data beyond one machine.

Plain PySpark, for Glue 5.1 and any other Spark 3.5: no awsglue, and no master set, so that the
script runs wherever `spark-submit` takes it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from penstock_job import job_log
from penstock_job.contract import Result, contract_of
from penstock_job.object_store import ObjectStore
from penstock_job.spark_engine import SparkEngine
from penstock_job.transform import TransformArgumentParser, transform
from pyspark.sql import SparkSession


def main(argv: Sequence[str]) -> Result:
    """Transform one job's inputs, as its arguments say."""
    arguments = TransformArgumentParser(__doc__ or "").read(argv)
    store = ObjectStore()
    engine = SparkEngine(SparkSession.builder.getOrCreate(), store)
    try:
        return transform(engine, store, contract_of(arguments), arguments)
    finally:
        engine.release()


if __name__ == "__main__":
    job_log.start()
    main(sys.argv[1:])
