"""Packs: small tables share one job run, so that a thousand of them need no thousand starts.

A job run costs a minute at least on Glue, whatever it does. So tables whose expected times add up
to no more than the target share a run: the longest first, each into the fullest pack that still
has room (best fit decreasing, at most 11/9 of the fewest packs possible; Johnson, 1973).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from penstock.domain.extract_config import ExtractTable

_SHARED = ("max_capacity", "worker_type", "number_of_workers", "pool", "timeout_minutes")


def packs(tables: Iterable[ExtractTable], target_seconds: float) -> list[list[ExtractTable]]:
    """Return the tables by job run; only those of one source and one way of running share one."""
    groups: dict[Hashable, list[ExtractTable]] = {}
    for table in tables:
        settings: Any = tuple(str(table.settings.get(name)) for name in _SHARED)
        key = (table.source.name, table.job_type, table.target, settings)
        groups.setdefault(key, []).append(table)
    return [
        pack
        for group in groups.values()
        for pack in best_fit(group, lambda table: table.expected_seconds, target_seconds)
    ]


def best_fit(
    tables: Sequence[ExtractTable], size: Callable[[ExtractTable], float], capacity: float
) -> list[list[ExtractTable]]:
    """Return bins of at most the capacity; what is larger has one of its own."""
    bins: list[list[ExtractTable]] = []
    room: list[tuple[float, int]] = []
    for table in sorted(tables, key=lambda table: (-size(table), table.key)):
        needed = size(table)
        position = bisect_left(room, (needed, -1))
        if position == len(room):
            bins.append([table])
            left, number = capacity - needed, len(bins) - 1
        else:
            left, number = room.pop(position)
            bins[number].append(table)
            left -= needed
        insort(room, (left, number))
    return [sorted(tables_of_bin, key=lambda table: table.key) for tables_of_bin in bins]
