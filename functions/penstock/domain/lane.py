"""The lanes: live runs are for the day, backfill runs make up for days that are past."""

from __future__ import annotations

from enum import StrEnum


class Lane(StrEnum):
    """How much a run may touch: only live runs move StatusFlag, history and watermarks."""

    LIVE = "live"
    BACKFILL = "backfill"
