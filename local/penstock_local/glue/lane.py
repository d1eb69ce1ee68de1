"""How many runs of one kind work at once on this machine; the others wait without a thread."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from penstock_local.glue.job_run import JobRun, RunState

CORES = os.cpu_count() or 2
# A Spark job takes half a gigabyte and more, and both cores of a small machine.
SPARK_SLOTS = 1 if CORES < 4 else 2
PYTHON_SHELL_SLOTS = min(4, max(2, CORES))


class Lane:
    """A bounded number of threads, each of which takes the next run and works it to its end.

    A run is taken in its turn, but only while fewer runs of its job work than the job allows:
    so a run that was queued for that reason (JobRunQueuingEnabled) waits here too.
    """

    def __init__(self, kind: str, slots: int, work: Callable[[JobRun], None]) -> None:
        self._kind = kind
        self._slots = slots
        self._work = work
        self._changed = threading.Condition()
        self._waiting: list[JobRun] = []
        self._working: list[JobRun] = []
        self._threads = 0

    def submit(self, run: JobRun) -> None:
        """Have a run worked as soon as there is a slot for it."""
        with self._changed:
            ahead = [one for one in self._waiting if self._admits(one)]
            if len(self._working) + len(ahead) >= self._slots or not self._admits(run):
                run.enter(RunState.WAITING, self._reason(run))
            self._waiting.append(run)
            if self._threads < min(self._slots, len(self._working) + len(self._waiting)):
                self._threads += 1
                name = f"glue-{self._kind}-{self._threads}"
                threading.Thread(target=self._serve, name=name, daemon=True).start()
            self._changed.notify()

    def withdraw(self, run: JobRun) -> bool:
        """Take a run back that still waits; whether it did."""
        with self._changed:
            if run not in self._waiting:
                return False
            self._waiting.remove(run)
            return True

    def _serve(self) -> None:
        while True:
            run = self._take()
            try:
                run.context.run(self._work, run)
            finally:
                with self._changed:
                    self._working.remove(run)
                    self._changed.notify_all()

    def _take(self) -> JobRun:
        with self._changed:
            while True:
                for run in self._waiting:
                    if self._admits(run):
                        self._waiting.remove(run)
                        self._working.append(run)
                        return run
                self._changed.wait()

    def _admits(self, run: JobRun) -> bool:
        limit: int = run.job["ExecutionProperty"]["MaxConcurrentRuns"]
        return [one.job_key for one in self._working].count(run.job_key) < limit

    def _reason(self, run: JobRun) -> str:
        if not self._admits(run):
            return f"Concurrent runs exceeded for {run.job['Name']}"
        return f"All {self._slots} local slots for {self._kind} jobs are in use"
