"""Plans that nobody executes: what would run, by the same code as Plan Run."""

from __future__ import annotations

import datetime as dt
from typing import Any

from penstock.domain.forecast import Forecast, forecast
from penstock.domain.plan_line import PlanDocument
from penstock.domain.planning import failures_of_rows, read_rows
from penstock.domain.requested_run import requested_run
from penstock_cli.stack import Stack


def draft(stack: Stack, request: dict[str, Any]) -> PlanDocument:
    """The plan that a run with this input would have now; nothing is written.

    What earlier runs have failed at is read from the rows: reading the error queue would hide its
    messages from a real run. Raises InvalidRequestError and UnknownCategoryError.
    """
    now = dt.datetime.now(dt.UTC)
    event: Any = {
        "job_id": f"{now:%Y%m%dT%H%M%SZ}-draft",
        "execution_arn": "",
        "started_at": now.isoformat(),
        "input": request,
    }
    run = requested_run(event)
    extract = stack.extract_planner.again(run)
    if extract is not None:
        config = stack.extract_configs.load(extract.config_uri)
        return stack.extract_planner.draft_again(extract, config)
    rerun = stack.planner.rerun(run) if run.rerun_of else None
    if rerun is not None:
        run = run.as_rerun(rerun.run)
    readings = read_rows(stack.control.rows_of_category(run.category), run.category)
    failed = [job.to_message() for job in failures_of_rows(readings).values()]
    rejects = stack.planner.free_rejects(run, stack.leases.open_runs())
    return stack.planner.draft(run, readings, failed, rerun, rejects)


def expected(stack: Stack, plan: PlanDocument) -> Forecast:
    """How long the plan will take and what it will cost."""
    pools = {entry["Pool"] for entry in plan["jobs"] if entry["Pool"]}
    limits = {name: stack.pools.pool(name).limit for name in sorted(pools)}
    return forecast(plan, limits, stack.settings.prices.state_transition)
