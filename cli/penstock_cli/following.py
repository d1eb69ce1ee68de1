"""Starting the pipeline, and following a run to its end."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from penstock_cli import pipeline
from penstock_cli.errors import CommandError
from penstock_cli.run_view import RunView
from penstock_cli.stack import Stack
from penstock_cli.terminal import Progress

PAUSE = 0.5
LONG_PAUSE = 3.0


@dataclass(frozen=True, slots=True)
class Followed:
    """A run that has ended; the job ID is None if it never got one."""

    job_id: str | None
    verdict: str | None
    cause: str | None

    @property
    def exit_code(self) -> int:
        """0 only for a run that has succeeded."""
        return 0 if self.verdict == "SUCCEEDED" else 1


def start(stack: Stack, request: dict[str, Any], name: str | None = None) -> str:
    """Start the pipeline; return the ARN of the execution."""
    states = stack.client("stepfunctions")
    arguments = {"name": name} if name else {}
    try:
        arn: str = states.start_execution(
            stateMachineArn=stack.outputs["PipelineStateMachineArn"],
            input=json.dumps(request),
            **arguments,
        )["executionArn"]
    except states.exceptions.ClientError as error:
        raise CommandError(f"the pipeline cannot be started: {error}") from error
    return arn


def follow(console: Console, stack: Stack, execution_arn: str, title: str) -> Followed:
    """Show a run until it has ended, then its digest."""
    states = stack.client("stepfunctions")
    pause = PAUSE if stack.instance else LONG_PAUSE
    job_id: str | None = None
    view: RunView | None = None
    with Progress(console, title) as progress:
        while (ended := pipeline.ending(states, execution_arn)) is None:
            job_id = job_id or pipeline.job_id(states, execution_arn)
            if job_id:
                view = stack.runs.read(job_id)
                progress.show(view.jobs)
            time.sleep(pause)
        job_id = job_id or pipeline.job_id(states, execution_arn)
        if job_id:
            view = stack.runs.read(job_id)
            progress.show(view.jobs, ended=True)
    text = pipeline.digest(states, execution_arn) or ended.cause or ""
    console.print()
    console.print(text, highlight=False, markup=False)
    return Followed(job_id, view.verdict if view else None, ended.cause)
