"""Extract Config Manager: makes jobs of the tables that an event and an extract config name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.adapters.extract_config_file import check_request
from penstock.domain.extract_selection import selected
from penstock.domain.planning import metrics_of
from penstock.domain.requested_run import requested_run
from penstock.handlers.function import function, logger, measure
from penstock.handlers.parts import Parts

if TYPE_CHECKING:
    from penstock.domain.messages import PlanRunRequest, PlanRunResponse

parts = Parts()


@function
def handler(event: PlanRunRequest) -> PlanRunResponse:
    """Store the plan of an extract and its work orders; raise InvalidExtractConfigError."""
    stated = event["input"]
    check_request(stated)
    config = parts.extract_configs.load(stated["extract_config"])
    tables = selected(config, stated)
    category = stated.get("category") or config.category
    run = requested_run({**event, "input": {**stated, "category": category}})
    logger.append_keys(job_id=run.job_id)
    tables = parts.extract_planner.with_failed(tables, config, run)
    response = parts.extract_planner.plan(run, tables, config.target_seconds)
    measure(response["category"], {**metrics_of(response["counts"]), "TablesPlanned": len(tables)})
    logger.info("extract planned", extra={"plan": response, "tables": len(tables)})
    return response
