"""The objects of a table on S3, as they were listed at one moment, and which of them are new."""

from __future__ import annotations

import fnmatch
import gzip
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from penstock_job.errors import SourceError
from penstock_job.object_store import ABSENT, ObjectStore, split

CHANGED = {"PreconditionFailed", "412"}
BLOCK = 1 << 20


@dataclass(frozen=True, order=True)
class ListedObject:
    """An object as a listing has it; another ETag means other content under the same key."""

    path: str
    etag: str
    size: int = 0

    @property
    def identity(self) -> tuple[str, str]:
        """What tells it from every other state of every other object."""
        return (self.path, self.etag)


def list_objects(store: ObjectStore, address: str) -> list[ListedObject]:
    """The objects at an address: that very object, those below it as a folder, or a pattern's.

    Objects whose names begin with `_` or `.` are left out, as Spark and Athena do, and so are the
    markers of folders. Raises SourceError where the bucket cannot be listed.
    """
    bucket, key = split(address)
    start = key.split("*", 1)[0].rstrip("/") if "*" not in key else key.split("*", 1)[0]
    try:
        pages = store.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=start)
        found = [
            ListedObject(f"s3://{bucket}/{entry['Key']}", entry["ETag"], entry["Size"])
            for page in pages
            for entry in page.get("Contents", [])
            if _belongs(entry["Key"], key)
        ]
    except (ClientError, BotoCoreError) as error:
        raise SourceError(f"s3://{bucket}/{start} cannot be listed: {_reason(error)}") from error
    return sorted(found)


def fetch_object(store: ObjectStore, listed: ListedObject, file: Path) -> None:
    """Fetch an object as it was listed. Raises SourceError where it is gone or another now."""
    bucket, key = split(listed.path)
    try:
        body = store.client.get_object(Bucket=bucket, Key=key, IfMatch=listed.etag)["Body"]
        with file.open("wb") as target:
            for block in body.iter_chunks(BLOCK):
                target.write(block)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in ABSENT or code in CHANGED:
            was = "is gone" if code in ABSENT else "was changed"
            raise SourceError(f"{listed.path} {was} while it was extracted") from error
        raise SourceError(f"{listed.path} cannot be read: {code}") from error
    except (BotoCoreError, OSError) as error:
        raise SourceError(f"{listed.path} could not be read to its end: {error}") from error
    if file.stat().st_size != listed.size:
        raise SourceError(
            f"{listed.path} broke off after {file.stat().st_size} of {listed.size} bytes"
        )


def digest_of(objects: Iterable[ListedObject]) -> str:
    """A mark of a listing: the same for the same objects in the same state."""
    text = json.dumps([each.identity for each in sorted(objects)])
    return hashlib.sha256(text.encode()).hexdigest()


def store_listing(store: ObjectStore, path: str, objects: Sequence[ListedObject]) -> None:
    """Keep which objects were listed: the next increment begins after them."""
    lines = "".join(json.dumps(each.identity) + "\n" for each in objects)
    store.write(path, gzip.compress(lines.encode(), mtime=0), "application/gzip")


def load_listing(store: ObjectStore, path: str) -> set[tuple[str, str]]:
    """The identities in a listing. Raises SourceError where it is gone."""
    body = store.read(path)
    if body is None:
        raise SourceError(
            f"{path}, which says what has been extracted, is gone; extract the table once with "
            "mode full"
        )
    return {(path, etag) for path, etag in map(json.loads, gzip.decompress(body).splitlines())}


def _belongs(key: str, wanted: str) -> bool:
    if "*" in wanted:
        if not fnmatch.fnmatchcase(key, wanted):
            return False
    elif key != wanted and not key.startswith(wanted.rstrip("/") + "/"):
        return False
    below = key[len(wanted.split("*", 1)[0].rpartition("/")[0]) :] if key != wanted else key
    names = below.strip("/").split("/")
    return not key.endswith("/") and not any(name.startswith(("_", ".")) for name in names)


def _reason(error: Exception) -> str:
    if isinstance(error, ClientError):
        return str(error.response["Error"]["Code"])
    return str(error)
