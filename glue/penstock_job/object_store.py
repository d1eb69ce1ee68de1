"""Objects on S3, by their `s3://` addresses."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from penstock_job.errors import InputError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ABSENT = {"NoSuchKey", "404", "NotFound"}
OVERTAKEN = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409", "NoSuchKey"}
PARALLEL_DOWNLOADS = 8
CONFIG = Config(connect_timeout=10, read_timeout=60, retries={"mode": "standard"})


@dataclass(frozen=True)
class StoredObject:
    """One object: its address and its size in bytes."""

    path: str
    size: int


class ObjectStore:
    """Reads and writes objects. The endpoint and the credentials come from the environment."""

    def __init__(self, client: S3Client | None = None) -> None:
        self.client: S3Client = client or boto3.client("s3", config=CONFIG)

    def read(self, path: str) -> bytes | None:
        """The content of an object, or None where there is no such object."""
        bucket, key = split(path)
        try:
            return self.client.get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in ABSENT:
                return None
            raise

    def read_version(self, path: str) -> tuple[bytes, str] | None:
        """The content of an object with its ETag, or None where there is no such object."""
        bucket, key = split(path)
        try:
            answer = self.client.get_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in ABSENT:
                return None
            raise
        return answer["Body"].read(), answer["ETag"]

    def replace(self, path: str, body: bytes, content_type: str, version: str | None) -> bool:
        """Put an object if it still is of this version (None: if there still is none).

        False where another has written it meanwhile; then nothing is changed.
        """
        bucket, key = split(path)
        try:
            if version is None:
                self.client.put_object(
                    Bucket=bucket, Key=key, Body=body, ContentType=content_type, IfNoneMatch="*"
                )
            else:
                self.client.put_object(
                    Bucket=bucket, Key=key, Body=body, ContentType=content_type, IfMatch=version
                )
        except ClientError as error:
            if error.response["Error"]["Code"] in OVERTAKEN:
                return False
            raise
        return True

    def write(self, path: str, body: bytes, content_type: str) -> None:
        """Put an object in one request: it is there whole or not at all."""
        bucket, key = split(path)
        self.client.put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)

    def upload(self, file: Path, path: str) -> StoredObject:
        """Put a file there, in parts where it is large."""
        bucket, key = split(path)
        self.client.upload_file(str(file), bucket, key)
        return StoredObject(path, file.stat().st_size)

    def download(self, paths: Sequence[str], folder: Path) -> list[Path]:
        """Fetch objects into a folder, under names that keep their order and their endings."""
        folder.mkdir(parents=True, exist_ok=True)
        files = [folder / f"{number:05d}{Path(path).suffix}" for number, path in enumerate(paths)]
        with ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
            list(pool.map(self._download_one, paths, files))
        return files

    def _download_one(self, path: str, file: Path) -> None:
        bucket, key = split(path)
        try:
            self.client.download_file(bucket, key, str(file))
        except ClientError as error:
            if error.response["Error"]["Code"] in ABSENT:
                raise InputError(f"{path} does not exist, though a manifest names it") from error
            raise

    def list(self, prefix: str) -> Sequence[StoredObject]:
        """The objects directly under a prefix, in the order of their names."""
        bucket, key = split(prefix.rstrip("/") + "/")
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=key, Delimiter="/"
        )
        return [
            StoredObject(f"s3://{bucket}/{entry['Key']}", entry["Size"])
            for page in pages
            for entry in page.get("Contents", [])
        ]

    def folders(self, prefix: str) -> Sequence[str]:
        """The names of the folders directly under a prefix, in their order."""
        bucket, key = split(prefix.rstrip("/") + "/")
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=key, Delimiter="/"
        )
        return [
            entry["Prefix"][len(key) :].rstrip("/")
            for page in pages
            for entry in page.get("CommonPrefixes", [])
        ]


def split(path: str) -> tuple[str, str]:
    """`s3://bucket/key` as bucket and key."""
    scheme, _, rest = path.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket or not key:
        raise InputError(f"{path} is not an S3 address (s3://bucket/key)")
    return bucket, key
