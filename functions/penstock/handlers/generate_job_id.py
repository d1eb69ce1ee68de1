"""Generate Job ID: the first state of a run names it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from penstock.domain.instant import written_of
from penstock.domain.job_id import job_id_of
from penstock.handlers.function import function, logger

if TYPE_CHECKING:
    from penstock.domain.messages import GenerateJobIdRequest, GenerateJobIdResponse


@function
def handler(event: GenerateJobIdRequest) -> GenerateJobIdResponse:
    """Return a new job ID; raise InvalidRequestError if `started_at` is no point in time."""
    job_id = job_id_of(event["started_at"], uuid4())
    logger.append_keys(job_id=job_id)
    logger.info("run started", extra={"execution_arn": event["execution_arn"]})
    return {"job_id": job_id, "started_at": written_of(event["started_at"])}
