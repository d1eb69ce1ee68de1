"""The transform on one machine: cleans, filters and joins what upstream jobs have published.

What it does comes with the job's row: columns with types and rules, a filter, a SQL select.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from penstock_job import job_log
from penstock_job.contract import Result, contract_of
from penstock_job.duckdb_engine import DuckDbEngine
from penstock_job.object_store import ObjectStore
from penstock_job.transform import TransformArgumentParser, transform


def main(argv: Sequence[str]) -> Result:
    """Transform one job's inputs, as its arguments say."""
    parser = TransformArgumentParser(__doc__ or "")
    parser.add_argument("--memory_limit", default="", help="as DuckDB writes it: 700MB")
    arguments = parser.read(argv)
    store = ObjectStore()
    with (
        tempfile.TemporaryDirectory(prefix="penstock-") as folder,
        closing(DuckDbEngine(Path(folder), store, arguments.memory_limit)) as engine,
    ):
        return transform(engine, store, contract_of(arguments), arguments)


if __name__ == "__main__":
    job_log.start()
    main(sys.argv[1:])
