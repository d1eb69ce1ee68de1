"""Step Functions Execution Status Change: the events that EventBridge gets from executions."""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import eventbridge

from penstock_local.asl.execution import Execution
from penstock_local.asl.execution_view import redrive_status

log = logging.getLogger(__name__)

DETAIL_TYPE = "Step Functions Execution Status Change"
PAYLOAD_LIMIT = 248 * 1024
"""Bytes of an input or output, escaped, beyond which the event leaves it out."""


class StatusEvents:
    """Publishes the events, in order, from a thread of its own.

    EventBridge hands an event to its targets while it takes it; a target may well start the next
    execution. None of that may hold up the engine's loop.
    """

    def __init__(self) -> None:
        self._publisher = ThreadPoolExecutor(1, thread_name_prefix="asl-events")

    def publish(self, execution: Execution) -> None:
        """Tell of a standard execution that has started, gone on or ended."""
        if execution.machine.express:
            return
        self._publisher.submit(_put, execution, json.dumps(detail(execution)))

    def close(self) -> None:
        """Publish what is still waiting and end the thread."""
        self._publisher.shutdown()


def detail(execution: Execution) -> dict[str, Any]:
    """The event's detail: every key is there, null where it has no value."""
    machine = execution.machine
    redrivable, reason = redrive_status(execution)
    return {
        "executionArn": execution.arn,
        "stateMachineArn": machine.arn,
        "name": execution.name,
        "status": execution.status.value,
        "startDate": _milliseconds(execution.started),
        "stopDate": _milliseconds(execution.stopped),
        **_payload("input", execution.input_text),
        **_payload("output", execution.output),
        "stateMachineVersionArn": machine.version_arn,
        "stateMachineAliasArn": machine.alias_arn,
        "redriveCount": execution.redrive_count,
        "redriveDate": _milliseconds(execution.redriven),
        "redriveStatus": redrivable,
        "redriveStatusReason": reason,
        "error": execution.error,
        "cause": execution.cause,
    }


def _payload(field: str, text: str | None) -> dict[str, Any]:
    if text is None:
        return {field: None, f"{field}Details": None}
    included = len(json.dumps(text)) <= PAYLOAD_LIMIT
    return {field: text if included else None, f"{field}Details": {"included": included}}


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds * 1000)


def _put(execution: Execution, text: str) -> None:
    entry = {
        "Source": "aws.states",
        "DetailType": DETAIL_TYPE,
        "Detail": text,
        "Resources": [execution.arn],
    }
    try:
        with request_scope(execution.machine.account, execution.machine.region):
            eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
    except Exception:
        log.exception("EventBridge did not take the status of %s", execution.arn)
