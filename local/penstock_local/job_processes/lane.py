"""How many runs of one kind work at once on this machine; the others wait without a thread."""

from __future__ import annotations

import contextvars
import os
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Protocol

CORES = os.cpu_count() or 2
# A Spark job takes half a gigabyte and more, and both cores of a small machine.
SPARK_SLOTS = 1 if CORES < 4 else 2
PYTHON_SHELL_SLOTS = min(4, max(2, CORES))
TASK_SLOTS = PYTHON_SHELL_SLOTS


class Queued(Protocol):
    """A run that takes its turn; `context` carries account and region into its thread.

    At most `group_limit` runs of one `group` work at once.
    """

    @property
    def context(self) -> contextvars.Context:
        """The account and the region of the request."""

    @property
    def group(self) -> Hashable:
        """What it shares a limit with: the runs of one job."""

    @property
    def group_limit(self) -> int:
        """How many of the group may work at once."""

    def wait_for_slot(self, slots: str | None) -> None:
        """Hear that it has to wait: for a slot of the machine (named), or for its group."""


@dataclass(frozen=True, slots=True)
class _Place:
    run: Queued
    work: Callable[[], None]


class Lane:
    """A bounded number of threads, each of which takes the next run and works it to its end.

    A run is taken in its turn, but only while fewer runs of its group work than its limit allows:
    so a run that was queued for that reason (Glue's JobRunQueuingEnabled) waits here too.
    """

    def __init__(self, kind: str, slots: int) -> None:
        self._kind = kind
        self._slots = slots
        self._changed = threading.Condition()
        self._waiting: list[_Place] = []
        self._working: list[_Place] = []
        self._threads = 0

    def submit(self, run: Queued, work: Callable[[], None]) -> None:
        """Have a run worked, by calling `work`, as soon as there is a slot for it."""
        with self._changed:
            ahead = [one for one in self._waiting if self._admits(one.run)]
            if not self._admits(run):
                run.wait_for_slot(None)
            elif len(self._working) + len(ahead) >= self._slots:
                run.wait_for_slot(f"All {self._slots} local slots for {self._kind} are in use")
            self._waiting.append(_Place(run, work))
            if self._threads < min(self._slots, len(self._working) + len(self._waiting)):
                self._threads += 1
                name = f"{self._kind}-{self._threads}"
                threading.Thread(target=self._serve, name=name, daemon=True).start()
            self._changed.notify()

    def withdraw(self, run: Queued) -> bool:
        """Take a run back that still waits; whether it did."""
        with self._changed:
            for place in self._waiting:
                if place.run is run:
                    self._waiting.remove(place)
                    return True
            return False

    def _serve(self) -> None:
        while True:
            place = self._take()
            try:
                place.run.context.run(place.work)
            finally:
                with self._changed:
                    self._working.remove(place)
                    self._changed.notify_all()

    def _take(self) -> _Place:
        with self._changed:
            while True:
                for place in self._waiting:
                    if self._admits(place.run):
                        self._waiting.remove(place)
                        self._working.append(place)
                        return place
                self._changed.wait()

    def _admits(self, run: Queued) -> bool:
        working = [one.run.group for one in self._working]
        return working.count(run.group) < run.group_limit


SPARK = Lane("Spark jobs", SPARK_SLOTS)
"""Glue and EMR Serverless share it: it is the machine that has room for so many, not a service."""
