"""Jobs that are functions, state machines and SQL statements, on the deployed template."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from tests.e2e.stack import Ran, Stack

from penstock_cli import example, run_log

CATEGORY = "All_Types"
REDSHIFT = {"workgroup": example.WORKGROUP, "database": example.DATABASE}

FUNCTION = """
def handler(event, context):
    if event["arguments"]["fail"]:
        raise ValueError("no such table: " + event["arguments"]["table"])
    return {"rows_read": event["arguments"]["limit"], "rows_written": event["attempt"]}
"""
CHILD = {
    "QueryLanguage": "JSONata",
    "StartAt": "Answer",
    "States": {"Answer": {"Type": "Succeed", "Output": "{% $states.input %}"}},
}


def row(name: str, job_type: str, target: str, **more: Any) -> dict[str, Any]:
    fields = {"JobName": name, "JobCategory": CATEGORY, "JobType": job_type, "Target": target}
    return {**fields, "TimeoutMinutes": 5, "MaxAttempts": 1, **more}


@pytest.fixture(scope="module")
def targets(stack: Stack) -> dict[str, str]:
    """A function and a state machine that jobs may be, with a role that may do nothing."""
    trusted = {"Service": ["lambda.amazonaws.com", "states.amazonaws.com"]}
    trust = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}
    role = stack.client("iam").create_role(
        RoleName="job-role",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("job.py", FUNCTION)
    stack.client("lambda").create_function(
        FunctionName="job-tidy",
        Runtime="python3.13",
        Handler="job.handler",
        Role=role,
        Code={"ZipFile": archive.getvalue()},
    )
    machine = stack.client("stepfunctions").create_state_machine(
        name="job-child", definition=json.dumps(CHILD), roleArn=role
    )["stateMachineArn"]
    return {"lambda": "job-tidy", "state_machine": machine}


def put_rows(stack: Stack, rows: list[dict[str, Any]]) -> None:
    table = example.control_table(stack.instance, stack.deployed.outputs)
    for item in table.scan()["Items"]:
        if item["JobCategory"] == CATEGORY:
            table.delete_item(Key={"JobName": item["JobName"]})
    for item in rows:
        table.put_item(Item=item)


def query(stack: Stack, sql: str) -> list[dict[str, Any]]:
    return run_log.query(stack.client("redshift-data"), sql, parameters={}, **REDSHIFT)


def output_of(stack: Stack, ran: Ran, job_name: str) -> dict[str, Any]:
    """The input, as it was echoed, of the execution that a state_machine job was."""
    states = stack.client("stepfunctions")
    machine = next(
        m["stateMachineArn"]
        for m in states.list_state_machines()["stateMachines"]
        if m["name"] == "job-child"
    )
    for execution in states.list_executions(stateMachineArn=machine)["executions"]:
        arn = execution["executionArn"]
        output = json.loads(states.describe_execution(executionArn=arn)["output"])
        if (output["job_id"], output["job_name"]) == (ran.view.job_id, job_name):
            return dict(output)
    raise AssertionError(f"{job_name} has started nothing")


def test_functions_state_machines_and_statements_run_as_jobs(
    stack: Stack, targets: dict[str, str]
) -> None:
    statements = [
        "CREATE TABLE IF NOT EXISTS public.loaded (day DATE, source VARCHAR(64))",
        "DELETE FROM public.loaded WHERE day = :day",
        "INSERT INTO public.loaded SELECT CAST(:day AS DATE), :job_name",
    ]
    arguments = {"limit": 42, "fail": False, "table": "orders", "day": "{logical_date}"}
    put_rows(
        stack,
        [
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

    assert ran.outcomes == dict.fromkeys(["tidy", "fill", "child"], "SUCCEEDED"), ran.digest
    assert (ran.job("tidy").rows_read, ran.job("tidy").rows_written) == (42, 1)
    assert query(stack, "SELECT source, CAST(day AS VARCHAR) AS day FROM public.loaded") == [
        {"source": "fill", "day": "2026-11-20"}
    ]
    child = output_of(stack, ran, "child")
    assert child["arguments"] == {**arguments, "day": "2026-11-20"}
    assert (child["category"], child["attempt"]) == (CATEGORY, 1)
    assert "/jobs:" in child["AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"]


def test_each_failure_says_why_and_a_type_that_the_stack_lacks_stops_no_other_job(
    stack: Stack, targets: dict[str, str]
) -> None:
    arguments = {"limit": 1, "fail": True, "table": "orders"}
    put_rows(
        stack,
        [
            row("tidy", "lambda", targets["lambda"], Arguments=arguments),
            row("forbidden", "lambda", "not-a-job", Arguments={}),
            row("fill", "redshift_sql", "dev", Arguments={"statements": ["SELEKT 1", "SELECT 1"]}),
            row("odd", "cobol", "x"),
            row("child", "state_machine", targets["state_machine"], Arguments=arguments),
        ],
    )

    ran = stack.run(category=CATEGORY, logical_date="2026-11-21")

    assert ran.view.verdict == "PARTIAL", ran.digest
    assert ran.outcomes == {
        **dict.fromkeys(["tidy", "forbidden", "fill"], "FAILED"),
        "odd": "INVALID",
        "child": "SUCCEEDED",
    }
    assert "no such table: orders" in (ran.job("tidy").error or "")
    assert "lambda:InvokeFunction" in (ran.job("forbidden").error or "")
    assert "SELEKT" in (ran.job("fill").error or "")
