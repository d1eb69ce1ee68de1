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

# An idle process is given up for another function only after this long without work: two
# functions that alternate quickly would otherwise start a process for every call.
IDLE_BEFORE_EVICTION_SECONDS = 0.2


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
        while not waiter.ready.wait(IDLE_BEFORE_EVICTION_SECONDS):
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
        """Give a waiter the place of a process that has been idle for long enough."""
        if self.size < self._limit:
            self._hand_over(waiter, self._create(waiter.function))
            return
        before = time.monotonic() - IDLE_BEFORE_EVICTION_SECONDS
        stale = [one for one in self._idle if one.last_used < before]
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
            waiter = self._next_waiter(environment)
            reusable = environment.usable and self.size <= self._limit
            if waiter is not None and reusable and waiter.function == environment.function:
                self._leased.add(environment)
                self._hand_over(waiter, environment)
            elif waiter is not None or not reusable:
                self._forget(environment)
                stopped = environment
                if waiter is not None and self.size < self._limit:
                    self._hand_over(waiter, self._create(waiter.function))
            else:
                environment.last_used = time.monotonic()
                self._idle.append(environment)
        if stopped is not None:
            stopped.stop()

    def _next_waiter(self, environment: Environment) -> _Waiter | None:
        """Who is served: a function that has no process at all, then the same, then anyone."""
        starving = (w for w in self._waiting if not self._alive[w.function])
        same = (w for w in self._waiting if w.function == environment.function)
        return next(starving, None) or next(same, None) or next(iter(self._waiting), None)

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
