"""An ObjectStore in a folder; Spark's `s3://` is mounted on the same folder."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import boto3
from penstock_job.errors import InputError
from penstock_job.object_store import ObjectStore, StoredObject, split


class FolderStore(ObjectStore):
    """Behaves as the real store does; a test holds them together."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.client = boto3.client("s3")  # leases lie in S3 itself, which alone has their times

    def _file(self, path: str) -> Path:
        bucket, key = split(path)
        return self.folder / bucket / key

    def read(self, path: str) -> bytes | None:
        file = self._file(path)
        return file.read_bytes() if file.is_file() else None

    def read_version(self, path: str) -> tuple[bytes, str] | None:
        body = self.read(path)
        return None if body is None else (body, sha256(body).hexdigest())

    def replace(self, path: str, body: bytes, content_type: str, version: str | None) -> bool:
        now = self.read_version(path)
        if version != (now and now[1]):
            return False
        self.write(path, body, content_type)
        return True

    def write(self, path: str, body: bytes, content_type: str) -> None:
        file = self._file(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)

    def upload(self, file: Path, path: str) -> StoredObject:
        self.write(path, file.read_bytes(), "application/octet-stream")
        return StoredObject(path, file.stat().st_size)

    def download(self, paths: Sequence[str], folder: Path) -> list[Path]:
        folder.mkdir(parents=True, exist_ok=True)
        files = []
        for number, path in enumerate(paths):
            file = folder / f"{number:05d}{Path(path).suffix}"
            if not self._file(path).is_file():
                raise InputError(f"{path} does not exist, though a manifest names it")
            shutil.copy(self._file(path), file)
            files.append(file)
        return files

    def list(self, prefix: str) -> Sequence[StoredObject]:
        folder = self._file(prefix.rstrip("/") + "/")
        if not folder.is_dir():
            return []
        return [
            StoredObject(f"{prefix.rstrip('/')}/{file.name}", file.stat().st_size)
            for file in sorted(folder.iterdir())
            if file.is_file()
        ]

    def folders(self, prefix: str) -> Sequence[str]:
        folder = self._file(prefix.rstrip("/") + "/")
        return (
            sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
            if folder.is_dir()
            else []
        )
