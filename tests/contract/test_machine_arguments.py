"""What each task sends, rendered from a plan line and from answers as the functions give them."""

from __future__ import annotations

from typing import Any

import pytest

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
CONTEXT = {
    "Execution": {
        "Id": VARIABLES["run"]["execution_arn"],
        "StartTime": "2026-11-21T05:00:00Z",
        "Input": {"category": "Daily_Covid"},
    },
    "Task": {"Token": "token"},
}


def rendered(state: State, line: dict[str, Any], field: str = "Arguments") -> Any:
    scope = template.Scope({} if state.scope else VARIABLES, {"input": line, "context": CONTEXT})
    return template.render(state.body[field], scope, field)


def integration(state: State) -> tuple[str, str]:
    """The service and the action of a task: `aws-sdk:redshiftdata:describeStatement`."""
    *_, service, action = state.body["Resource"].split(":")
    return service, action.split(".")[0]


@pytest.mark.parametrize("state", [pytest.param(s, id=s.name) for s in machine.tasks()])
def test_arguments_have_the_form_that_the_service_takes(state: State) -> None:
    assert sdk.faults(rendered(state, LINE), *integration(state)) == ""


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


@pytest.mark.parametrize("name", ["Await Turn", "Run Python Shell Job", "Run Spark Job"])
def test_a_job_has_the_time_that_its_row_gives_it(name: str) -> None:
    seconds = rendered(machine.state(name), LINE, "TimeoutSeconds")
    assert seconds == LINE["turn_timeout_seconds" if name == "Await Turn" else "timeout_seconds"]


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
