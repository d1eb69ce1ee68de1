"""`penstock demo`: from an empty machine to the digest of a real run, then nothing is left."""

from __future__ import annotations

import datetime as dt
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from penstock_cli import deployment, example, local_instance, pipeline, run_log
from penstock_cli.deployment import Deployment
from penstock_cli.errors import CommandError
from penstock_cli.local_instance import STATE, Instance
from penstock_cli.run_view import RunView
from penstock_cli.terminal import Progress, loaded_table, number, row_table

HOME = STATE / "demo"
REPORT = STATE / "demo.json"
POLL_SECONDS = 0.25
LONGEST_RUN_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the run left in the table that it loads."""

    table: str
    rows: int
    sums: dict[str, int]
    first: list[dict[str, Any]]


def run_demo(console: Console, data: Path | None, port: int | None) -> int:
    """Run the example once; the exit status is 0 only for the verdict SUCCEEDED."""
    if data is not None and not data.is_dir():
        raise CommandError(f"{data} is no folder: DATA names the folder with the CSV files")
    REPORT.unlink(missing_ok=True)
    started = time.monotonic()
    instance = local_instance.start(HOME, port=port)
    try:
        took = time.monotonic() - started
        step(console, f"Penstock Local is ready at {instance.endpoint}", took)
        with example.sources(data) as source_url:
            return _demo(console, instance, source_url)
    finally:
        instance.stop()


def _demo(console: Console, instance: Instance, source_url: str) -> int:
    with console.status("sam build, sam deploy", spinner="dots"):
        deployed = deployment.deploy(instance)
    step(console, "sam build", deployed.build_seconds)
    step(console, "sam deploy: the unmodified template", deployed.deploy_seconds)
    rows = example.apply_rows(instance, deployed.outputs, source_url)
    step(console, f"{len(rows)} job rows applied, their sources at {source_url}")
    run, digest = follow(console, instance, deployed)
    report = describe(console, instance, deployed, run, digest)
    REPORT.write_text(json.dumps(report, indent=2) + "\n")
    console.print()
    console.print(
        f"All of this as JSON: {REPORT}. The run itself is gone with its instance. "
        "For one that is left running, where the commands above find their runs: make up"
    )
    return 0 if run.verdict == "SUCCEEDED" else 1


def follow(
    console: Console, instance: Instance, deployed: Deployment
) -> tuple[RunView, str | None]:
    """Start the pipeline as its schedule would, and show its jobs until the execution ends.

    Returns the run and the digest that it sent.
    """
    states = instance.client("stepfunctions")
    machine = deployed.outputs["PipelineStateMachineArn"]
    text = pipeline.scheduled_input(instance.client("scheduler"), machine, dt.datetime.now(dt.UTC))
    execution = states.start_execution(stateMachineArn=machine, input=text)["executionArn"]
    step(console, f"started by the schedule's own input: {text}")
    console.print()
    runs = example.runs(instance, deployed.outputs)
    job_id: str | None = None
    view: RunView | None = None
    deadline = time.monotonic() + LONGEST_RUN_SECONDS
    with Progress(console, "running") as progress:
        while (ending := pipeline.ending(states, execution)) is None:
            job_id = job_id or pipeline.job_id(states, execution)
            if job_id:
                progress.show(runs.read(job_id).jobs)
            if time.monotonic() > deadline:
                raise CommandError(f"the run did not end within {LONGEST_RUN_SECONDS:.0f} s")
            time.sleep(POLL_SECONDS)
        job_id = job_id or pipeline.job_id(states, execution)
        if job_id is not None:
            view = runs.read(job_id)
            progress.show(view.jobs, ended=True)
    if view is None or view.verdict is None:
        raise CommandError(
            f"the execution {ending.status} without a verdict: {ending.error}: {ending.cause}"
        )
    return view, pipeline.digest(states, execution)


def describe(
    console: Console,
    instance: Instance,
    deployed: Deployment,
    run: RunView,
    digest: str | None,
) -> dict[str, Any]:
    """Print the digest, the run log and the loaded table; return the same as one object."""
    style = {"SUCCEEDED": "green", "PARTIAL": "yellow"}.get(run.verdict or "", "red")
    console.print()
    console.rule("the digest, as its subscribers get it", style=style)
    console.print(Text((digest or "no digest was sent").strip()), soft_wrap=True)
    console.rule(style=style)
    redshift = instance.client("redshift-data")
    log_rows = run_log.query(
        redshift,
        "SELECT * FROM etl.run_log WHERE job_id = :job_id",
        workgroup=example.WORKGROUP,
        database=example.DATABASE,
        parameters={"job_id": run.job_id},
    )
    console.print()
    console.print("[bold]etl.run_log[/bold], read back through the Redshift Data API")
    console.print(row_table(log_rows))
    loaded = read_loaded(redshift, run)
    if loaded is not None:
        console.print()
        sums = ", ".join(f"{number(total)} {name}" for name, total in loaded.sums.items())
        console.print(f"[bold]{loaded.table}[/bold], {number(loaded.rows)} rows: {sums}")
        console.print(loaded_table(loaded.first))
    return {
        "verdict": run.verdict,
        "job_id": run.job_id,
        "logical_date": run.logical_date,
        "jobs": [
            {
                "name": job.name,
                "type": job.type,
                "outcome": job.state,
                "rows_read": job.rows_read,
                "rows_written": job.rows_written,
                "rows_rejected": job.rows_rejected,
                "seconds": job.seconds,
                "error": job.error,
            }
            for job in run.jobs
        ],
        "run_log_rows": len(log_rows),
        "loaded": None
        if loaded is None
        else {key: value for key, value in asdict(loaded).items() if key != "first"},
        "stack": deployed.outputs,
    }


def read_loaded(redshift: Any, run: RunView) -> Loaded | None:
    """The table that the last job loads; None when that job did not succeed."""
    if not any(job.name == "load_daily_cases" and job.state == "SUCCEEDED" for job in run.jobs):
        return None

    def query(sql: str) -> list[dict[str, Any]]:
        where = {"workgroup": example.WORKGROUP, "database": example.DATABASE}
        return run_log.query(redshift, sql, **where, parameters={})

    (total,) = query(example.TOTALS)
    first = query(example.FIRST_ROWS)
    columns = [name for name in total if name != "n"]
    return Loaded(
        table=example.LOADED_TABLE,
        rows=int(total["n"]),
        sums={column: int(total[column] or 0) for column in columns},
        first=first,
    )


def step(console: Console, text: str, seconds: float | None = None) -> None:
    """One line of what has been done, with how long it took."""
    took = "" if seconds is None else f" [dim]({seconds:.1f} s)[/dim]"
    console.print(f"[green]✔[/green] {text}{took}", highlight=False, soft_wrap=True)
