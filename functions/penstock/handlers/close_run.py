"""Close Run: gives a run its verdict, and writes the digest and the run log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.domain import closing
from penstock.domain.lost_job import lost_jobs, unreported
from penstock.domain.settling import failed_job_of
from penstock.handlers.function import function, logger, measure
from penstock.handlers.parts import Parts, in_threads, now

if TYPE_CHECKING:
    from penstock.domain.messages import CloseRunRequest, CloseRunResponse

parts = Parts()


@function
def handler(event: CloseRunRequest) -> CloseRunResponse:
    """Settle what nobody else will, then judge the run as a whole; closing again is harmless."""
    job_id, failure = event["job_id"], event.get("failure")
    logger.append_keys(job_id=job_id)
    run = parts.runs.run(job_id) or closing.unplanned_run(event)
    jobs = parts.runs.jobs_of(job_id)
    lost, late = lost_jobs(jobs, failure), unreported(jobs, failure)
    # The messages come first: after the outcomes, a repeat would find nothing lost any more.
    ended = [job.as_ended() for job in lost]
    parts.queue.send_all([failed_job_of(job) for job in (*ended, *late)])
    abandoned = in_threads(parts.turns.abandon, lost)
    in_threads(parts.control.record, [*abandoned, *late])
    jobs = parts.runs.jobs_of(job_id) if lost else jobs
    for pool in closing.pools_of(jobs):
        parts.gate.sweep(pool)
    run = parts.runs.save(closing.ended_run(run, jobs, event, now()))
    backlog = [(other, parts.runs.jobs_of(other.job_id)) for other in parts.runs.unlogged_by(run)]
    response = closing.response((run, jobs), backlog, event, parts.settings.site)
    measure(run.category or "unknown", {f"Runs{response['verdict'].title()}": 1})
    logger.info("run closed", extra={"verdict": response["verdict"], "outcomes": run.outcomes})
    return response
