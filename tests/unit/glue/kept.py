"""The rejects that a job has kept, as its Parquet files have them."""

from __future__ import annotations

import json
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from penstock_job.object_store import ObjectStore
from penstock_job.rejects import find_rejects


def kept(folder: str, store: ObjectStore | None = None) -> list[dict[str, Any]]:
    """The rejects of an attempt; what was a record is one again, a malformed line stays a text."""
    store = store or ObjectStore()
    manifest = find_rejects(store, folder)
    if manifest is None:
        return []
    with tempfile.TemporaryDirectory() as local, duckdb.connect() as connection:
        files = [str(file) for file in store.download(manifest.files, Path(local))]
        found = connection.read_parquet(files)
        rows = [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
    assert len(rows) == manifest.rows
    for row in rows:
        if row["header"] is None:
            row["record"] = json.loads(row["record"], parse_float=Decimal)
    return rows
