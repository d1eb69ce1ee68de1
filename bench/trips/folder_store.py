"""An object store in a folder: `s3://bucket/key` is `bucket/key` in it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from penstock_job.object_store import ObjectStore, StoredObject, split


class FolderStore(ObjectStore):
    """What a job needs of S3, without a network: fetching an object makes a link."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, path: str) -> bytes | None:
        file = self._file(path)
        return file.read_bytes() if file.is_file() else None

    def write(self, path: str, body: bytes, content_type: str) -> None:
        self._file(path).parent.mkdir(parents=True, exist_ok=True)
        self._file(path).write_bytes(body)

    def upload(self, file: Path, path: str) -> StoredObject:
        target = self._file(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
        return StoredObject(path, target.stat().st_size)

    def download(self, paths: Sequence[str], folder: Path) -> list[Path]:
        folder.mkdir(parents=True, exist_ok=True)
        files = [folder / f"{number:05d}{Path(path).suffix}" for number, path in enumerate(paths)]
        for path, file in zip(paths, files):  # noqa: B905 - Glue's Python 3.9
            file.symlink_to(self._file(path))
        return files

    def list(self, prefix: str) -> Sequence[StoredObject]:
        folder = self._file(prefix.rstrip("/") + "/")
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        base = prefix.rstrip("/")
        return [StoredObject(f"{base}/{f.name}", f.stat().st_size) for f in files if f.is_file()]

    def _file(self, path: str) -> Path:
        return self.root.joinpath(*split(path))
