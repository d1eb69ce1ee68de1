"""The job ID: the name of a run, in every path, row, argument and log line of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.domain.instant import parse_instant

if TYPE_CHECKING:
    from uuid import UUID


def job_id_of(started_at: str, uuid: UUID) -> str:
    """Return `<UTC timestamp>-<uuid>`; it sorts by time, and 53 characters fit every limit."""
    return f"{parse_instant(started_at):%Y%m%dT%H%M%SZ}-{uuid}"
