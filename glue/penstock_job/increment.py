"""Increments: from which value of the cursor column to which a table is read.

The upper bound is taken before the rows are read; the lower one is the committed watermark, less a
window for rows that were committed late. Both ends are closed, so rows that share the boundary's
value are read again rather than missed; whoever puts the layers together takes each key once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from penstock_job.errors import SourceError
from penstock_job.work_order import TableOrder

NOT_A_BOUND = ("infinity", "nan", "Infinity", "NaN")


@dataclass(frozen=True)
class Increment:
    """The values of the cursor to read, as the source writes them; None for an open end.

    `low` is where the last extract ended, `high` the highest value that there is now, and `reached`
    the higher of the two: where the rows that were last have been deleted, it is not below `low`.
    Rows without a value of the cursor are always read.
    """

    cursor: str
    low: str | None
    high: str | None
    reached: str | None

    @property
    def watermark(self) -> dict[str, str] | None:
        """How far the table has been extracted when this increment has."""
        if self.reached is None:
            return None
        return {"cursor": self.cursor, "value": self.reached}


def start_of(order: TableOrder) -> str | None:
    """The cursor's value from which an order goes on; None where the whole table is to be read.

    That is so for mode full, for the first time, and where the cursor is another column than the
    one that the watermark is of.
    """
    stated = order.watermark
    if not order.is_incremental or not isinstance(stated, Mapping):
        return None
    if stated.get("cursor") != order.cursor or stated.get("value") is None:
        return None
    return str(stated["value"])


def require_bound(cursor: str, value: str | None) -> str | None:
    """The highest value of a cursor. Raises SourceError where nothing could come after it."""
    if value in NOT_A_BOUND:
        raise SourceError(
            f"the cursor {cursor} holds {value}: no later row can be higher, so no increment "
            "can go on from it"
        )
    return value
