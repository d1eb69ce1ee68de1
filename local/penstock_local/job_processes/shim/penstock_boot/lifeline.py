"""Ends a job run with the platform that started it, even when that was killed."""

from __future__ import annotations

import contextlib
import os
import signal
import threading


def hold(descriptor: int) -> None:
    """Kill this process and all it started when the other end of the pipe is closed."""
    # An inherited descriptor would outlive this process in a child, and keep no one alive.
    os.set_inheritable(descriptor, False)
    threading.Thread(target=_watch, args=(descriptor,), name="lifeline", daemon=True).start()


def _watch(descriptor: int) -> None:
    with contextlib.suppress(OSError):  # the script closed what it did not open: no watch then
        while os.read(descriptor, 1):
            pass
        os.killpg(0, signal.SIGKILL)
