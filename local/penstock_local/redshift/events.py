"""Redshift Data Statement Status Change, sent to EventBridge for calls with WithEvent."""

from __future__ import annotations

import json
import logging

from ministack.core.responses import request_scope
from ministack.services import eventbridge

from penstock_local.redshift.ledger import RETENTION_SECONDS
from penstock_local.redshift.statement import Statement

log = logging.getLogger(__name__)


def publish(statement: Statement) -> None:
    """Send the event of a statement that has ended. Failures are logged: the statement stands."""
    submission = statement.submission
    place = submission.target.place
    detail = {
        "principal": submission.caller.arn,
        "statementName": submission.name or "",
        "statementId": statement.id,
        "redshiftQueryId": -1 if submission.is_batch else statement.runs[0].query_id,
        "state": statement.status,
        "rows": statement.view()["ResultRows"],
        "expireAt": int(statement.updated_at) + RETENTION_SECONDS,
    }
    entry = {
        "Source": "aws.redshift-data",
        "DetailType": "Redshift Data Statement Status Change",
        "Detail": json.dumps(detail),
        "Resources": [place.arn],
    }
    try:
        with request_scope(place.account, place.region):
            eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
    except Exception:
        log.exception("event of statement %s", statement.id)
