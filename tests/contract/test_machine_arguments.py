"""What each task sends, rendered from a plan line and from answers as the functions give them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from penstock.domain.control_row import JOB_TYPES
from penstock.domain.redshift import Redshift
from penstock.domain.task_arguments import JobTask, start_token, task_arguments
from penstock_local.asl import template

from . import machine, sdk
from .machine import State

LINE: dict[str, Any] = {
    "job_id": "20261121T050000Z-6f0f6a52-3a0b-4ed2-b8a1-5f4c8a2c9d11",
    "job_name": "clean_us_cases",
    "job_type": "python_shell",
    "target": "penstock-dev-transform",
    "arguments": {"--job_id": "20261121T050000Z-6f0f6a52", "--attempt": "1"},
    "timeout_seconds": 930,
    "worker_type": None,
    "number_of_workers": None,
    "max_capacity": None,
    "attempt": 1,
    "category": "Daily_Covid",
    "logical_date": "2026-11-21",
    "turn_timeout_seconds": 86_400,
    "token": start_token("20261121T050000Z-6f0f6a52", "clean_us_cases", 1),
}
CONTRACT = {"--job_id": LINE["job_id"], "--job_name": LINE["job_name"], "--attempt": "1"}
REDSHIFT = Redshift("analytics", "", "dev", "", "")
# A job of each type whose row says all that such a row can say, under the state that runs it.
JOBS = {
    "Run Python Shell Job": JobTask("python_shell", "penstock-dev-transform", {"mode": "x"}, 15),
    "Run Spark Job": JobTask("spark", "penstock-dev-transform-spark", {"mode": "x"}, 15),
    "Run EMR Serverless Job": JobTask(
        *("emr", "s3://code/job.py", {"spark_submit_parameters": "--conf spark.a=b"}, 15),
        *("G.2X", 4),
    ),
    "Run ECS Task": JobTask("ecs", "app@sales-load:3", {"mode": "full"}, 15),
    "Run Lambda Function": JobTask("lambda", "sales-tidy", {"limit": 5, "tables": ["a"]}, 15),
    "Run State Machine": JobTask(
        "state_machine", "arn:aws:states:eu-central-1:111122223333:stateMachine:s", {"limit": 5}, 15
    ),
    "Run Redshift SQL": JobTask(
        "redshift_sql", "dev", {"statements": ["DELETE FROM t WHERE d = :day"], "day": "{day}"}, 15
    ),
}
STATEMENT: dict[str, Any] = {
    "WorkgroupName": "analytics",
    "Database": "dev",
    "SecretArn": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:warehouse-AbCdEf",
    "Sqls": ["INSERT INTO penstock_run_log VALUES (:job_id)"],
    "Parameters": [{"Name": "job_id", "Value": LINE["job_id"]}],
    "ClientToken": "6f0f6a52-3a0b-4ed2-b8a1-5f4c8a2c9d11",
    "StatementName": "penstock",
}
VARIABLES: dict[str, Any] = {
    "run": {
        "job_id": LINE["job_id"],
        "started_at": "2026-11-21T05:00:00Z",
        "execution_arn": "arn:aws:states:eu-central-1:111122223333:execution:pipeline:x",
        "input": {"category": "Daily_Covid"},
        "category": "Daily_Covid",
        "logical_date": "2026-11-21",
        "plan_bucket": "data",
        "plan_key": "runs/x/plan.jsonl",
        "counts": {"planned": 1, "left_out": 0, "invalid": 0},
    },
    "report": {
        "job_id": LINE["job_id"],
        "verdict": "PARTIAL",
        "subject": "Penstock PARTIAL: Daily_Covid 2026-11-21",
        "digest": "1 of 2 jobs succeeded.",
        "log_statement": STATEMENT,
    },
    "log_id": "b3a1c7c2-0000-4000-8000-000000000000",
    "log_deadline": 0,
    "log_failure": "FAILED: no such table",
}
JOB_VARIABLES: dict[str, Any] = {
    "job": {name: LINE[name] for name in ("job_id", "job_name", "attempt")},
    "sql_id": "b3a1c7c2-0000-4000-8000-000000000000",
    "sql_start": 0,
    "sql_deadline": 0,
}
PARAMETERS = {
    "EmrApplicationId": "00f1abcd",
    "EmrJobRoleArn": "arn:aws:iam::111122223333:role/emr-jobs",
    "EcsCluster": "jobs",
    "EcsSubnets": "subnet-1,subnet-2",
    "EcsSecurityGroups": "sg-1",
    "EcsAssignPublicIp": "DISABLED",
}
CONTEXT = {
    "Execution": {
        "Id": VARIABLES["run"]["execution_arn"],
        "StartTime": "2026-11-21T05:00:00Z",
        "Input": {"category": "Daily_Covid"},
    },
    "Task": {"Token": "token"},
}


def rendered(state: State, line: dict[str, Any], field: str = "Arguments") -> Any:
    variables = JOB_VARIABLES if state.scope else VARIABLES
    scope = template.Scope(variables, {"input": line, "context": CONTEXT})
    return template.render(_substituted(state.body[field]), scope, field)


def _substituted(value: Any) -> Any:
    """The value with the template's parameters filled in."""
    text = json.dumps(value)
    return json.loads(machine.SUBSTITUTION.sub(lambda m: PARAMETERS.get(m[1], m[1]), text))


