"""Penstock's own transform script, as Glue starts it, with a folder where S3 would be.

The folder takes the network away, for all contestants alike: an object is its file, and fetching
it makes a link.
"""

from __future__ import annotations

import json
import os
import shutil
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


def folder_store(root: Path) -> Any:
    """An object store in a folder: `s3://bucket/key` is `bucket/key` in it."""
    from penstock_job.object_store import ObjectStore, StoredObject, split

    class FolderStore(ObjectStore):
        def __init__(self) -> None:
            pass

        def _file(self, path: str) -> Path:
            return root.joinpath(*split(path))

        def read(self, path: str) -> bytes | None:
            file = self._file(path)
            return file.read_bytes() if file.is_file() else None

        def write(self, path: str, body: bytes, content_type: str) -> None:  # noqa: ARG002
            self._file(path).parent.mkdir(parents=True, exist_ok=True)
            self._file(path).write_bytes(body)

        def upload(self, file: Path, path: str) -> StoredObject:
            target = self._file(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            size = file.stat().st_size
            shutil.copyfile(file, target)
            return StoredObject(path, size)

        def download(self, paths: Sequence[str], folder: Path) -> list[Path]:
            folder.mkdir(parents=True, exist_ok=True)
            files = [
                folder / f"{number:05d}{Path(path).suffix}" for number, path in enumerate(paths)
            ]
            for path, file in zip(paths, files, strict=True):
                file.symlink_to(self._file(path))
            return files

        def list(self, prefix: str) -> Sequence[StoredObject]:
            folder = self._file(prefix)
            files = sorted(folder.iterdir()) if folder.is_dir() else []
            base = prefix.rstrip("/")
            return [
                StoredObject(f"{base}/{f.name}", f.stat().st_size) for f in files if f.is_file()
            ]

    return FolderStore()


def main(script: str, root: Path, argv: Sequence[str]) -> None:
    """Run a script of glue/ with the folder as its S3."""
    import runpy

    sys.path.insert(0, str(HERE / "glue"))
    import penstock_job.object_store as module

    store = folder_store(root)
    module.ObjectStore = lambda: store  # type: ignore[assignment, misc]
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    sys.argv = [script, *argv]
    runpy.run_path(str(HERE / "glue" / script), run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3]))
