"""Plan Run: decides which jobs of a category run, which do not, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.domain import planning
from penstock.domain.plan import job_records
from penstock.handlers.function import function, logger, measure
from penstock.handlers.parts import Parts

if TYPE_CHECKING:
    from penstock.domain.messages import PlanRunRequest, PlanRunResponse

parts = Parts()


@function
def handler(event: PlanRunRequest) -> PlanRunResponse:
    """Store the plan and the items of its jobs; raise UnknownCategoryError, InvalidRequestError."""
    run = planning.requested_run(event)
    logger.append_keys(job_id=run.job_id, category=run.category)
    rows = planning.read_rows(parts.control.rows_of_category(run.category), run.category)
    messages = parts.queue.receive(lambda body: planning.concerns(run.category, body))
    bodies = [message.body for message in messages]
    plan = parts.bucket.plan(run.job_id)
    if plan is None:
        calendars = parts.control.calendars(planning.calendars_of(rows))
        made = planning.plan_of(run, rows, calendars, bodies, parts.settings.site)
        plan = parts.bucket.store(made)
    parts.runs.create_jobs(job_records(plan))
    unlogged = parts.runs.backlog(run.job_id, planning.unlogged_runs(bodies))
    parts.runs.save(planning.run_record(plan, run, unlogged))
    parts.queue.send_all(planning.newly_failed(plan))
    parts.queue.delete([m for m in messages if planning.is_done(m.body, plan)])
    parts.queue.release([m for m in messages if not planning.is_done(m.body, plan)])
    response = planning.response(plan, parts.settings.data_bucket)
    measure(run.category, planning.metrics_of(response["counts"]))
    logger.info("run planned", extra={"counts": response["counts"]})
    return response
