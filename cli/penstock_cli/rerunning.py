"""`penstock rerun`: the jobs or tables of a run that did not succeed, once more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from penstock.domain.errors import PenstockError
from penstock.domain.outcome import Progress
from penstock.domain.plan_line import PlanDocument
from penstock_cli import drafting
from penstock_cli.errors import CommandError
from penstock_cli.following import follow, start
from penstock_cli.stack import Stack


def rerun(console: Console, stack: Stack, job_id: str, jobs: Sequence[str], *, wait: bool) -> int:
    """Start the rerun of a run and follow it; return the exit code of the command.

    Raises CommandError, before anything is started, if there is nothing that can be run again.
    """
    request: dict[str, Any] = {"rerun_of": job_id, "trigger": "rerun"}
    if jobs:
        request["jobs"] = list(jobs)
    try:
        plan = drafting.draft(stack, request)
    except PenstockError as error:
        raise CommandError(f"nothing was started: {error}") from error
    names = planned(plan)
    if not names:
        console.print(f"Nothing to run again: all of {job_id} has succeeded since.")
        return 0
    console.print(
        f"Runs again for {plan['logical_date']} of {plan['category']}: {', '.join(names)}",
        highlight=False,
    )
    execution = start(stack, request)
    if not wait:
        console.print(f"Started: {execution}", highlight=False, soft_wrap=True)
        return 0
    return follow(console, stack, execution, f"rerun of {job_id}").exit_code


def planned(plan: PlanDocument) -> list[str]:
    """The names of the jobs that will run, in the order of the plan."""
    return [e["JobName"] for e in plan["jobs"] if e["Decision"] == Progress.PLANNED]
