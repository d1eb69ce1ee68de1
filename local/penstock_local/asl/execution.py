"""The records of the engine: a state machine as it was started, and one execution of it."""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from penstock_local.asl.history import History

if TYPE_CHECKING:
    from penstock_local.asl.map_run import MapRun
    from penstock_local.asl.progress import Progress
    from penstock_local.asl.values import Json


class Status(StrEnum):
    """How an execution, or a Map Run, stands."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"
    PENDING_REDRIVE = "PENDING_REDRIVE"

    @property
    def unsuccessful(self) -> bool:
        """Whether it has ended, and not well: only then can it be redriven."""
        return self in (Status.FAILED, Status.TIMED_OUT, Status.ABORTED)


@dataclass(frozen=True, slots=True)
class Machine:
    """A state machine as it was when the execution started; `definition` is shared, never changed.

    `version_arn` and `alias_arn` say by which name it was started, if not by its own; `label` is
    that of the Distributed Map whose children this machine describes.
    """

    arn: str
    name: str
    definition: dict[str, Any]
    role_arn: str
    type: str = "STANDARD"
    definition_text: str = ""
    version_arn: str | None = None
    alias_arn: str | None = None
    label: str | None = None
    updated: float = field(default_factory=time.time)
    revision_id: str | None = None
    logging: dict[str, Any] | None = None
    encryption: dict[str, Any] | None = None

    @property
    def region(self) -> str:
        """The region, read off the ARN."""
        return self.arn.split(":")[3]

    @property
    def account(self) -> str:
        """The account's twelve digits, read off the ARN."""
        return self.arn.split(":")[4]

    @property
    def express(self) -> bool:
        """Whether its executions are express: no history to ask for, five minutes at most."""
        return self.type == "EXPRESS"

    def execution_arn(self, name: str) -> str:
        """The ARN of a new execution; that of an express one is another each time."""
        place = f"arn:aws:states:{self.region}:{self.account}"
        if self.express:
            return f"{place}:express:{self.name}:{name}:{uuid.uuid4()}"
        return f"{place}:execution:{self.name}:{name}"


class Execution:
    """One run of a state machine and everything that is known about it.

    `input_text` is the caller's text unchanged, `input` its value. `items` counts the items that
    a child of a Distributed Map works on. `progress` is where a redrive resumes.
    """

    __slots__ = (
        "arn",
        "cause",
        "error",
        "history",
        "input",
        "input_text",
        "items",
        "machine",
        "map_run",
        "name",
        "output",
        "progress",
        "redrive_count",
        "redrive_token",
        "redriven",
        "started",
        "status",
        "stopped",
        "synchronous",
        "task",
        "trace_header",
    )

    def __init__(
        self,
        arn: str,
        name: str,
        machine: Machine,
        input_text: str,
        value: Json,
        *,
        map_run: MapRun | None = None,
        items: int = 0,
        trace_header: str | None = None,
    ) -> None:
        self.arn = arn
        self.name = name
        self.machine = machine
        self.input_text = input_text
        self.input = value
        self.map_run = map_run
        self.items = items
        self.trace_header = trace_header
        self.history = History()
        self.started = time.time()
        self.status = Status.RUNNING
        self.stopped: float | None = None
        self.output: str | None = None
        self.error: str | None = None
        self.cause: str | None = None
        self.redrive_count = 0
        self.redriven: float | None = None
        self.redrive_token: str | None = None
        self.progress: Progress | None = None
        self.synchronous = False
        self.task: asyncio.Task[None] | None = None

    def end(
        self,
        status: Status,
        *,
        output: str | None = None,
        error: str | None = None,
        cause: str | None = None,
    ) -> None:
        """Give the execution its final status, and the time of it."""
        self.status = status
        self.output = output
        self.error = error
        self.cause = cause
        self.stopped = time.time()

    def reopen(self) -> None:
        """Let a redrive go on with an ended execution: running again, one redrive more."""
        self.status = Status.RUNNING
        self.output = self.error = self.cause = self.stopped = None
        self.redrive_count += 1
        self.redriven = time.time()
        self.history.reopen()
