"""The `penstock` command."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from penstock_cli.errors import CommandError

app = typer.Typer(
    help="Describe jobs as rows; Penstock plans, runs and reports them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

DataFolder = Annotated[
    Path | None,
    typer.Option("--data", help="A folder with the sources' CSV files, served over loopback."),
]

StackName = Annotated[
    str | None,
    typer.Option(help="The stack; if absent that of Penstock Local if it is up, else penstock."),
]


@app.command()
def demo(data: DataFolder = None, port: int | None = None) -> None:
    """Run the example pipeline on this machine, from deployment to digest, then stop."""
    from penstock_cli.demo import run_demo

    raise typer.Exit(run_demo(Console(), data, port))


@app.command()
def up(data: DataFolder = None, port: int | None = None) -> None:
    """Start Penstock Local with the application deployed, and leave it running."""
    from penstock_cli.standing import bring_up

    bring_up(Console(), data, port)


@app.command()
def down() -> None:
    """Stop what `penstock up` started."""
    from penstock_cli.standing import bring_down

    bring_down(Console())


@app.command()
def apply(
    files: Annotated[list[Path], typer.Argument(help="YAML files with job rows.")],
    stack: StackName = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before writing.")] = False,
) -> None:
    """Bring the control table in line with job rows, after showing the difference."""
    from penstock_cli.applying import apply_files
    from penstock_cli.stack import the_stack

    apply_files(Console(), files, the_stack(stack), ask=not yes)


@app.command()
def dqdl(
    file: Annotated[Path, typer.Argument(help="The YAML or JSON specification of a transform.")],
) -> None:
    """Print the rules of a specification as a ruleset for AWS Glue Data Quality."""
    from penstock_cli.ruleset import ruleset_of

    typer.echo(ruleset_of(file), nl=False)


@app.command()
def plan(
    category: Annotated[str, typer.Argument(help="The JobCategory to plan.")] = "",
    date: Annotated[str, typer.Option(help="Logical date, like 2026-11-21; today if absent.")] = "",
    rerun_of: Annotated[str, typer.Option(help="Plan the rerun of this run instead.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
    stack: StackName = None,
) -> None:
    """Show what a run would do now, and why; nothing is started or written."""
    from penstock_cli.plan_view import show_plan
    from penstock_cli.stack import the_stack

    stated = {"category": category, "logical_date": date, "rerun_of": rerun_of}
    request = {name: value for name, value in stated.items() if value}
    show_plan(Console(), the_stack(stack), request, as_json=as_json)


@app.command()
def rerun(
    job_id: Annotated[str, typer.Argument(help="The job ID of the run.")],
    job: Annotated[
        list[str] | None,
        typer.Option(help="Only this job, or this table of an extract; may be repeated."),
    ] = None,
    wait: Annotated[bool, typer.Option(help="Follow the run to its end.")] = True,
    stack: StackName = None,
) -> None:
    """Run what did not succeed in a run, jobs or tables, again for the same logical date."""
    from penstock_cli.rerunning import rerun as run_again
    from penstock_cli.stack import the_stack

    raise typer.Exit(run_again(Console(), the_stack(stack), job_id, job or (), wait=wait))


@app.command()
def backfill(
    category: Annotated[str, typer.Argument(help="The JobCategory to run.")],
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"])],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"])],
    parallel: Annotated[int, typer.Option(min=1, max=100, help="Runs open at once.")] = 2,
    again: Annotated[bool, typer.Option("--again", help="Also days that have succeeded.")] = False,
    stack: StackName = None,
) -> None:
    """Run a category once for each day, in the backfill lane."""
    from penstock_cli.backfilling import backfill as run_days
    from penstock_cli.backfilling import dates_between
    from penstock_cli.stack import the_stack

    dates = dates_between(first.date(), last.date())
    found = the_stack(stack)
    raise typer.Exit(run_days(Console(), found, category, dates, parallel, again=again))


rejects_app = typer.Typer(help="See, retry or drop rejected records.", no_args_is_help=True)
app.add_typer(rejects_app, name="rejects")

RejectingRun = Annotated[str, typer.Argument(help="The job ID of the run that rejected them.")]
OfJobs = Annotated[list[str] | None, typer.Option("--job", help="Only of this job; repeatable.")]


@rejects_app.command("list")
def list_rejects(
    category: Annotated[str, typer.Argument(help="The JobCategory; all if absent.")] = "",
    stack: StackName = None,
) -> None:
    """List what is open, for the next run to try again, and what rests until you act."""
    from penstock_cli import rejects
    from penstock_cli.stack import the_stack

    rejects.list_rejects(Console(), the_stack(stack), category)


@rejects_app.command("show")
def show_rejects(
    job_id: RejectingRun,
    job: OfJobs = None,
    limit: Annotated[int, typer.Option(min=1, help="Records of each job.")] = 20,
    stack: StackName = None,
) -> None:
    """Show the records that a run has rejected, each with its reason."""
    from penstock_cli import rejects
    from penstock_cli.stack import the_stack

    rejects.show_rejects(Console(), the_stack(stack), job_id, job or (), limit)


@rejects_app.command("retry")
def retry_rejects(job_id: RejectingRun, job: OfJobs = None, stack: StackName = None) -> None:
    """Have the next run try them again, as if for the first time, also those that rest."""
    from penstock_cli import rejects
    from penstock_cli.stack import the_stack

    rejects.retry_rejects(Console(), the_stack(stack), job_id, job or ())


@rejects_app.command("drop")
def drop_rejects(
    job_id: RejectingRun,
    job: OfJobs = None,
    reason: Annotated[str, typer.Option(help="Kept with the run.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    stack: StackName = None,
) -> None:
    """Give them up; the run keeps who dropped them, when and why."""
    from penstock_cli import rejects
    from penstock_cli.stack import the_stack

    rejects.drop_rejects(Console(), the_stack(stack), job_id, job or (), reason, ask=not yes)


def run() -> None:
    """Entry point: failures that a person can mend are sentences, not tracebacks."""
    try:
        app()
    except (CommandError, BotoCoreError, ClientError) as error:
        sys.stderr.write(f"penstock: {error}\n")
        sys.exit(2)
