"""The process of a run, with all that it starts in one process group."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


class Lifeline:
    """A pipe whose writing end only this process holds.

    Every job process watches the other end and kills its group when this process is gone, in
    whatever way. (PR_SET_PDEATHSIG would end the process alone, not what it has started.)
    """

    def __init__(self) -> None:
        self.reader, self._writer = os.pipe()


class JobProcess:
    """A started process; its output goes into the files `stdout` and `stderr` of its folder."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        lifeline: Lifeline,
    ) -> None:
        with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
            self._process = subprocess.Popen(
                command,
                env=environment,
                cwd=folder / "work",
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                pass_fds=[lifeline.reader],
            )

    def wait(self, seconds: float) -> int | None:
        """The exit status, or None when it still runs after that time."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def interrupt(self) -> None:
        """Ask the whole group to end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the whole group, also what outlived its first process."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        # macOS answers "not permitted" for a group of which only a zombie is left.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)
