"""The commands on the deployed stack: plan, rerun, backfill, and a start that comes twice."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console

from penstock.adapters.control_table import ControlTable
from penstock.domain.job_record import JobRecord
from penstock_cli import pipeline
from penstock_cli.backfilling import backfill, dates_between
from penstock_cli.following import follow, start
from penstock_cli.plan_view import show_plan
from penstock_cli.rerunning import rerun
from penstock_cli.stack import Stack as Deployed

from .stack import Stack

CATEGORY = "Commands"
BAD_SQL = ["SELECT 1 / (SELECT COUNT(*) FROM no_such_table)"]


@pytest.fixture
def deployed(stack: Stack) -> Deployed:
    return Deployed("penstock-local", stack.instance)


@pytest.fixture
def rows(stack: Stack) -> Iterator[ControlTable]:
    """Three jobs in a chain, of which the second fails, and one that stands alone."""
    control = ControlTable(stack.client("dynamodb"), stack.output("ControlTable"))
    for row in (
        sql("first"),
        sql("second", BAD_SQL, DependsOn=["first"]),
        sql("third", DependsOn=["second"]),
        sql("alone", RunCondition="DAY 31", MaxAttempts=5),
    ):
        control.apply(row)
    yield control
    for name in ("first", "second", "third", "alone"):
        control.delete(name)


def sql(name: str, statements: Any = ("SELECT 1",), **fields: Any) -> dict[str, Any]:
    return {
        "JobName": name,
        "JobCategory": CATEGORY,
        "JobType": "redshift_sql",
        "Target": "dev",
        "Arguments": {"statements": list(statements)},
        "TimeoutMinutes": 5,
        **fields,
    }


def a_console() -> Console:
    return Console(file=io.StringIO(), width=120)


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_plan_is_shown_then_a_failure_is_mended_and_run_again(
    deployed: Deployed, rows: ControlTable
) -> None:
    console = a_console()
    request = {"category": CATEGORY, "logical_date": "2026-11-20"}
    show_plan(console, deployed, request, as_json=False)
    assert "3 of 4 jobs would run" in printed(console)
    assert "not due on FRIDAY 2026-11-20: DAY 31" in printed(console)

    arn = start(deployed, request)
    failed = follow(a_console(), deployed, arn, "run")
    assert (failed.verdict, failed.exit_code) == ("PARTIAL", 1)
    assert failed.job_id is not None

    rows.apply(sql("second", DependsOn=["first"]))
    console = a_console()
    assert rerun(console, deployed, failed.job_id, [], wait=True) == 0
    assert "second, third" in printed(console)
    console = a_console()
    assert rerun(console, deployed, failed.job_id, [], wait=True) == 0
    assert "Nothing to run again" in printed(console)


def test_a_backfill_runs_each_day_once_and_leaves_the_rows_alone(
    deployed: Deployed, rows: ControlTable
) -> None:
    rows.apply(sql("second", DependsOn=["first"]))
    before = {row["JobName"]: row.get("LastJobId") for row in rows.rows_of_category(CATEGORY)}
    days = dates_between(dt.date(2026, 10, 30), dt.date(2026, 11, 1))
    console = a_console()
    assert backfill(console, deployed, CATEGORY, days, 2, again=False) == 0
    assert all(f"{day}  SUCCEEDED" in printed(console) for day in days)
    after = {row["JobName"]: row.get("LastJobId") for row in rows.rows_of_category(CATEGORY)}
    assert after == before
    alone = deployed.run_table.latest_jobs(CATEGORY, "2026-10-31", ["alone"])["alone"]
    assert (alone.pool, str(alone.state)) == ("backfill", "SUCCEEDED")
    console = a_console()
    assert backfill(console, deployed, CATEGORY, days, 2, again=False) == 0
    assert printed(console).count("SUCCEEDED (before)") == 3


def test_of_two_starts_for_one_day_one_runs_and_the_other_says_so(
    deployed: Deployed, rows: ControlTable
) -> None:
    rows.apply(sql("second", DependsOn=["first"]))
    request = {"category": CATEGORY, "logical_date": "2026-11-19"}
    request |= {"trigger": "schedule", "scheduled_time": "2026-11-19T05:00:00Z"}
    arns = [start(deployed, request), start(deployed, request)]
    ends = [follow(a_console(), deployed, arn, "run") for arn in arns]
    assert sorted(str(end.verdict) for end in ends) == ["DUPLICATE", "SUCCEEDED"]
    [duplicate] = [n for n, end in enumerate(ends) if end.verdict == "DUPLICATE"]
    ended = pipeline.ending(deployed.client("stepfunctions"), arns[duplicate])
    assert ended is not None
    assert ended.error == "RunDuplicate"
    other = ends[1 - duplicate].job_id
    assert other is not None
    assert other in (ended.cause or "")


def pause(stack: Stack) -> None:
    """Give the pool `paused` no slots, so that its jobs wait."""
    item = {"PK": {"S": "POOL#paused"}, "SK": {"S": "POOL"}, "Limit": {"N": "0"}}
    stack.client("dynamodb").put_item(TableName=stack.output("RunTable"), Item=item)


def waiting_job(stack: Stack, deployed: Deployed, arn: str) -> JobRecord:
    """The job `first` of a run that has just been started, as soon as it waits for its turn."""
    states = stack.client("stepfunctions")
    while True:
        job_id = pipeline.job_id(states, arn)
        for job in deployed.run_table.jobs_of(job_id) if job_id else ():
            if job.job_name == "first" and job.arrived_at:
                return job


def test_reconcile_runs_closes_a_run_whose_execution_was_stopped(
    stack: Stack, deployed: Deployed, rows: ControlTable
) -> None:
    pause(stack)
    rows.apply(sql("first", Pool="paused"))
    arn = start(deployed, {"category": CATEGORY, "logical_date": "2026-11-18"})
    job = waiting_job(stack, deployed, arn)
    stack.client("stepfunctions").stop_execution(executionArn=arn, cause="by hand")
    for _ in range(20):
        stack.reconcile()
        run = deployed.run_table.run(job.job_id)
        if run is not None and run.verdict is not None:
            break
    assert run is not None
    assert str(run.verdict) == "FAILED"
    outcomes = {j.job_name: str(j.state) for j in deployed.run_table.jobs_of(job.job_id)}
    assert outcomes["first"] == "ABORTED"
    assert set(outcomes.values()) <= {"ABORTED", "BLOCKED", "SKIPPED"}


def test_reconcile_runs_settles_a_job_whose_execution_was_stopped_and_the_run_goes_on(
    stack: Stack, deployed: Deployed, rows: ControlTable
) -> None:
    pause(stack)
    rows.apply(sql("first", Pool="paused"))
    rows.apply(sql("alone"))
    arn = start(deployed, {"category": CATEGORY, "logical_date": "2026-11-17"})
    job = waiting_job(stack, deployed, arn)
    assert job.execution_arn is not None
    stack.client("stepfunctions").stop_execution(executionArn=job.execution_arn, cause="by hand")
    stack.reconcile()
    ended = follow(a_console(), deployed, arn, "run")
    assert ended.verdict == "PARTIAL"
    outcomes = {j.job_name: str(j.state) for j in deployed.run_table.jobs_of(job.job_id)}
    assert outcomes == {
        "first": "ABORTED",
        "second": "BLOCKED",
        "third": "BLOCKED",
        "alone": "SUCCEEDED",
    }
