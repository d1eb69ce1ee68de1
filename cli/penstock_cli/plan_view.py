"""`penstock plan`: what would run, in which order, for how long and for how much; what not, why."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from penstock.domain.errors import PenstockError
from penstock.domain.forecast import Forecast
from penstock.domain.outcome import Progress
from penstock.domain.plan_line import PlanEntry
from penstock_cli import drafting
from penstock_cli.errors import CommandError
from penstock_cli.stack import Stack
from penstock_cli.terminal import STYLES


def show_plan(console: Console, stack: Stack, request: dict[str, Any], *, as_json: bool) -> None:
    """Print the plan that a run with this input would have now."""
    try:
        plan = drafting.draft(stack, request)
    except PenstockError as error:
        raise CommandError(str(error)) from error
    forecast = drafting.expected(stack, plan)
    if as_json:
        document = {"plan": plan, "forecast": asdict(forecast)}
        console.print_json(json.dumps(document, default=str))
        return
    planned = [entry for entry in plan["jobs"] if entry["Decision"] == Progress.PLANNED]
    others = [entry for entry in plan["jobs"] if entry["Decision"] != Progress.PLANNED]
    console.print(
        Text.assemble((plan["category"], "bold"), f" for {plan['logical_date']}: "),
        f"{len(planned)} of {len(plan['jobs'])} jobs would run",
        highlight=False,
        sep="",
    )
    if planned:
        console.print()
        console.print(_planned_table(planned, forecast))
        console.print()
        console.print(_sum(forecast, stack.settings.prices.as_of), highlight=False)
    for limit in forecast.limits:
        console.print(Text(f"  {limit}", style="yellow"))
    if others:
        console.print("\nWould not run", style="bold")
        console.print(_others_table(others))


def _planned_table(planned: list[PlanEntry], forecast: Forecast) -> Table:
    entries = {entry["JobName"]: entry for entry in planned}
    table = Table(box=None, pad_edge=False, collapse_padding=True, header_style="dim")
    table.add_column("starts", justify="right", style="dim", no_wrap=True)
    table.add_column("takes", justify="right", no_wrap=True)
    table.add_column("job", overflow="fold")
    table.add_column("after", overflow="fold", style="dim")
    table.add_column("pool", style="dim")
    table.add_column("why", overflow="fold")
    for job in forecast.jobs:
        entry = entries.pop(job.name)
        takes = _time(job.end - job.start) if job.is_known else "?"
        table.add_row(
            _time(job.start), takes, job.name, _some(entry["WaitsOn"]), entry["Pool"],
            entry["Reason"],
        )  # fmt: skip
    for entry in entries.values():
        table.add_row("never", "", entry["JobName"], "", entry["Pool"], entry["Reason"])
    return table


def _others_table(others: list[PlanEntry]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold", style="dim")
    for entry in others:
        decision = entry["Decision"]
        table.add_row(
            Text(decision, style=STYLES.get(decision, "")), entry["JobName"], entry["Reason"]
        )
    return table


def _sum(forecast: Forecast, as_of: str) -> str:
    text = f"Expected: {_time(forecast.seconds)}, ${forecast.dollars:,.2f}"
    notes = [f"prices of {as_of}"]
    if forecast.unknown_times:
        notes.append(f"a minute assumed of {_jobs(forecast.unknown_times)} without a success yet")
    if forecast.unknown_costs:
        notes.append(f"{_jobs(forecast.unknown_costs)} of unknown cost")
    return f"{text} ({'; '.join(notes)})"


def _jobs(number: int) -> str:
    return "1 job" if number == 1 else f"{number} jobs"


def _some(names: list[str], most: int = 3) -> str:
    left = len(names) - most
    return ", ".join(names[:most]) + (f" +{left}" if left > 0 else "")


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
