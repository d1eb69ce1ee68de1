"""The two loaders that bench/dynamodb.py measures, each run in a process of its own.

    python bench/dynamodb_loaders.py penstock|boto3 FOLDER ITEMS

Prints its figures as JSON. Without REAL in the environment the network is stubbed: what is sent is
answered in-process, right below the library that would have sent it.
"""

from __future__ import annotations

import io
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from socket import socket
from typing import Any, cast

import boto3
import duckdb
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.httpsession import URLLib3Session
from penstock_job.contract import JobContract
from penstock_job.duckdb_engine import DuckDbEngine
from penstock_job.dynamodb_items import unstorable_cases
from penstock_job.dynamodb_table import PARTITION_KEY, KeyAttribute
from penstock_job.dynamodb_writer import DynamoDbWriter
from penstock_job.load_records import LoadRecords
from penstock_job.object_store import ObjectStore
from penstock_job.signed_endpoint import SignedEndpoint

TABLE = "orders"
BUCKET = "bench"
KEY = "order_id"
ANSWER = b'{"UnprocessedItems":{}}'
ANSWER_HEAD = (
    b"HTTP/1.1 200 OK\r\nServer: Server\r\nDate: Sat, 28 Nov 2026 12:00:00 GMT\r\n"
    b"Content-Type: application/x-amz-json-1.0\r\nContent-Length: 23\r\n"
    b"Connection: keep-alive\r\nx-amzn-RequestId: UQ0BL0C2VGPQ2FQRHOMQ3C5S27VV4KQNSO5\r\n"
    b"x-amz-crc32: 3413411624\r\n\r\n"
)
CONTRACT = JobContract(
    "bench", "load", "Bench", "2026-01-01", 1, f"s3://{BUCKET}/r", "s3://bench/d"
)


class FolderStore(ObjectStore):
    """Objects in a folder, so that no S3 is needed where none is measured."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, path: str) -> bytes | None:
        """The content of a file; None where there is none."""
        file = self.folder / path.removeprefix("s3://")
        return file.read_bytes() if file.is_file() else None

    def download(self, paths: Sequence[str], folder: Path) -> list[Path]:
        """The files where they are."""
        return [self.folder / path.removeprefix("s3://") for path in paths]


class Counted:
    """What was sent."""

    requests = 0
    bytes = 0


class StubbedEndpoint(SignedEndpoint):
    """Signs and sends, to a socket that answers in-process."""

    def _connected(self) -> socket:
        return cast("socket", StubbedSocket())


class StubbedSocket:
    """Whatever is sent, the same answer comes."""

    def __init__(self) -> None:
        self._answers = io.BytesIO()

    def sendall(self, _: bytes) -> None:
        """Take a request, and have its answer ready."""
        self._answers.seek(0)
        self._answers.write(ANSWER_HEAD + ANSWER)
        self._answers.seek(0)

    def makefile(self, _: str) -> io.BytesIO:
        """The answers."""
        return self._answers

    def close(self) -> None:
        """Nothing is open."""


def penstock(folder: Path, items: int) -> None:
    """Judge and put, as the load job does."""
    kind = SignedEndpoint if "REAL" in os.environ else StubbedEndpoint
    endpoint = kind("dynamodb", "DynamoDB_20120810", boto3.Session())
    with tempfile.TemporaryDirectory(dir=folder) as own:
        engine = DuckDbEngine(Path(own), FolderStore(folder))
        records = LoadRecords(engine, CONTRACT, "orders", [KEY])
        records.reject_keyless()
        records.reject(unstorable_cases(records.schema, [KeyAttribute(KEY, "S", PARTITION_KEY)]))
        records.reject_repeated()
        puts = DynamoDbWriter(TABLE, endpoint).put(records.items(), items)
        assert puts.items == items, puts
        Counted.requests, Counted.bytes = puts.requests, puts.bytes
        engine.close()


def batch_writer(folder: Path, items: int) -> None:
    """What the documentation of boto3 recommends."""
    if "REAL" not in os.environ:
        stub_botocore()
    with boto3.resource("dynamodb").Table(TABLE).batch_writer() as batch:
        for row in rows(folder, items):
            batch.put_item(Item=row)


def rows(folder: Path, items: int) -> Iterator[dict[str, Any]]:
    """The same records as Python's objects."""
    file = folder / BUCKET / f"part-{items}.parquet"
    found = duckdb.connect().execute(
        f"SELECT * REPLACE (ordered_on::VARCHAR AS ordered_on, changed_at::VARCHAR AS changed_at) "
        f"FROM '{file}'"
    )
    names = [column[0] for column in found.description or ()]
    while block := found.fetchmany(10_000):
        for row in block:
            yield dict(zip(names, row, strict=True))


def stub_botocore() -> None:
    """Answer right below botocore's own work, and count what it would have sent."""

    class Raw:
        def stream(self) -> Iterator[bytes]:
            yield ANSWER

    def send(_: URLLib3Session, request: Any) -> AWSResponse:
        Counted.requests += 1
        Counted.bytes += len(request.body)
        return AWSResponse(request.url, 200, HTTPHeaders(), Raw())

    URLLib3Session.send = send  # type: ignore[method-assign,assignment]


def main(loader: str, folder: Path, items: int) -> None:
    """Run one loader and print its figures."""
    began, started = time.perf_counter(), time.process_time()
    {"penstock": penstock, "boto3": batch_writer}[loader](folder, items)
    figures = {
        "items": items,
        "requests": Counted.requests,
        "mb": Counted.bytes / 1e6,
        "cpu_s": time.process_time() - started,
        "wall_s": time.perf_counter() - began,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
