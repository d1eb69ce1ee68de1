"""ResultWriter: what became of the children of a Distributed Map, written to S3."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from penstock_local.asl.errors import RESULT_WRITER_FAILED, StateError
from penstock_local.asl.integrations import Caller
from penstock_local.asl.values import Json, compact

PUT_OBJECT = "arn:aws:states:::s3:putObject"

# AWS splits at 5 GB. A file is made up in memory here, so it ends earlier; whoever reads the
# results has to follow the manifest in either case.
LARGEST_FILE = 64 * 1024 * 1024

_FILES = ("FAILED", "PENDING", "SUCCEEDED")
_JSON_LINES = "JSONL"


class ObjectSink(Protocol):
    """Where objects are written to: `Integrations.s3`."""

    async def put(self, caller: Caller, arguments: dict[str, Any]) -> None:
        """Write an object."""


@dataclass(frozen=True, slots=True)
class ChildResult:
    """A child execution as it ended, or one that never started (status PENDING).

    `input` and `output` are JSON texts; `started` and `stopped` seconds since the epoch.
    """

    status: str
    input: str
    state_machine_arn: str
    execution_arn: str | None = None
    name: str | None = None
    output: str | None = None
    error: str | None = None
    cause: str | None = None
    started: float | None = None
    stopped: float | None = None
    redrive_count: int = 0

    @property
    def file(self) -> str:
        """In which of the files it is told of."""
        return self.status if self.status in ("SUCCEEDED", "PENDING") else "FAILED"


async def write_results(
    sink: ObjectSink,
    caller: Caller,
    writer: dict[str, Json],
    map_run_arn: str,
    children: Sequence[ChildResult],
) -> Json:
    """Write the results of a Map Run and its manifest; the result of the state.

    `writer` is the state's field with `Arguments` and `WriterConfig` evaluated, `caller` the
    state machine's role and region. Raises StateError `States.ResultWriterFailed`.
    """
    arguments = writer["Arguments"]
    bucket, prefix = arguments["Bucket"], arguments.get("Prefix") or ""
    folder = f"{prefix.rstrip('/')}/" if prefix.rstrip("/") else ""
    folder += map_run_arn.rpartition(":")[2]
    files: dict[str, list[Json]] = {name: [] for name in _FILES}
    try:
        for name in _FILES:
            told = [child for child in children if child.file == name]
            bodies = _bodies(told, writer.get("WriterConfig") or {})
            for number in itertools.count():
                body = await asyncio.to_thread(next, bodies, None)
                if body is None:
                    break
                key = f"{folder}/{name}_{number}.{_suffix(writer)}"
                await sink.put(caller, {"Bucket": bucket, "Key": key, "Body": body})
                files[name].append({"Key": key, "Size": len(body)})
        manifest = {"DestinationBucket": bucket, "MapRunArn": map_run_arn, "ResultFiles": files}
        key = f"{folder}/manifest.json"
        body = compact(manifest).encode()
        await sink.put(caller, {"Bucket": bucket, "Key": key, "Body": body})
    except StateError as error:
        raise StateError(RESULT_WRITER_FAILED, error.cause) from error
    return {
        "MapRunArn": map_run_arn,
        "ResultWriterDetails": {"Bucket": bucket, "Key": key},
    }


def as_output(children: Iterable[ChildResult], config: dict[str, Json]) -> list[Json]:
    """The result of a state that exports nothing: a ResultWriter with a WriterConfig only.

    Children that did not succeed are left out, as they are without a ResultWriter. A list comes
    out whatever the OutputType: a state's output is JSON.
    """
    succeeded = (child for child in children if child.status == "SUCCEEDED")
    return [json.loads(text) for child in succeeded for text in _texts(child, config)]


def _suffix(writer: dict[str, Json]) -> str:
    config = writer.get("WriterConfig") or {}
    return "jsonl" if config.get("OutputType") == _JSON_LINES else "json"


def _bodies(children: Iterable[ChildResult], config: dict[str, Json]) -> Iterator[bytes]:
    """The contents of the files that tell of the children."""
    texts = (text.encode() for child in children for text in _texts(child, config))
    opening, between, closing = (
        (b"", b"\n", b"\n") if config.get("OutputType") == _JSON_LINES else (b"[", b",", b"]")
    )
    part: list[bytes] = []
    filled = 0
    for text in texts:
        if part and filled + len(text) > LARGEST_FILE:
            yield opening + between.join(part) + closing
            part, filled = [], 0
        part.append(text)
        filled += len(text) + 1
    if part:
        yield opening + between.join(part) + closing


def _texts(child: ChildResult, config: dict[str, Json]) -> Iterator[str]:
    """What is told of one child, as JSON texts. A child without a result is told of in full."""
    transformation = config.get("Transformation", "NONE")
    if transformation == "NONE" or child.status != "SUCCEEDED" or child.output is None:
        yield compact(_record(child))
        return
    output = json.loads(child.output)
    if transformation == "FLATTEN" and isinstance(output, list):
        yield from map(compact, output)
    else:
        yield compact(output)


def _record(child: ChildResult) -> dict[str, Json]:
    """Everything about a child, in the order of the service's files (the alphabet)."""
    record = {
        "Cause": child.cause,
        "Error": child.error,
        "ExecutionArn": child.execution_arn,
        "Input": child.input,
        "InputDetails": {"Included": True},
        "Name": child.name,
        "Output": child.output,
        "OutputDetails": None if child.output is None else {"Included": True},
        "RedriveCount": None if child.file == "PENDING" else child.redrive_count,
        "RedriveStatus": _redrive_status(child),
        "StartDate": _moment(child.started),
        "StateMachineArn": child.state_machine_arn,
        "Status": child.status,
        "StopDate": _moment(child.stopped),
    }
    return {name: value for name, value in record.items() if value is not None}


def _redrive_status(child: ChildResult) -> str | None:
    statuses = {"SUCCEEDED": "NOT_REDRIVABLE", "FAILED": "REDRIVABLE_BY_MAP_RUN"}
    return statuses.get(child.file)


def _moment(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    text = dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
