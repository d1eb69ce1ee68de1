"""Events on the default bus that say how a run stands, in the order in which it went."""

from __future__ import annotations

import contextvars
import inspect
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from ministack.services import eventbridge

from penstock_local import pins

log = logging.getLogger("penstock_local.job_processes")


class StatusEvents:
    """Puts a service's events on the bus, from a thread of its own.

    Whoever reports a change may hold a lock, and what an event starts may ask that service.
    """

    def __init__(self, source: str, detail_type: str) -> None:
        put_events = inspect.signature(eventbridge._put_events)
        pins.require("allow_aws_source" in put_events.parameters, "eventbridge._put_events")
        self._kind = {"Source": source, "DetailType": detail_type}
        self._thread = ThreadPoolExecutor(1, source)

    def publish(
        self, context: contextvars.Context, detail: dict[str, Any], resources: list[str]
    ) -> None:
        """Put an event on the bus of the account and region of `context`."""
        entry = {**self._kind, "Detail": json.dumps(detail), "Resources": resources}
        self._thread.submit(context.copy().run, self._put, entry)

    def _put(self, entry: dict[str, Any]) -> None:
        try:
            eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
        except Exception:
            log.exception("%s: an event was not put on the bus", self._kind["DetailType"])


def iso(seconds: float) -> str:
    """A time as events have it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
