"""ItemBatcher: the items of a Distributed Map, several to a child."""

from __future__ import annotations

from penstock_local.asl.errors import RUNTIME, StateError
from penstock_local.asl.values import PAYLOAD_LIMIT, Json, compact, size


def batches(items: list[Json], batcher: dict[str, Json]) -> list[list[Json]]:
    """The items in groups, none larger than the batcher (its fields evaluated) allows.

    MaxInputBytesPerBatch limits a child's whole input, BatchInput and keys included; it counts
    as 256 KiB when it is missing or larger. An item that alone exceeds it gets a child of its
    own, whose input the engine will find too large. Raises StateError for a limit below 1.
    """
    most = _limit(batcher, "MaxItemsPerBatch")
    most_bytes = min(_limit(batcher, "MaxInputBytesPerBatch") or PAYLOAD_LIMIT, PAYLOAD_LIMIT)
    frame = size(child_input([], batcher))
    groups: list[list[Json]] = []
    filled = 0
    for item in items:
        needed = len(compact(item).encode()) + 1  # and a comma
        full = most is not None and bool(groups) and len(groups[-1]) >= most
        # The last item of a batch needs no comma.
        if not groups or full or filled + needed - 1 > most_bytes:
            groups.append([])
            filled = frame
        groups[-1].append(item)
        filled += needed
    return groups


def child_input(batch: list[Json], batcher: dict[str, Json]) -> Json:
    """What the child of a batch gets: BatchInput, if the state gives one, before the Items."""
    given = {"BatchInput": batcher["BatchInput"]} if "BatchInput" in batcher else {}
    return {**given, "Items": batch}


def _limit(batcher: dict[str, Json], field: str) -> int | None:
    value = batcher.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or int(value) != value:
        raise StateError(RUNTIME, f"The field '{field}' must be a whole number")
    if value < 1:
        raise StateError(RUNTIME, f"The field '{field}' must be positive")
    return int(value)
