"""The event that Glue puts on the default bus when a run has ended."""

from __future__ import annotations

import json
import logging

from ministack.services import eventbridge

from penstock_local.glue.job_run import JobRun, RunState

log = logging.getLogger("penstock_local.glue")

SEVERITY = {RunState.FAILED: "ERROR", RunState.TIMEOUT: "WARN"}


def emit(run: JobRun) -> None:
    """Put "Glue Job State Change" on the bus of the run's account and region."""
    detail = {
        "jobName": run.record["JobName"],
        "severity": SEVERITY.get(run.state, "INFO"),
        "state": str(run.state),
        "jobRunId": run.id,
        "message": run.record.get("ErrorMessage") or f"Job run {run.state.lower()}",
    }
    entry = {
        "Source": "aws.glue",
        "DetailType": "Glue Job State Change",
        "Detail": json.dumps(detail),
    }
    try:
        run.context.copy().run(eventbridge._put_events, {"Entries": [entry]}, allow_aws_source=True)
    except Exception:
        log.exception("The end of the run %s was not put on the event bus", run.id)
