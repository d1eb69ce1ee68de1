"""Reconcile Runs: looks after open runs, and for categories that should have run and did not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from penstock.handlers.function import function, logger
from penstock.handlers.parts import Parts

if TYPE_CHECKING:
    from penstock.domain.messages import ReconcileRunsRequest

parts = Parts()


@function
def handler(event: ReconcileRunsRequest) -> dict[str, int]:
    """Return what was done, how often; raise InvalidRequestError for an unknown check."""
    counts = parts.watch.check(event.get("check", ""), datetime.now(UTC))
    logger.info("runs reconciled", extra={"check": event["check"], "counts": counts})
    return counts
