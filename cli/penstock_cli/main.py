"""The `penstock` command."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
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
    stack: str = "penstock",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before writing.")] = False,
) -> None:
    """Bring the control table in line with job rows, after showing the difference."""
    from penstock_cli.applying import apply_files

    apply_files(Console(), files, stack, ask=not yes)


def run() -> None:
    """Entry point: failures that a person can mend are sentences, not tracebacks."""
    try:
        app()
    except CommandError as error:
        sys.stderr.write(f"penstock: {error}\n")
        sys.exit(2)
