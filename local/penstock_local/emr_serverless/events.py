"""What EMR Serverless says on the default bus when the state of a job run changes."""

from __future__ import annotations

from penstock_local.emr_serverless.job_run import JobRun, RunState
from penstock_local.job_processes.status_events import StatusEvents, iso

_TOLD = ("jobRunId", "applicationId", "arn", "releaseLabel", "state", "createdBy")


class JobRunEvents:
    """Publishes "EMR Serverless Job Run State Change"."""

    def __init__(self) -> None:
        self._events = StatusEvents("aws.emr-serverless", "EMR Serverless Job Run State Change")

    def publish(self, run: JobRun, before: RunState) -> None:
        """Say that a job run has left the state `before`."""
        detail = {
            **{name: run.record[name] for name in _TOLD},
            "jobRunName": run.record.get("name", ""),
            "previousState": str(before),
            "createdAt": iso(run.record["createdAt"]),
            "updatedAt": iso(run.record["updatedAt"]),
        }
        self._events.publish(run.context, detail, [])
