"""A run's output on its way to CloudWatch Logs, while it runs."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from botocore.exceptions import BotoCoreError, ClientError

log = logging.getLogger("penstock_local.job_processes")

# PutLogEvents takes 10,000 events and 1 MiB at once, each event counted with 26 bytes more.
MOST_EVENTS = 5_000
MOST_BYTES = 1_000_000
LONGEST_EVENT = 250_000
EVENT_OVERHEAD = 26


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file of output, and the log stream it goes to."""

    path: Path
    group: str
    stream: str
    makes_group: bool = True


class LogShipper:
    """Sends what a run writes to its log streams, in the name of whoever made the client.

    A role that may not write logs leaves none, as on AWS.
    """

    def __init__(self, client: Any, files: Sequence[LogFile]) -> None:
        self._streams = [_Stream(client, file) for file in files]

    @property
    def is_silent(self) -> bool:
        """Whether nothing is sent anywhere."""
        return not self._streams

    def open(self) -> None:
        """Make the streams now. Raises ClientError or BotoCoreError."""
        for stream in self._streams:
            stream.make()

    def say(self, line: str) -> None:
        """Put a line of Penstock Local's own into the last of the logs."""
        if self._streams:
            self._streams[-1].send([line.encode()])

    def ship(self) -> None:
        """Send the lines that are complete."""
        for stream in self._streams:
            stream.ship()

    def close(self) -> None:
        """Send everything that is left."""
        for stream in self._streams:
            stream.ship(rest=True)
            stream.close()


class _Stream:
    def __init__(self, client: Any, file: LogFile) -> None:
        self._client = client
        self._place = {"logGroupName": file.group, "logStreamName": file.stream}
        self._path = file.path
        self._makes_group = file.makes_group
        self._file: BinaryIO | None = None
        self._partial = b""
        self._made = False
        self._refused = False

    def ship(self, rest: bool = False) -> None:
        if self._file is None:
            if not self._path.exists():
                return
            self._file = self._path.open("rb")
        while chunk := self._file.read(MOST_BYTES):
            *lines, self._partial = (self._partial + chunk).split(b"\n")
            self.send(lines)
        if rest and self._partial:
            self.send([self._partial])
            self._partial = b""

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def send(self, lines: list[bytes]) -> None:
        # A log event must not be empty.
        filled = [line[:LONGEST_EVENT] for line in lines if line.strip()]
        if not filled or self._refused:
            return
        try:
            self.make()
            for batch in _batches(filled):
                self._client.put_log_events(**self._place, logEvents=batch)
        except (ClientError, BotoCoreError) as error:
            self._refused = True
            log.warning("No log %s: %s", self._place, error)

    def make(self) -> None:
        if self._made:
            return
        group = {"logGroupName": self._place["logGroupName"]}
        made = [(self._client.create_log_stream, self._place)]
        if self._makes_group:
            made.insert(0, (self._client.create_log_group, group))
        for make, place in made:
            try:
                make(**place)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
                    raise
        self._made = True


def _batches(lines: list[bytes]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    size = 0
    now = int(time.time() * 1000)
    for line in lines:
        cost = len(line) + EVENT_OVERHEAD
        if batch and (len(batch) >= MOST_EVENTS or size + cost > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append({"timestamp": now, "message": line.decode("utf-8", "replace")})
        size += cost
    if batch:
        yield batch
