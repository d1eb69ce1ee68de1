"""Settle Job: records how a job ended and gives the jobs after it, and those queued, their turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.domain.settling import ended_task, metrics_of
from penstock.handlers.function import function, logger, measure
from penstock.handlers.parts import Parts

if TYPE_CHECKING:
    from penstock.domain.messages import SettleJobRequest, SettleJobResponse

parts = Parts()


@function
def handler(event: SettleJobRequest) -> SettleJobResponse:
    """Return the recorded outcome; raise JobNotSucceededError for a result that is no success."""
    task = ended_task(event)
    logger.append_keys(job_id=task.key.job_id, job_name=task.key.job_name)
    result_file = parts.bucket.result_file(task.key) if task.may_have_reported else None
    ending = task.ending(result_file, parts.settings.prices)
    job = parts.aftermath.settle(task.key, ending, result_file)
    measure(job.category, metrics_of(job))
    logger.info("job settled", extra={"outcome": job.state, "cause": job.cause})
    return task.answer(job)
