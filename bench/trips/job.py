"""Penstock's own transform script, as Glue starts it, with a folder where S3 would be.

The folder takes the network away, for all contestants alike: an object is its file, and fetching
it makes a link.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parents[2]
BUCKET = "data"
CATEGORY, JOB, DATE = "Daily_Trips", "clean_trips", "2026-01-31"


def arguments(job: str = JOB, **own: Any) -> list[str]:
    """The argv that the planner makes for a row of these arguments."""
    values = {
        "job_id": "20260131T050000Z-bench",
        "job_name": job,
        "category": CATEGORY,
        "logical_date": DATE,
        "attempt": "1",
        "result_path": f"s3://{BUCKET}/runs/{job}.json",
        "data_path": f"s3://{BUCKET}/data",
        **own,
    }
    return [
        word
        for name, value in values.items()
        for word in (f"--{name}", value if isinstance(value, str) else json.dumps(value))
    ]


def main(script: str, root: Path, argv: Sequence[str]) -> None:
    """Run a script of glue/ with the folder as its S3."""
    import runpy

    sys.path.insert(0, str(HERE / "glue"))
    import penstock_job.object_store as module

    from trips.folder_store import FolderStore

    store = FolderStore(root)
    module.ObjectStore = lambda: store  # type: ignore[assignment, misc]
    if script.startswith("spark/"):
        from trips.spark_session import local_session

        local_session(root)
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    sys.argv = [script, *argv]
    runpy.run_path(str(HERE / "glue" / script), run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3]))
