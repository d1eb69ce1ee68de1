"""The objects of a table on S3, as they were listed at one moment, and which of them are new."""

from __future__ import annotations

import fnmatch
import gzip
import hashlib
import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from penstock_job.errors import SourceError
from penstock_job.object_store import ABSENT, PARALLEL_DOWNLOADS, ObjectStore, split

CHANGED = {"PreconditionFailed", "412"}
BLOCK = 1 << 20
ATTEMPTS = 4


class _BrokenOffError(Exception):
    """A failure that another attempt may not meet."""


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


def fetch_objects(
    store: ObjectStore, objects: Sequence[ListedObject], folder: Path, suffix: str
) -> Iterator[tuple[ListedObject, Path]]:
    """Fetch objects, several at a time, and give them in their order. Raises SourceError."""
    files = [folder / f"object-{number:06d}{suffix}" for number in range(len(objects))]
    with ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
        fetching = [pool.submit(fetch_object, store, *pair) for pair in zip(objects, files)]
        try:
            for listed, file, fetched in zip(objects, files, fetching):
                fetched.result()
                yield listed, file
        finally:
            for future in fetching:
                future.cancel()


def fetch_object(
    store: ObjectStore,
    listed: ListedObject,
    file: Path,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Fetch an object as it was listed. Raises SourceError where it is gone or another now.

    A connection that breaks off in the middle is tried again.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _fetch(store, listed, file)
        except _BrokenOffError as error:  # noqa: PERF203 - each attempt may fail
            if attempt == ATTEMPTS:
                raise SourceError(f"{listed.path} {error} ({attempt} attempts)") from error
            sleep(random.uniform(0.5, 1) * attempt)  # noqa: S311 - jitter, no secret
    raise AssertionError("unreachable")


def _fetch(store: ObjectStore, listed: ListedObject, file: Path) -> None:
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
    except (BotoCoreError, HTTPError) as error:
        raise _BrokenOffError(f"could not be read to its end: {error}") from error
    size = file.stat().st_size
    if size != listed.size:
        raise _BrokenOffError(f"broke off after {size} of {listed.size} bytes")


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
