"""Loads what an upstream job has published into DynamoDB, Redshift, or both, by key."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from penstock_job import job_log
from penstock_job.contract import Result, contract_of
from penstock_job.duckdb_engine import DuckDbEngine
from penstock_job.load import LoadArgumentParser, load
from penstock_job.object_store import ObjectStore


def main(argv: Sequence[str]) -> Result:
    """Load one job's input, as its arguments say."""
    parser = LoadArgumentParser(__doc__ or "")
    parser.add_argument("--memory_limit", default="", help="as DuckDB writes it: 700MB")
    arguments = parser.read(argv)
    with (
        tempfile.TemporaryDirectory(prefix="penstock-") as folder,
        closing(DuckDbEngine(Path(folder), ObjectStore(), arguments.memory_limit)) as engine,
    ):
        return load(engine, contract_of(arguments), arguments)


if __name__ == "__main__":
    job_log.start()
    main(sys.argv[1:])
