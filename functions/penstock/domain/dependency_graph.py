"""The graph of `DependsOn`: cycles, order, what lies downstream, the longest path.

Nothing here recurses, so a chain of ten thousand jobs is as good as a short one.
A graph is a mapping from each job to the jobs it depends on; every name in it is a key.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


def downstream(upstream: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Return for each job the jobs that depend directly on it, in the order of the mapping."""
    dependents: dict[str, list[str]] = {name: [] for name in upstream}
    for name, needed in upstream.items():
        for other in needed:
            dependents[other].append(name)
    return dependents


def descendants(starts: Iterable[str], dependents: Mapping[str, Iterable[str]]) -> set[str]:
    """Return every job that depends, directly or not, on one of the starts."""
    found: set[str] = set()
    pending = list(starts)
    while pending:
        for name in dependents.get(pending.pop(), ()):
            if name not in found:
                found.add(name)
                pending.append(name)
    return found


def cycles(upstream: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Return the cycles: each group of jobs that wait for one another (Tarjan, 1972)."""
    return _Tarjan(upstream).groups()


def in_order(
    upstream: Mapping[str, Iterable[str]], rank: Callable[[str], tuple[float, str]]
) -> list[str]:
    """Return the jobs so that each follows all it depends on; among the ready, lowest rank first.

    Jobs of a cycle and those downstream of one never become ready and are left out (Kahn, 1962).
    """
    dependents = downstream(upstream)
    missing = {name: len(set(needed)) for name, needed in upstream.items()}
    ready = [(rank(name), name) for name, count in missing.items() if not count]
    heapq.heapify(ready)
    ordered: list[str] = []
    while ready:
        name = heapq.heappop(ready)[1]
        ordered.append(name)
        for dependent in dependents[name]:
            missing[dependent] -= 1
            if not missing[dependent]:
                heapq.heappush(ready, (rank(dependent), dependent))
    return ordered


def longest_remaining(
    upstream: Mapping[str, Iterable[str]], weight: Mapping[str, float]
) -> dict[str, float]:
    """Return for each job the weight of the heaviest path that begins with it."""
    dependents = downstream(upstream)
    remaining: dict[str, float] = {}
    for name in reversed(in_order(upstream, lambda name: (0, name))):
        after = max((remaining[other] for other in dependents[name]), default=0.0)
        remaining[name] = weight[name] + after
    return remaining


class _Tarjan:
    """Finds strongly connected groups with a stack of its own in place of recursion."""

    def __init__(self, upstream: Mapping[str, Iterable[str]]) -> None:
        self._upstream = {name: list(needed) for name, needed in upstream.items()}
        self._index: dict[str, int] = {}
        self._low: dict[str, int] = {}
        self._path: list[str] = []
        self._on_path: set[str] = set()
        self._groups: list[list[str]] = []

    def groups(self) -> list[list[str]]:
        for name in self._upstream:
            if name not in self._index:
                self._visit(name)
        return self._groups

    def _visit(self, start: str) -> None:
        self._enter(start)
        calls = [(start, iter(self._upstream[start]))]
        while calls:
            name, needed = calls[-1]
            other = next(needed, None)
            if other is None:
                calls.pop()
                self._leave(name)
                if calls:
                    parent = calls[-1][0]
                    self._low[parent] = min(self._low[parent], self._low[name])
            elif other not in self._index:
                self._enter(other)
                calls.append((other, iter(self._upstream[other])))
            elif other in self._on_path:
                self._low[name] = min(self._low[name], self._index[other])

    def _enter(self, name: str) -> None:
        self._index[name] = self._low[name] = len(self._index)
        self._path.append(name)
        self._on_path.add(name)

    def _leave(self, name: str) -> None:
        if self._low[name] != self._index[name]:
            return
        group: list[str] = []
        while not group or group[-1] != name:
            group.append(self._path.pop())
            self._on_path.discard(group[-1])
        if len(group) > 1 or name in self._upstream[name]:
            self._groups.append(sorted(group))
