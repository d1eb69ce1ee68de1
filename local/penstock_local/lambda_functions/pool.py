"""The bound on function processes, and the queue in front of it.

A laptop cannot run a process per concurrent invocation: 200 waiting jobs once grew to 184
processes and 12.6 GB. Invocations beyond the bound wait their turn, as they would wait for a
cold start.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from penstock_local.lambda_functions.environment import Environment, Function

# A process is given up for another function, unless that has none, only after this long without
# work: functions that take turns (each job is planned, run and settled by one each) would otherwise
# start a process for most calls, and starting one takes longer than most calls do.
IDLE_BEFORE_EVICTION_SECONDS = 2.0
_LOOK_EVERY_SECONDS = 0.25


@dataclass(eq=False, slots=True)
class _Waiter:
    function: Function
    ready: threading.Event = field(default_factory=threading.Event)
    environment: Environment | None = None


class EnvironmentPool:
    """At most `limit` environments for all functions together; first come, first served."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._idle: list[Environment] = []
        self._waiting: list[_Waiter] = []
        self._alive: Counter[Function] = Counter()
        self._leased: set[Environment] = set()

    @property
    def size(self) -> int:
        """Environments alive, busy or idle."""
        return self._alive.total()

    @contextmanager
    def lease(self, function: Function, *, nested: bool = False) -> Iterator[Environment]:
        """An environment of the function, exclusively, waiting for one where all are busy.

        A `nested` invocation (a function called by a function) never waits: its caller holds an
        environment, and enough of such callers would wait for each other for ever.
        """
        environment = self._acquire(function, nested)
        try:
            yield environment
        finally:
            self._release(environment)

    def stop(self) -> None:
        """End every process."""
        with self._lock:
            environments = [*self._idle, *self._leased]
            self._idle.clear()
        for environment in environments:
            environment.stop()

    def retire(self, arn: str) -> None:
        """End the idle processes of a function whose code or configuration changed."""
        with self._lock:
            retired = [one for one in self._idle if one.function.arn == arn]
            for environment in retired:
                self._forget(environment)
        for environment in retired:
            environment.stop()

    def _acquire(self, function: Function, nested: bool) -> Environment:
        with self._lock:
            environment = self._take(function, nested)
            if environment is not None:
                return environment
            waiter = _Waiter(function)
            self._waiting.append(waiter)
            self._serve_from_idle(waiter)
        while not waiter.ready.wait(_LOOK_EVERY_SECONDS):
            with self._lock:
                if not waiter.ready.is_set():
                    self._serve_from_idle(waiter)
        assert waiter.environment is not None
        return waiter.environment

    def _take(self, function: Function, nested: bool) -> Environment | None:
        for environment in reversed(self._idle):
            if environment.function == function:
                self._idle.remove(environment)
                self._leased.add(environment)
                return environment
        if nested or self.size < self._limit:
            return self._create(function)
        return None

    def _create(self, function: Function) -> Environment:
        environment = Environment(function)
        self._alive[function] += 1
        self._leased.add(environment)
        return environment

    def _serve_from_idle(self, waiter: _Waiter) -> None:
        """Give a waiter the place of a process that is idle and may be given up for it."""
        if self.size < self._limit:
            self._hand_over(waiter, self._create(waiter.function))
            return
        patience = IDLE_BEFORE_EVICTION_SECONDS if self._alive[waiter.function] else 0.0
        before = time.monotonic() - patience
        stale = [one for one in self._idle if one.last_used <= before]
        if not stale:
            return
        oldest = min(stale, key=lambda one: one.last_used)
        self._forget(oldest)
        oldest.stop()
        self._hand_over(waiter, self._create(waiter.function))

    def _release(self, environment: Environment) -> None:
        stopped = None
        with self._lock:
            self._leased.discard(environment)
            reusable = environment.usable and self.size <= self._limit
            if not reusable or self._starving() is not None:
                self._forget(environment)
                stopped = environment
                waiter = self._starving() or next(iter(self._waiting), None)
                if waiter is not None and self.size < self._limit:
                    self._hand_over(waiter, self._create(waiter.function))
            else:
                self._reuse(environment)
        if stopped is not None:
            stopped.stop()

    def _starving(self) -> _Waiter | None:
        """Return who waits longest for a function that has no process at all."""
        return next((one for one in self._waiting if not self._alive[one.function]), None)

    def _reuse(self, environment: Environment) -> None:
        """Give an environment to who waits for its function, or let it be idle."""
        same = (one for one in self._waiting if one.function == environment.function)
        waiter = next(same, None)
        if waiter is None:
            environment.last_used = time.monotonic()
            self._idle.append(environment)
        else:
            self._leased.add(environment)
            self._hand_over(waiter, environment)

    def _hand_over(self, waiter: _Waiter, environment: Environment) -> None:
        self._waiting.remove(waiter)
        waiter.environment = environment
        waiter.ready.set()

    def _forget(self, environment: Environment) -> None:
        if environment in self._idle:
            self._idle.remove(environment)
        self._alive[environment.function] -= 1
        if not self._alive[environment.function]:
            del self._alive[environment.function]
