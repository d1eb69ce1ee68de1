"""Every branch of Choose Job Type on the deployed template: good, failing, too slow, stopped."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from tests.e2e import job_targets
from tests.e2e.job_targets import Targets
from tests.e2e.stack import Ran, Stack

from penstock_cli import example, pipeline, run_log

CATEGORY = "All_Types"
REDSHIFT = {"workgroup": example.WORKGROUP, "database": example.DATABASE}
APPLICATION = CLUSTER = "local"

T = TypeVar("T")


def row(name: str, job_type: str, target: str, **more: Any) -> dict[str, Any]:
    fields = {"JobName": name, "JobCategory": CATEGORY, "JobType": job_type, "Target": target}
    return {**fields, "TimeoutMinutes": 5, "MaxAttempts": 1, **more}


@pytest.fixture(scope="module")
def targets(stack: Stack) -> Targets:
    return job_targets.make(stack)


def put_rows(stack: Stack, rows: list[dict[str, Any]]) -> None:
    table = example.control_table(stack.instance, stack.deployed.outputs)
    for item in table.scan()["Items"]:
        if item["JobCategory"] == CATEGORY:
            table.delete_item(Key={"JobName": item["JobName"]})
    for item in rows:
        table.put_item(Item=item)


def query(stack: Stack, sql: str) -> list[dict[str, Any]]:
    return run_log.query(stack.client("redshift-data"), sql, parameters={}, **REDSHIFT)


def eventually(look: Callable[[], T | None], seconds: float = 60.0) -> T:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if seen := look():
            return seen
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds} s")


def output_of(stack: Stack, machine: str, ran: Ran, job_name: str) -> dict[str, Any]:
    """The input, as it was echoed, of the execution that a state_machine job was."""
    states = stack.client("stepfunctions")
    for execution in states.list_executions(stateMachineArn=machine)["executions"]:
        arn = execution["executionArn"]
        output = json.loads(states.describe_execution(executionArn=arn)["output"])
        if (output["job_id"], output["job_name"]) == (ran.view.job_id, job_name):
            return dict(output)
    raise AssertionError(f"{job_name} has started nothing")


def test_a_job_of_every_type_runs_and_reports(stack: Stack, targets: Targets) -> None:
    statements = [
        "CREATE TABLE IF NOT EXISTS public.loaded (day DATE, source VARCHAR(64))",
        "DELETE FROM public.loaded WHERE day = :day",
        "INSERT INTO public.loaded SELECT CAST(:day AS DATE), :job_name",
    ]
    arguments = {"limit": 42, "fail": False, "table": "orders", "day": "{logical_date}"}
    sized = {"WorkerType": "G.1X", "NumberOfWorkers": 2}
    put_rows(
        stack,
        [
            row("shell", "python_shell", targets["python_shell"], Arguments={"mode": "plain"}),
            row("spark", "spark", targets["spark"], Arguments={"mode": "spark"}, **sized),
            row("emr", "emr", targets["emr"], Arguments={"mode": "spark"}, **sized),
            row("ecs", "ecs", targets["ecs"], Arguments={"mode": "plain"}),
            row("tidy", "lambda", targets["lambda"], Arguments=arguments),
            row(
                *("fill", "redshift_sql", "{redshift_database}"),
                Arguments={"statements": statements, "day": "{logical_date}"},
                DependsOn=["tidy"],
            ),
            row(
                *("child", "state_machine", targets["state_machine"]),
                Arguments=arguments,
                DependsOn=["fill"],
            ),
        ],
    )

    ran = stack.run(category=CATEGORY, logical_date="2026-11-20")

    jobs = ["shell", "spark", "emr", "ecs", "tidy", "fill", "child"]
    assert ran.outcomes == dict.fromkeys(jobs, "SUCCEEDED"), ran.digest
    rows = {job.name: (job.rows_read, job.rows_written) for job in ran.view.jobs}
    assert {name: rows[name] for name in jobs[:5]} == {
        "shell": (5, 1),
        "spark": (7, 1),
        "emr": (7, 1),
        "ecs": (5, 1),
        "tidy": (42, 1),
    }
    assert query(stack, "SELECT source, CAST(day AS VARCHAR) AS day FROM public.loaded") == [
        {"source": "fill", "day": "2026-11-20"}
    ]
    child = output_of(stack, targets.machine, ran, "child")
    assert child["arguments"] == {**arguments, "day": "2026-11-20"}
    assert (child["category"], child["attempt"]) == (CATEGORY, 1)
    assert "/jobs:" in child["AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"]


def test_each_failure_says_why_and_a_type_that_the_stack_lacks_stops_no_other_job(
    stack: Stack, targets: Targets
) -> None:
    failing = {"mode": "fail", "table": "orders"}
    arguments = {"limit": 1, "fail": True, "table": "orders"}
    statements = [
        "CREATE TABLE public.half (n INT)",
        "INSERT INTO public.half SELECT 1",
        "INSERT INTO public.half SELECT n FROM public.no_such_table",
    ]
    put_rows(
        stack,
        [
            row("shell", "python_shell", targets["python_shell"], Arguments=failing),
            row("spark", "spark", targets["spark"], Arguments=failing),
            row("emr", "emr", targets["emr"], Arguments=failing),
            row("ecs", "ecs", targets["ecs"], Arguments=failing),
            row("no_container", "ecs", "job-unknown", Arguments={}),
            row("tidy", "lambda", targets["lambda"], Arguments=arguments),
            row("forbidden", "lambda", "not-a-job", Arguments={}),
            row("fill", "redshift_sql", "dev", Arguments={"statements": statements}),
            row("child", "state_machine", targets["state_machine"], Arguments=arguments),
            row("odd", "cobol", "x"),
            row("good", "lambda", targets["lambda"], Arguments={**arguments, "fail": False}),
        ],
    )

    ran = stack.run(category=CATEGORY, logical_date="2026-11-21")

    assert ran.view.verdict == "PARTIAL", ran.digest
    causes = {
        **dict.fromkeys(["shell", "spark", "emr", "tidy", "child"], "no such table: orders"),
        "ecs": "container job-load ended with exit code 1",
        "no_container": "Unable to find task definition: job-unknown",
        "forbidden": "lambda:InvokeFunction",
        "fill": "no_such_table",
    }
    assert ran.outcomes == {
        **dict.fromkeys(causes, "FAILED"),
        "odd": "INVALID",
        "good": "SUCCEEDED",
    }
    for name, cause in causes.items():
        assert cause in (ran.job(name).error or ""), name
    # The statement that failed took those before it along.
    tables = "SELECT COUNT(*) AS n FROM information_schema.tables WHERE table_name = 'half'"
    assert [int(each["n"]) for each in query(stack, tables)] == [0]


def started_emr_run(stack: Stack, name: str) -> Any:
    """How the newest EMR job run of a job stands."""
    emr = stack.client("emr-serverless")
    runs = emr.list_job_runs(applicationId=APPLICATION)["jobRuns"]
    return next((run for run in runs if run["name"] == name), None)


def started_task(stack: Stack, script_argument: str) -> Any:
    """How the ECS task stands whose command has this argument."""
    ecs = stack.client("ecs")
    for status in ("RUNNING", "STOPPED"):
        arns = ecs.list_tasks(cluster=CLUSTER, desiredStatus=status)["taskArns"]
        for task in ecs.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"] if arns else []:
            if script_argument in task["overrides"]["containerOverrides"][0]["command"]:
                return task
    return None


def is_asleep(stack: Stack, *jobs: str) -> bool:
    """Whether the processes of these jobs have come to where they sleep."""
    listed = stack.client("s3").list_objects_v2(
        Bucket=stack.output("DataBucket"), Prefix="data/asleep/"
    )
    keys = {one["Key"] for one in listed.get("Contents", [])}
    return keys >= {f"data/asleep/{job}" for job in jobs}


def machine_of_one_state(stack: Stack, name: str) -> str:
    """A machine with one state of the deployed one, in its role, that keeps what comes next."""
    states = stack.client("stepfunctions")
    deployed = states.describe_state_machine(
        stateMachineArn=stack.output("PipelineStateMachineArn")
    )
    processor = json.loads(deployed["definition"])["States"]["Run Jobs"]["ItemProcessor"]
    ends = {end: {"Type": "Succeed"} for end in ("Settle Job", "Settle Failed Job")}
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": name,
        "States": {name: processor["States"][name], **ends},
    }
    made = states.create_state_machine(
        name=f"only-{name.replace(' ', '-')}",
        definition=json.dumps(definition),
        roleArn=deployed["roleArn"],
    )
    return str(made["stateMachineArn"])


def test_a_job_that_takes_too_long_is_ended_on_emr_and_ecs(stack: Stack, targets: Targets) -> None:
    states, bucket = stack.client("stepfunctions"), stack.output("DataBucket")
    command = ["--mode", "sleep", "--result_path", f"s3://{bucket}/runs/x/result.json"]
    arguments = {
        "emr": {"EntryPointArguments": [*command, "--job_name", "slow_emr"]},
        "ecs": [*command, "--job_name", "slow_ecs"],
    }
    executions = {}
    for job_type, name in (("emr", "Run EMR Serverless Job"), ("ecs", "Run ECS Task")):
        planned = {
            "job_id": "job-id",
            "job_name": f"slow_{job_type}",
            "attempt": 1,
            "target": targets[job_type],
            "arguments": arguments[job_type],
            "timeout_seconds": 8,
            "token": f"slow-{job_type}",
        }
        executions[name] = states.start_execution(
            stateMachineArn=machine_of_one_state(stack, name), input=json.dumps(planned)
        )["executionArn"]

    for name, arn in executions.items():
        ended = eventually(lambda arn=arn: pipeline.ending(states, arn))
        assert ended.status == "SUCCEEDED"
        output = json.loads(states.describe_execution(executionArn=arn)["output"])
        assert output["failure"] == {"state": name, "error": "States.Timeout", "cause": ""}
    eventually(lambda: ended_as(started_emr_run(stack, "slow_emr"), "state", "CANCELLED"))
    task = eventually(lambda: ended_as(started_task(stack, "slow_ecs"), "lastStatus", "STOPPED"))
    assert task["stopCode"] == "UserInitiated"
    assert executions["Run ECS Task"] in task["stoppedReason"]


def ended_as(found: Any, member: str, state: str) -> Any:
    return found if found and found[member] == state else None


def test_stopping_a_run_stops_its_emr_job_run_and_its_ecs_task(
    stack: Stack, targets: Targets
) -> None:
    put_rows(
        stack,
        [
            row("stop_emr", "emr", targets["emr"], Arguments={"mode": "sleep"}),
            row("stop_ecs", "ecs", targets["ecs"], Arguments={"mode": "sleep"}),
        ],
    )
    arn = stack.start(category=CATEGORY, logical_date="2026-11-19")
    eventually(lambda: is_asleep(stack, "stop_emr", "stop_ecs"))
    job_id = pipeline.job_id(stack.client("stepfunctions"), arn)
    assert job_id is not None

    stack.client("stepfunctions").stop_execution(executionArn=arn, cause="by hand")

    eventually(lambda: ended_as(started_emr_run(stack, "stop_emr"), "state", "CANCELLED"))
    eventually(lambda: ended_as(started_task(stack, "stop_ecs"), "lastStatus", "STOPPED"))
    runs = example.runs(stack.instance, stack.deployed.outputs)

    def settled() -> Any:
        stack.reconcile()
        view = runs.read(job_id)
        return view if view.verdict else None

    view = eventually(settled)
    outcomes = {job.name: job.state for job in view.jobs}
    assert (outcomes["stop_emr"], outcomes["stop_ecs"]) == ("ABORTED", "ABORTED")
