"""What Settle Job makes of its request, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock.domain.ending import AWAIT_TURN, Ending, ending_of_failure, ending_of_result
from penstock.domain.errors import InvalidRequestError, JobNotSucceededError
from penstock.domain.failed_job import FailedJob
from penstock.domain.job_record import JobKey, JobRecord
from penstock.domain.outcome import Outcome

if TYPE_CHECKING:
    from penstock.domain.messages import Failure, SettleJobRequest, SettleJobResponse
    from penstock.domain.prices import Prices


@dataclass(frozen=True, slots=True)
class EndedTask:
    """The end of a job's task as the state machine saw it: its result, or the error of a state."""

    key: JobKey
    result: Any
    failure: Failure | None

    @property
    def may_have_reported(self) -> bool:
        """Tell whether the job ran at all, so that there may be a result file."""
        return self.failure is None or self.failure["state"] != AWAIT_TURN

    def ending(self, result_file: bytes | None, prices: Prices) -> Ending:
        """Return how the attempt ended."""
        if self.failure is not None:
            return ending_of_failure(self.failure, result_file, prices)
        return ending_of_result(self.result, result_file, prices)

    def answer(self, job: JobRecord) -> SettleJobResponse:
        """Return what is recorded; raise JobNotSucceededError if a good result was none."""
        if self.failure is None:
            if job.outcome is not Outcome.SUCCEEDED:
                raise JobNotSucceededError(job.cause or f"the job is {job.state}")
            return {"outcome": str(job.outcome)}
        return {
            "outcome": str(job.outcome or job.state),
            "error": job.error or self.failure.get("error") or str(job.state),
            "cause": job.cause or f"the job is {job.state}",
        }


def ended_task(event: SettleJobRequest) -> EndedTask:
    """Read the request; raise InvalidRequestError if it has neither result nor failure."""
    key = JobKey(event["job_id"], event["job_name"], event["attempt"])
    failure = event.get("failure")
    if failure is None and "result" not in event:
        raise InvalidRequestError("Settle Job needs the result of a task or the failure of a state")
    return EndedTask(key, event.get("result"), failure)


def failed_job_of(job: JobRecord) -> FailedJob:
    """Return the message that has the job tried again by the next run.

    A job that was only blocked has not failed once more.
    """
    return FailedJob(
        category=job.category,
        job_name=job.job_name,
        job_id=job.job_id,
        logical_date=job.logical_date,
        attempt=job.attempt,
        outcome=str(job.state),
        error=job.error,
        cause=job.cause,
        times=job.failures_in_a_row,
    )


def metrics_of(job: JobRecord) -> dict[str, float | None]:
    """Return what is measured of an ended job, under the names of the metrics."""
    return {
        f"Jobs{job.state.title().replace('_', '')}": 1,
        "JobSeconds": job.seconds,
        "RowsWritten": job.figures.rows_written,
        "RowsRejected": job.figures.rows_rejected,
        "DpuSeconds": job.figures.dpu_seconds,
        "Dollars": job.figures.dollars,
    }
