"""Plan Run: decides which jobs of a category run, which do not, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.domain.planning import metrics_of
from penstock.domain.requested_run import requested_run
from penstock.handlers.function import function, logger, measure
from penstock.handlers.parts import Parts

if TYPE_CHECKING:
    from penstock.domain.messages import PlanRunRequest, PlanRunResponse

parts = Parts()


@function
def handler(event: PlanRunRequest) -> PlanRunResponse:
    """Store the plan and the items of its jobs; raise UnknownCategoryError, InvalidRequestError."""
    run = requested_run(event)
    logger.append_keys(job_id=run.job_id)
    extract = parts.extract_planner.again(run)
    if extract is None:
        response = parts.planner.plan(run)
    else:
        config = parts.extract_configs.load(extract.config_uri)
        response = parts.extract_planner.plan_again(extract, config)
    counts = metrics_of(response["counts"])
    measure(response["category"], {**counts, "PoisonMessages": parts.queue.count_poison()})
    logger.info("run planned", extra={"plan": response})
    return response
