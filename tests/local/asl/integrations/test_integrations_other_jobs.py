"""Batch, Athena and CodeBuild: every call is checked against the API's model."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.local.asl.integrations.calls import (
    EXECUTION,
    cancel,
    ends_badly,
    to_the_end,
)
from tests.local.asl.integrations.conftest import Stubbed

BATCH_JOB = {"JobName": "j", "JobQueue": "q", "JobDefinition": "d"}


def batch(stubbed: Stubbed, *statuses: str) -> Any:
    wire = {"jobName": "j", "jobQueue": "q", "jobDefinition": "d"}
    answers = stubbed.answers("batch").to("submit_job", wire, {"jobName": "j", "jobId": "1"})
    for status in statuses:
        detail = {
            "jobName": "j",
            "jobId": "1",
            "jobQueue": "q",
            "status": status,
            "startedAt": 5,
            "jobDefinition": "d",
        }
        answers.to("describe_jobs", {"jobs": ["1"]}, {"jobs": [detail]})
    return answers


def test_the_result_of_a_batch_job_is_its_details(stubbed: Stubbed) -> None:
    batch(stubbed, "SUBMITTED", "RUNNABLE", "RUNNING", "SUCCEEDED")
    result = to_the_end(stubbed.integrations, "batch:submitJob.sync", BATCH_JOB)
    assert (result["JobId"], result["Status"], result["StartedAt"]) == ("1", "SUCCEEDED", 5)


def test_a_batch_job_that_fails_fails_the_task(stubbed: Stubbed) -> None:
    batch(stubbed, "FAILED")
    error = ends_badly(stubbed.integrations, "batch:submitJob.sync", BATCH_JOB)
    assert error.error == "States.TaskFailed"
    assert json.loads(error.cause or "")["Status"] == "FAILED"


def test_a_batch_job_is_terminated_with_its_task(stubbed: Stubbed) -> None:
    reason = f"Stopped by the execution {EXECUTION}"
    expected = {"jobId": "1", "reason": reason}
    answers = stubbed.answers("batch").to("terminate_job", expected, {})
    cancel(stubbed.integrations, "batch:submitJob.sync", BATCH_JOB, {"JobId": "1"})
    answers.all_given()


QUERY = {"QueryString": "SELECT 1", "WorkGroup": "w", "ClientRequestToken": "t" * 32}


def athena(stubbed: Stubbed, *states: str) -> Any:
    answers = stubbed.answers("athena")
    answers.to("start_query_execution", QUERY, {"QueryExecutionId": "1"})
    for state in states:
        execution = {"QueryExecutionId": "1", "Status": {"State": state}}
        asked = {"QueryExecutionId": "1"}
        answers.to("get_query_execution", asked, {"QueryExecution": execution})
    return answers


def test_the_result_of_an_athena_query_holds_its_execution(stubbed: Stubbed) -> None:
    athena(stubbed, "QUEUED", "RUNNING", "SUCCEEDED")
    result = to_the_end(stubbed.integrations, "athena:startQueryExecution.sync", QUERY)
    assert result["QueryExecution"]["Status"]["State"] == "SUCCEEDED"


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
def test_an_athena_query_that_ends_badly_fails_the_task(stubbed: Stubbed, state: str) -> None:
    athena(stubbed, state)
    error = ends_badly(stubbed.integrations, "athena:startQueryExecution.sync", QUERY)
    assert error.error == "States.TaskFailed"


def test_an_athena_query_is_stopped_with_its_task(stubbed: Stubbed) -> None:
    answers = stubbed.answers("athena")
    answers.to("stop_query_execution", {"QueryExecutionId": "1"}, {})
    started = {"QueryExecutionId": "1"}
    cancel(stubbed.integrations, "athena:startQueryExecution.sync", QUERY, started)
    answers.all_given()


def codebuild(stubbed: Stubbed, *statuses: str) -> Any:
    build = {"id": "p:1", "buildStatus": "IN_PROGRESS"}
    answers = stubbed.answers("codebuild")
    answers.to("start_build", {"projectName": "p"}, {"build": build})
    for status in statuses:
        builds = {"builds": [{**build, "buildStatus": status}]}
        answers.to("batch_get_builds", {"ids": ["p:1"]}, builds)
    return answers


def test_the_result_of_a_build_holds_the_build(stubbed: Stubbed) -> None:
    codebuild(stubbed, "IN_PROGRESS", "SUCCEEDED")
    result = to_the_end(stubbed.integrations, "codebuild:startBuild.sync", {"ProjectName": "p"})
    assert result == {"Build": {"BuildStatus": "SUCCEEDED", "Id": "p:1"}}


def test_a_build_that_fails_fails_the_task(stubbed: Stubbed) -> None:
    codebuild(stubbed, "FAULT")
    error = ends_badly(stubbed.integrations, "codebuild:startBuild.sync", {"ProjectName": "p"})
    assert error.error == "States.TaskFailed"


def test_a_build_is_stopped_with_its_task(stubbed: Stubbed) -> None:
    answers = stubbed.answers("codebuild").to("stop_build", {"id": "p:1"}, {})
    started = {"Build": {"Id": "p:1"}}
    cancel(stubbed.integrations, "codebuild:startBuild.sync", {"ProjectName": "p"}, started)
    answers.all_given()