def line_of(state: State) -> dict[str, Any]:
    """A plan line of the type of job that the state runs; for other states, any."""
    task = JOBS.get(state.name)
    if task is None:
        return LINE
    arguments = task_arguments(task, CONTRACT, {"day": "2026-11-21"}, LINE["token"], REDSHIFT)
    return {**LINE, "job_type": task.job_type, "target": task.target, "arguments": arguments}


def integration(state: State) -> tuple[str, str]:
    """The service and the action of a task: `aws-sdk:redshiftdata:describeStatement`."""
    parts = state.body["Resource"].removesuffix(":2").split(":")
    return parts[-2], parts[-1].split(".")[0]


@pytest.mark.parametrize("state", [pytest.param(s, id=s.name) for s in machine.tasks()])
def test_arguments_have_the_form_that_the_service_takes(state: State) -> None:
    assert sdk.faults(rendered(state, line_of(state)), *integration(state)) == ""


def test_a_misspelt_argument_would_be_found() -> None:
    assert "JobNam" in sdk.faults({"JobNam": "x"}, "glue", "startJobRun")
    assert "Invalid type" in sdk.faults({"JobName": "x", "Timeout": "5"}, "glue", "startJobRun")


@pytest.mark.parametrize("name", ["Run Python Shell Job", "Run Spark Job"])
def test_what_a_row_leaves_open_is_left_out_of_the_request(name: str) -> None:
    assert rendered(machine.state(name), LINE) == {
        "JobName": LINE["target"],
        "Arguments": LINE["arguments"],
        "Timeout": 16,  # minutes, never less than the 930 seconds of the state
    }


def test_what_a_row_says_of_its_workers_is_sent() -> None:
    line = {**LINE, "worker_type": "G.2X", "number_of_workers": 4, "max_capacity": 0.0625}
    spark = rendered(machine.state("Run Spark Job"), line)
    shell = rendered(machine.state("Run Python Shell Job"), line)
    assert (spark["WorkerType"], spark["NumberOfWorkers"]) == ("G.2X", 4)
    assert "MaxCapacity" not in spark
    assert shell["MaxCapacity"] == 0.0625
    assert "WorkerType" not in shell


def test_every_type_of_job_has_a_state_that_runs_it() -> None:
    choices = machine.state("Choose Job Type").body["Choices"]
    chosen = {
        way["Next"]: [
            kind
            for kind in JOB_TYPES
            if template.render(
                _substituted(way["Condition"]),
                template.Scope({}, {"input": {**LINE, "job_type": kind}, "context": CONTEXT}),
                "Condition",
            )
        ]
        for way in choices
    }
    assert chosen == {name: [task.job_type] for name, task in JOBS.items()}


