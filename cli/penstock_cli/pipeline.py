"""Starting the pipeline by its schedule's own input, and following the execution."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from penstock_cli.errors import CommandError

SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"


def scheduled_input(scheduler: Any, machine_arn: str, now: dt.datetime) -> str:
    """The input that the schedule of the state machine would send at this moment.

    Raises CommandError when no schedule starts the machine.
    """
    for page in scheduler.get_paginator("list_schedules").paginate():
        for each in page["Schedules"]:
            if each["Target"]["Arn"] == machine_arn:
                schedule = scheduler.get_schedule(Name=each["Name"], GroupName=each["GroupName"])
                moment = now.astimezone(dt.UTC).replace(microsecond=0).isoformat()
                text: str = schedule["Target"]["Input"]
                return text.replace(SCHEDULED_TIME, moment.replace("+00:00", "Z"))
    raise CommandError(f"no EventBridge schedule starts {machine_arn}")


@dataclass(frozen=True, slots=True)
class Ending:
    """How the execution ended: Step Functions' status, error and cause."""

    status: str
    error: str | None
    cause: str | None


def ending(states: Any, execution_arn: str) -> Ending | None:
    """How an execution ended; None while it runs."""
    execution = states.describe_execution(executionArn=execution_arn)
    if execution["status"] == "RUNNING":
        return None
    return Ending(execution["status"], execution.get("error"), execution.get("cause"))


def job_id(states: Any, execution_arn: str) -> str | None:
    """The job ID of a run, once Generate Job ID has made it."""
    history = states.get_execution_history(executionArn=execution_arn, maxResults=20)
    for event in history["events"]:
        details = event.get("stateExitedEventDetails")
        if details and details["name"] == "Generate Job ID":
            output = json.loads(details["output"])
            found: str | None = output.get("job_id")
            return found
    return None


def digest(states: Any, execution_arn: str) -> str | None:
    """The message that an ended execution sent to its topic; None when it sent none."""
    history = states.get_execution_history(
        executionArn=execution_arn, maxResults=100, reverseOrder=True
    )
    for event in history["events"]:
        details = event.get("taskScheduledEventDetails")
        if details and details["resourceType"] == "sns":
            message: str = json.loads(details["parameters"])["Message"]
            return message
    return None
