"""Await Turn: a job arrives, and waits for its upstream and for a slot of its pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.domain.job_record import JobKey
from penstock.handlers.function import function, logger
from penstock.handlers.parts import Parts

if TYPE_CHECKING:
    from penstock.domain.messages import AwaitTurnRequest, AwaitTurnResponse

parts = Parts()


@function
def handler(event: AwaitTurnRequest) -> AwaitTurnResponse:
    """Store the task token and give the job its turn if it can have it; raise UnknownJobError."""
    key = JobKey(event["job_id"], event["job_name"], event["attempt"])
    logger.append_keys(job_id=key.job_id, job_name=key.job_name)
    state = parts.turns.arrive(key, event["task_token"], event["execution_arn"])
    logger.info("job arrived", extra={"state": state})
    return {"state": str(state)}
