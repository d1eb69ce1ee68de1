"""An open run: one that has taken the lease on its category and logical date."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.domain.lane import Lane


@dataclass(frozen=True, slots=True)
class OpenRun:
    """Who is at work on a category's day; `started_at` like `2026-11-21T05:00:00.000Z`."""

    job_id: str
    category: str
    logical_date: str
    execution_arn: str
    started_at: str
    lane: str = Lane.LIVE
