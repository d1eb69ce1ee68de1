"""A few threads that never keep the process from ending."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue


class Workers:
    """Runs tasks in the order they come, a few at a time.

    The threads are daemons: DuckDB notices an interruption only between its batches of rows, and
    a long sort must not hold up the end of the process, as a ThreadPoolExecutor would.
    """

    def __init__(self, count: int, name: str) -> None:
        self._tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, task: Callable[[], None]) -> None:
        """Queue a task, which must not raise."""
        self._tasks.put(task)

    def close(self, seconds: float) -> bool:
        """Let running tasks end, but wait no longer than this; whether all have ended."""
        for _ in self._threads:
            self._tasks.put(None)
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            task()