@pytest.mark.parametrize("name", [name for name in JOBS if name != "Run Redshift SQL"])
def test_a_job_has_the_time_that_its_row_gives_it(name: str) -> None:
    seconds = rendered(machine.state(name), LINE, "TimeoutSeconds")
    assert seconds == (900 if name == "Run Lambda Function" else LINE["timeout_seconds"])


def test_emr_ends_a_job_run_only_after_the_state_has_had_time_to() -> None:
    """A job run that EMR Serverless ends itself is CANCELLED, which is no timeout."""
    line = {**line_of(machine.state("Run EMR Serverless Job")), "timeout_seconds": 120}
    sent = rendered(machine.state("Run EMR Serverless Job"), line)
    assert sent["ExecutionTimeoutMinutes"] == 3


def test_a_job_waits_for_its_turn_as_long_as_its_row_says() -> None:
    seconds = rendered(machine.state("Await Turn"), LINE, "TimeoutSeconds")
    assert seconds == LINE["turn_timeout_seconds"]


@pytest.mark.parametrize(
    ("target", "definition", "container"),
    [
        ("app@sales-load:3", "sales-load:3", "app"),
        ("sales-load", "sales-load", "sales-load"),
        ("sales-load:3", "sales-load:3", "sales-load"),
        *[
            (f"{prefix}{arn}", arn, container)
            for arn in ["arn:aws:ecs:eu-central-1:111122223333:task-definition/sales-load:3"]
            for prefix, container in [("", "sales-load"), ("app@", "app")]
        ],
    ],
)
def test_the_target_of_an_ecs_job_names_a_task_definition_and_perhaps_its_container(
    target: str, definition: str, container: str
) -> None:
    line = {**line_of(machine.state("Run ECS Task")), "target": target}
    sent = rendered(machine.state("Run ECS Task"), line)
    assert sent["TaskDefinition"] == definition
    assert sent["Overrides"]["ContainerOverrides"][0]["Name"] == container
    assert sent["Overrides"]["ContainerOverrides"][0]["Command"][:2] == ["--job_id", LINE["job_id"]]


def test_starts_that_can_bear_a_token_or_a_name_bear_that_of_the_attempt() -> None:
    token = LINE["token"]
    sent = {name: rendered(machine.state(name), line_of(machine.state(name))) for name in JOBS}
    assert sent["Run EMR Serverless Job"]["ClientToken"] == token
    assert sent["Run Redshift SQL"]["ClientToken"] == token
    assert sent["Run State Machine"]["Name"] == f"2026-11-21-{token}"
    assert len(sent["Run State Machine"]["Name"]) <= 80


def test_redshift_is_asked_again_the_later_the_rarer() -> None:
    body = machine.state("Wait For Redshift SQL").body
    for began, seconds in [(0, 2), (60_000, 6), (3_600_000, 60)]:
        now = {"sql_start": 10_000_000 - began}
        scope = template.Scope(now, {"input": {}, "context": CONTEXT})
        text = body["Seconds"].replace("$millis()", "10000000")
        assert template.render(text, scope, "Seconds") == seconds


def test_the_map_reads_the_plan_and_writes_beside_it() -> None:
    body = machine.state("Run Jobs").body
    scope = template.Scope(VARIABLES, {"input": {}, "context": CONTEXT})
    reader = template.render(body["ItemReader"]["Arguments"], scope, "ItemReader")
    writer = template.render(body["ResultWriter"]["Arguments"], scope, "ResultWriter")
    assert sdk.faults(reader, "s3", "getObject") == ""
    assert body["ItemReader"]["ReaderConfig"] == {"InputType": "JSONL"}
    assert writer == {"Bucket": "data", "Prefix": f"runs/{LINE['job_id']}/map"}


def test_a_subject_of_the_machine_itself_is_one_that_sns_takes() -> None:
    for name in ("Generate Job ID", "Close Run"):
        subject = machine.state(name).catchers[-1]["Assign"]["report"]["subject"]
        assert subject.isascii()
        assert len(subject) < 100
