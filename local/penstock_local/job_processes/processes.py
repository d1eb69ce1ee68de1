"""The processes that are alive, so that none outlives its run or the platform."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from penstock_local.job_processes.job_files import LaunchError
from penstock_local.job_processes.logs import LogShipper
from penstock_local.job_processes.process import JobProcess, Lifeline

# How many seconds a minute of a time limit lasts; tests have shorter ones.
SECONDS_PER_MINUTE = 60.0
# How often a working run is looked at: its output sent on, its end or its time limit noticed.
TICK = 0.25
# How long a process that was asked to end may take before it is killed.
GRACE = 3.0


class Work(Protocol):
    """A run as its process knows it; `stop_asked_at` is a time of the monotonic clock."""

    stop_asked_at: float | None

    @property
    def id(self) -> str:
        """Its id, which is also the name of its folder."""


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended: its exit status, and whether its time was over."""

    status: int
    timed_out: bool

    @property
    def code(self) -> int:
        """The exit code as a shell has it: 128 and the signal for a process that one ended."""
        return self.status if self.status >= 0 else 128 - self.status


class Processes:
    """Starts, watches and ends the processes of runs, each with its own folder in `folder`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.lifeline = Lifeline()
        self._alive: dict[str, JobProcess] = {}
        self._starting = threading.Lock()
        self._closed = False

    def start(
        self,
        run: Work,
        command: Sequence[str],
        environment: Mapping[str, str],
        started: Callable[[], None],
    ) -> JobProcess:
        """Start the process of a run, and call `started` unless it has been asked to stop.

        Raises LaunchError when the run is not to be any more.
        """
        with self._starting:
            if self._closed or run.stop_asked_at:
                raise LaunchError("The run was stopped before it started")
            process = JobProcess(command, environment, self.folder / run.id, self.lifeline)
            self._alive[run.id] = process
            if run.stop_asked_at is None:
                started()
            return process

    def watch(
        self,
        run: Work,
        process: JobProcess,
        logs: LogShipper,
        seconds: float | None = None,
        grace: float = GRACE,
    ) -> Exit:
        """Wait for the end, sending output on; end it after `seconds` or when asked to stop."""
        deadline = None if seconds is None else time.monotonic() + seconds
        timed_out = False
        try:
            while (status := process.wait(TICK)) is None:
                logs.ship()
                now = time.monotonic()
                if deadline is not None and not timed_out and now >= deadline:
                    timed_out = True
                    process.interrupt()
                asked = deadline if timed_out else run.stop_asked_at
                if asked and now >= asked + grace:
                    process.kill()
            return Exit(status, timed_out)
        finally:
            process.kill()
            self._alive.pop(run.id, None)
            logs.close()

    def interrupt(self, run: Work) -> None:
        """Interrupt the process of a run; if there is none yet, it will not be started."""
        with self._starting:
            process = self._alive.get(run.id)
        if process:
            process.interrupt()

    def kill(self, run: Work) -> None:
        """Kill the process of a run at once."""
        with self._starting:
            process = self._alive.get(run.id)
        if process:
            process.kill()

    def close(self) -> None:
        """Kill every process and remove every folder; nothing is started after that."""
        with self._starting:
            self._closed = True
            for process in list(self._alive.values()):
                process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
