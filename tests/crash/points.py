"""Where an extract is killed: the moments between one effect that lasts and the next."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from penstock_job import contract, load, table_extract
from penstock_job.dynamodb_writer import DynamoDbWriter
from penstock_job.object_store import ObjectStore

from penstock.adapters.table_items import TableItems

EXTRACT, SETTLE, LOAD = "extract", "Settle Job", "load"


class Killed(BaseException):
    """The death of a process, where it is only played: nothing catches it."""


@dataclass(frozen=True)
class Point:
    """One moment: in which step, before or after which effect.

    `owner.name` is what has the effect; the step dies at its `call`-th call, before or after it.
    """

    step: str
    moment: str
    owner: Any
    name: str
    after: bool
    call: int = 1

    def arm(self, patch: pytest.MonkeyPatch, die: Callable[[], None]) -> None:
        """Have the step die at this moment."""
        effect = getattr(self.owner, self.name)
        calls = count(1)

        def dying(*arguments: Any, **named: Any) -> Any:
            is_the_one = next(calls) == self.call
            if is_the_one and not self.after:
                die()
            result = effect(*arguments, **named)
            if is_the_one and self.after:
                die()
            return result

        patch.setattr(self.owner, self.name, dying)


POINTS = (
    Point(EXTRACT, "some of the rows are stored", ObjectStore, "upload", after=True),
    Point(EXTRACT, "all rows are stored, none published", ObjectStore, "replace", after=False),
    Point(EXTRACT, "published, and not yet reported", ObjectStore, "replace", after=True),
    Point(EXTRACT, "reported", table_extract, "write_result", after=True, call=2),
    Point(SETTLE, "before the watermark is committed", TableItems, "commit_watermark", after=False),
    Point(SETTLE, "the watermark is committed", TableItems, "commit_watermark", after=True),
    Point(LOAD, "some of the rows are in the sink", DynamoDbWriter, "_put_batch", after=True),
    Point(LOAD, "all rows are in the sink", load, "write_result", after=False),
)
assert contract.write_result is table_extract.write_result


def kill() -> None:
    """End this process as `kill -9` does."""
    os.kill(os.getpid(), signal.SIGKILL)


def play_dead() -> None:
    """End the step as far as nothing catches it."""
    raise Killed
