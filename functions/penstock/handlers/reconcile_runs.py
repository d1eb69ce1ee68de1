"""Reconcile Runs: looks after open runs, and for categories that should have run and did not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from penstock.domain.errors import InvalidRequestError
from penstock.handlers.function import function, logger
from penstock.handlers.parts import Parts

if TYPE_CHECKING:
    from penstock.domain.messages import ReconcileRunsRequest

parts = Parts()


@function
def handler(event: ReconcileRunsRequest) -> dict[str, int]:
    """Return what was done, how often; raise InvalidRequestError unless asked for a known check."""
    if event.get("check") not in ("runs", "silent"):
        raise InvalidRequestError('Reconcile Runs needs {"check": "runs"} or {"check": "silent"}')
    counts = _check_runs() if event["check"] == "runs" else _check_silent()
    logger.info("runs reconciled", extra={"check": event["check"], "counts": counts})
    return counts


def _check_runs() -> dict[str, int]:
    counts = parts.reconciler.check(parts.leases.open_runs())
    if not parts.leases.open_runs():
        parts.rule.disable()
        if parts.leases.open_runs():  # a run that has begun in between found the rule on
            parts.rule.enable()
    return dict(counts)


def _check_silent() -> dict[str, int]:
    if parts.leases.open_runs():
        parts.rule.enable()  # it is on, unless a start was stopped right after it took its lease
    return {"silent": parts.silence_watch.check(datetime.now(UTC))}
