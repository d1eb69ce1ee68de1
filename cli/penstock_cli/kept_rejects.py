"""The records that jobs have rejected, read from where they are kept."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from penstock_cli.errors import CommandError

_COLUMNS = "source, line, key, record, rule, reason, attempt, first_seen, first_job_id"


@dataclass(frozen=True, slots=True)
class Record:
    """One rejected record, as it came, and why it was rejected the last time."""

    source: str
    line: int | None
    key: str | None
    record: str
    rule: str
    reason: str
    attempt: int
    first_seen: Any
    first_job_id: str


@dataclass(frozen=True, slots=True)
class TableRecord:
    """One record of a table's file that could not be used: a line, or JSON."""

    file: str
    line: int | None
    record: str
    reason: str


def records_of(s3: Any, path: str, limit: int) -> list[Record]:
    """The first records under a path; CommandError where they cannot be read any more."""
    try:
        import duckdb
    except ImportError:
        raise CommandError("DuckDB is needed to read rejects: pip install duckdb") from None
    try:
        files = json.loads(_object(s3, f"{path}/rejects.json"))["files"]
        with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
            local = [Path(folder, f"{number}.parquet") for number in range(len(files))]
            for file, target in zip(files, local, strict=True):
                target.write_bytes(_object(s3, file))
            found = connection.execute(
                f"SELECT {_COLUMNS} FROM read_parquet(?) ORDER BY rule, key, line, record LIMIT ?",  # noqa: S608 - own names
                [[str(file) for file in local], limit],
            ).fetchall()
    except ClientError as error:
        raise CommandError(f"the rejects under {path} cannot be read: {error}") from error
    return [Record(*row) for row in found]


def table_records_of(s3: Any, path: str, limit: int) -> list[TableRecord]:
    """The first records under a path that the extract of a table has rejected; CommandError."""
    bucket, _, prefix = path.removeprefix("s3://").partition("/")
    try:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/")
        keys = (each["Key"] for page in pages for each in page.get("Contents", ()))
        lines = (
            line
            for key in keys
            for line in s3.get_object(Bucket=bucket, Key=key)["Body"].iter_lines()
        )
        found = [_table_record(json.loads(line)) for line in islice(lines, limit)]
    except (ClientError, ValueError) as error:
        raise CommandError(f"the rejects under {path} cannot be read: {error}") from error
    if not found:
        raise CommandError(f"the rejects under {path} cannot be read: nothing is there any more")
    return found


def _table_record(entry: dict[str, Any]) -> TableRecord:
    record = entry.get("text")
    if record is None:
        record = json.dumps(entry.get("record"), ensure_ascii=False)
    return TableRecord(entry["file"], entry.get("line"), record, entry["reason"])


def _object(s3: Any, address: str) -> bytes:
    bucket, _, key = address.removeprefix("s3://").partition("/")
    body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return body
