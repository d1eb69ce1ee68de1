"""EMR Serverless: every call is checked against the API's model, every answer is made up."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.local.asl.integrations.calls import (
    MILLISECONDS,
    STARTED,
    cancel,
    ends_badly,
    start,
    to_the_end,
    without_metadata,
)
from tests.local.asl.integrations.conftest import Stubbed

EMR = "emr-serverless:startJobRun.sync"
SPARK = {
    "ApplicationId": "app1",
    "ClientToken": "token",
    "ExecutionRoleArn": "arn:aws:iam::123456789012:role/spark",
    "JobDriver": {"SparkSubmit": {"EntryPoint": "s3://b/job.py", "EntryPointArguments": ["--a"]}},
}
SPARK_ON_THE_WIRE = {
    "applicationId": "app1",
    "clientToken": "token",
    "executionRoleArn": "arn:aws:iam::123456789012:role/spark",
    "jobDriver": {"sparkSubmit": {"entryPoint": "s3://b/job.py", "entryPointArguments": ["--a"]}},
}
EMR_ARN = "arn:aws:emr-serverless:eu-central-1:123456789012:/applications/app1"
SPARK_STARTED = {"applicationId": "app1", "jobRunId": "run1", "arn": f"{EMR_ARN}/jobruns/run1"}
SPARK_IDS = {"applicationId": "app1", "jobRunId": "run1"}


def spark_run(state: str) -> dict[str, Any]:
    needed = {
        **SPARK_STARTED,
        "createdBy": "arn:aws:iam::123456789012:user/me",
        "createdAt": STARTED,
        "updatedAt": STARTED,
        "executionRole": SPARK["ExecutionRoleArn"],
        "state": state,
        "stateDetails": "details",
        "releaseLabel": "emr-7.0.0",
        "jobDriver": SPARK_ON_THE_WIRE["jobDriver"],
    }
    return {"jobRun": needed}


def spark(stubbed: Stubbed, *states: str) -> Any:
    answers = stubbed.answers("emr-serverless")
    answers.to("start_job_run", SPARK_ON_THE_WIRE, SPARK_STARTED)
    for state in states:
        answers.to("get_job_run", SPARK_IDS, spark_run(state))
    return answers


def test_the_result_of_an_emr_serverless_job_is_its_run(stubbed: Stubbed) -> None:
    answers = spark(stubbed, "SUBMITTED", "QUEUED", "RUNNING", "SUCCESS")
    result = to_the_end(stubbed.integrations, EMR, SPARK)
    assert (result["State"], result["JobRunId"], result["CreatedAt"]) == (
        "SUCCESS",
        "run1",
        MILLISECONDS,
    )
    answers.all_given()


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
def test_an_emr_serverless_job_that_ends_badly_fails_the_task(stubbed: Stubbed, state: str) -> None:
    spark(stubbed, "RUNNING", state)
    error = ends_badly(stubbed.integrations, EMR, SPARK)
    assert error.error == "States.TaskFailed"
    assert json.loads(error.cause or "")["State"] == state


def test_an_emr_serverless_job_is_cancelled_with_its_task(stubbed: Stubbed) -> None:
    answers = stubbed.answers("emr-serverless").to("cancel_job_run", SPARK_IDS, SPARK_IDS)
    cancel(stubbed.integrations, EMR, SPARK, {"ApplicationId": "app1", "JobRunId": "run1"})
    answers.all_given()


def application(state: str) -> dict[str, Any]:
    needed = {
        "applicationId": "app1",
        "arn": EMR_ARN,
        "releaseLabel": "emr-7.0.0",
        "type": "Spark",
        "state": state,
        "createdAt": STARTED,
        "updatedAt": STARTED,
    }
    return {"application": needed}


def test_an_application_is_waited_for_until_it_has_started(stubbed: Stubbed) -> None:
    ids = {"applicationId": "app1"}
    answers = stubbed.answers("emr-serverless").to("start_application", ids, {})
    answers.to("get_application", ids, application("STARTING"))
    answers.to("get_application", ids, application("STARTED"))
    resource = "emr-serverless:startApplication.sync"
    result = to_the_end(stubbed.integrations, resource, {"ApplicationId": "app1"})
    assert result["State"] == "STARTED"
    answers.all_given()


def test_an_action_without_an_answer_is_answered_with_its_ids(stubbed: Stubbed) -> None:
    answers = stubbed.answers("emr-serverless")
    answers.to("stop_application", {"applicationId": "app1"}, {})
    resource = "emr-serverless:stopApplication"
    result = start(stubbed.integrations, resource, {"ApplicationId": "app1"})
    assert without_metadata(result) == {"ApplicationId": "app1"}
