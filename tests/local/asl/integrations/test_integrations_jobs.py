"""Jobs that `.sync` waits for, on services that have no backend here: each call is checked
against the API's model."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from typing import Any

import pytest
from tests.local.asl.integrations.calls import (
    EXECUTION,
    call,
    failure,
    run,
    start,
    to_the_end,
    without_metadata,
)
from tests.local.asl.integrations.conftest import Stubbed

from penstock_local.asl.errors import StateError
from penstock_local.asl.integrations import Integrations

STARTED = dt.datetime(2026, 11, 21, 5, 0, 0, 250000, tzinfo=dt.UTC)
MILLISECONDS = 1_795_237_200_250


def ends_badly(integrations: Integrations, *arguments: Any) -> StateError:
    with pytest.raises(StateError) as raised:
        to_the_end(integrations, *arguments)
    return raised.value


def cancel(integrations: Integrations, resource: str, arguments: Any, started: Any) -> None:
    run(integrations.cancel(call(resource, arguments), started))


# AWS Glue

GLUE = "glue:startJobRun.sync"
JOB = {"JobName": "extract", "Arguments": {"--job_id": "1"}}


def glue_run(state: str, **more: Any) -> dict[str, Any]:
    facts = {"Id": "jr_1", "JobName": "extract", "JobRunState": state, "StartedOn": STARTED}
    return {"JobRun": {**facts, **more}}


def glue(stubbed: Stubbed, *states: str, **more: Any) -> Any:
    answers = stubbed.answers("glue").to("start_job_run", JOB, {"JobRunId": "jr_1"})
    for state in states:
        asked = {"JobName": "extract", "RunId": "jr_1"}
        answers.to("get_job_run", asked, glue_run(state, **more))
    return answers


def test_a_started_glue_job_is_answered_with_its_name(stubbed: Stubbed) -> None:
    stubbed.answers("glue").to("start_job_run", JOB, {"JobRunId": "jr_1"})
    started = without_metadata(start(stubbed.integrations, "glue:startJobRun", JOB))
    assert started == {"JobName": "extract", "JobRunId": "jr_1"}


def test_the_result_of_a_glue_job_is_its_run(stubbed: Stubbed) -> None:
    answers = glue(stubbed, "STARTING", "RUNNING", "SUCCEEDED", MaxCapacity=2.0)
    result = to_the_end(stubbed.integrations, GLUE, JOB)
    assert result == {
        "Id": "jr_1",
        "JobName": "extract",
        "JobRunState": "SUCCEEDED",
        "MaxCapacity": 2.0,
        "StartedOn": MILLISECONDS,
    }
    assert list(result) == sorted(result)
    answers.all_given()


@pytest.mark.parametrize("state", ["FAILED", "TIMEOUT", "ERROR", "EXPIRED"])
def test_a_glue_job_that_ends_badly_fails_the_task_with_its_run(
    stubbed: Stubbed, state: str
) -> None:
    glue(stubbed, "RUNNING", state, ErrorMessage="no such table: é")
    error = ends_badly(stubbed.integrations, GLUE, JOB)
    assert error.error == "States.TaskFailed"
    assert error.cause == (
        '{"ErrorMessage":"no such table: é","Id":"jr_1","JobName":"extract",'
        f'"JobRunState":"{state}","StartedOn":{MILLISECONDS}}}'
    )


def test_a_glue_job_that_was_stopped_is_a_result_to_look_at(stubbed: Stubbed) -> None:
    glue(stubbed, "STOPPING", "STOPPED")
    assert to_the_end(stubbed.integrations, GLUE, JOB)["JobRunState"] == "STOPPED"


def test_a_glue_job_that_waits_for_room_goes_on(stubbed: Stubbed) -> None:
    glue(stubbed, "WAITING", "RUNNING", "SUCCEEDED")
    assert to_the_end(stubbed.integrations, GLUE, JOB)["JobRunState"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("ConcurrentRunsExceededException", "Glue.ConcurrentRunsExceededException"),
        ("ThrottlingException", "Glue.AWSGlueException"),
        ("AccessDeniedException", "Glue.AccessDeniedException"),
        ("SomethingNew", "Glue.AWSGlueException"),
    ],
)
def test_a_glue_job_that_cannot_start_has_the_service_s_error(
    stubbed: Stubbed, code: str, name: str
) -> None:
    stubbed.answers("glue").error("start_job_run", code, "Rate exceeded")
    error = failure(stubbed.integrations, GLUE, JOB)
    assert error.error == name
    assert error.cause == (
        f"Rate exceeded (Service: AWSGlue; Status Code: 400; Error Code: {code};"
        " Request ID: request-1; Proxy: null)"
    )


def test_a_busy_service_is_asked_again_and_the_job_goes_on(stubbed: Stubbed) -> None:
    answers = glue(stubbed, "RUNNING")
    answers.error("get_job_run", "ThrottlingException", "Rate exceeded")
    answers.error("get_job_run", "InternalServiceException", "oops", status=500)
    answers.to("get_job_run", {"JobName": "extract", "RunId": "jr_1"}, glue_run("SUCCEEDED"))
    assert to_the_end(stubbed.integrations, GLUE, JOB)["JobRunState"] == "SUCCEEDED"
    answers.all_given()


def test_a_job_that_may_not_be_watched_fails_the_task(stubbed: Stubbed) -> None:
    """AWS leaves such a task hanging; here it says which permission is missing."""
    answers = glue(stubbed)
    answers.error("get_job_run", "AccessDeniedException", "… perform: glue:GetJobRun")
    error = ends_badly(stubbed.integrations, GLUE, JOB)
    assert error.error == "Glue.AccessDeniedException"
    assert "glue:GetJobRun" in (error.cause or "")


def test_a_glue_job_is_stopped_with_its_task(stubbed: Stubbed) -> None:
    expected = {"JobName": "extract", "JobRunIds": ["jr_1"]}
    answers = stubbed.answers("glue").to("batch_stop_job_run", expected, {})
    cancel(stubbed.integrations, GLUE, JOB, {"JobName": "extract", "JobRunId": "jr_1"})
    answers.all_given()


def test_a_job_that_cannot_be_stopped_is_left(
    stubbed: Stubbed, caplog: pytest.LogCaptureFixture
) -> None:
    stubbed.answers("glue").error("batch_stop_job_run", "AccessDeniedException", "no")
    cancel(stubbed.integrations, GLUE, JOB, {"JobName": "extract", "JobRunId": "jr_1"})
    assert "could not be stopped" in caplog.text


def test_what_is_no_job_is_neither_waited_for_nor_stopped(stubbed: Stubbed) -> None:
    stubbed.answers("glue")  # and expects no call
    cancel(stubbed.integrations, "glue:startJobRun", JOB, {"JobRunId": "jr_1"})
    made = call("glue:startJobRun", JOB)
    assert run(stubbed.integrations.finish(made, {"JobRunId": "jr_1"})) == {"JobRunId": "jr_1"}


def test_waiting_can_be_given_up_at_any_time(stubbed: Stubbed) -> None:
    glue(stubbed, *["RUNNING"] * 50)
    made = call(GLUE, JOB)

    async def given_up() -> None:
        started = await stubbed.integrations.start(made)
        async with asyncio.timeout(0.05):
            await stubbed.integrations.finish(made, started)

    with pytest.raises(TimeoutError):
        run(given_up())


# Amazon ECS

ECS = "ecs:runTask.sync"
TASK = {"Cluster": "c", "TaskDefinition": "t:1", "LaunchType": "FARGATE"}
TASK_ON_THE_WIRE = {"cluster": "c", "taskDefinition": "t:1", "launchType": "FARGATE"}


def ecs_task(status: str, *exit_codes: int | None) -> dict[str, Any]:
    containers = [
        {"name": f"c{number}", **({} if code is None else {"exitCode": code})}
        for number, code in enumerate(exit_codes)
    ]
    facts = {"taskArn": "arn:task", "clusterArn": "arn:cluster", "lastStatus": status}
    return {**facts, "containers": containers, "createdAt": STARTED}


def ecs(stubbed: Stubbed, *tasks: dict[str, Any]) -> Any:
    started = {"tasks": [ecs_task("PROVISIONING")], "failures": []}
    answers = stubbed.answers("ecs").to("run_task", TASK_ON_THE_WIRE, started)
    for task in tasks:
        asked = {"cluster": "arn:cluster", "tasks": ["arn:task"]}
        answers.to("describe_tasks", asked, {"tasks": [task]})
    return answers


def test_the_result_of_an_ecs_task_is_the_stopped_task(stubbed: Stubbed) -> None:
    answers = ecs(stubbed, ecs_task("RUNNING"), ecs_task("STOPPED", 0, 0))
    result = to_the_end(stubbed.integrations, ECS, TASK)
    assert result == {
        "ClusterArn": "arn:cluster",
        "Containers": [{"ExitCode": 0, "Name": "c0"}, {"ExitCode": 0, "Name": "c1"}],
        "CreatedAt": MILLISECONDS,
        "LastStatus": "STOPPED",
        "TaskArn": "arn:task",
    }
    answers.all_given()


@pytest.mark.parametrize("codes", [(1,), (0, 137), (None,)])
def test_an_ecs_task_whose_container_failed_fails_the_task(
    stubbed: Stubbed, codes: tuple[int | None, ...]
) -> None:
    ecs(stubbed, ecs_task("STOPPED", *codes))
    error = ends_badly(stubbed.integrations, ECS, TASK)
    assert error.error == "States.TaskFailed"
    assert json.loads(error.cause or "")["TaskArn"] == "arn:task"


def test_an_ecs_task_that_found_no_room_has_the_failures_as_cause(stubbed: Stubbed) -> None:
    failures = [{"arn": "arn:instance", "reason": "RESOURCE:MEMORY"}]
    stubbed.answers("ecs").to("run_task", TASK_ON_THE_WIRE, {"tasks": [], "failures": failures})
    error = failure(stubbed.integrations, ECS, TASK)
    assert error.error == "AmazonECS.Unknown"
    told = json.loads(error.cause or "")
    assert told["Failures"] == [{"Arn": "arn:instance", "Reason": "RESOURCE:MEMORY"}]
    assert "SdkHttpMetadata" in told


def test_an_ecs_error_has_the_prefix_of_the_optimised_integration(stubbed: Stubbed) -> None:
    stubbed.answers("ecs").error("run_task", "InvalidParameterException", "no such subnet")
    assert failure(stubbed.integrations, ECS, TASK).error == "ECS.InvalidParameterException"


def test_an_ecs_task_is_stopped_with_its_task(stubbed: Stubbed) -> None:
    expected = {
        "cluster": "arn:cluster",
        "task": "arn:task",
        "reason": f"Stopped by the execution {EXECUTION}",
    }
    answers = stubbed.answers("ecs").to("stop_task", expected, {})
    started = {"Tasks": [{"TaskArn": "arn:task", "ClusterArn": "arn:cluster"}]}
    cancel(stubbed.integrations, ECS, TASK, started)
    answers.all_given()


# Amazon EMR Serverless

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


# AWS Batch, Amazon Athena, AWS CodeBuild

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


# Child executions that ministack's own engine does not bring about

CHILD = {"StateMachineArn": "arn:aws:states:eu-central-1:123456789012:stateMachine:m"}


def described(**more: Any) -> dict[str, Any]:
    return {
        "executionArn": "arn:child",
        "stateMachineArn": CHILD["StateMachineArn"],
        "name": "n",
        "startDate": STARTED,
        "input": '{"a":1}',
        "inputDetails": {"included": True},
        "redriveCount": 0,
        "redriveStatus": "REDRIVABLE",
        **more,
    }


def test_a_child_that_timed_out_has_the_error_and_no_cause(stubbed: Stubbed) -> None:
    answers = stubbed.answers("stepfunctions")
    wire = {"stateMachineArn": CHILD["StateMachineArn"], "input": "{}"}
    answers.to("start_execution", wire, {"executionArn": "arn:child", "startDate": STARTED})
    ended = described(status="TIMED_OUT", stopDate=STARTED)
    answers.to("describe_execution", {"executionArn": "arn:child"}, ended)
    error = ends_badly(stubbed.integrations, "states:startExecution.sync", CHILD)
    assert error.error == "States.TaskFailed"
    told = json.loads(error.cause or "")
    assert (told["Error"], "Cause" in told, told["Input"]) == ("States.Timeout", False, '{"a":1}')
    assert "RedriveCount" not in told
    assert "RedriveStatus" not in told
    assert list(told) == sorted(told)


# Answers of Lambda and EventBridge that no real function or bus gives at will

INVOKE = {"FunctionName": "f", "Payload": b"{}"}


def body(text: str) -> Any:
    import io

    from botocore.response import StreamingBody

    return StreamingBody(io.BytesIO(text.encode()), len(text.encode()))


def test_a_function_that_dies_without_an_error_type_is_unknown(stubbed: Stubbed) -> None:
    told = '{"errorMessage":"2026-11-21T05:00:00Z 1 Task timed out after 3.00 seconds"}'
    answer = {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": body(told)}
    stubbed.answers("lambda").to("invoke", INVOKE, answer)
    error = failure(stubbed.integrations, "lambda:invoke", {"FunctionName": "f"})
    assert error.error == "Lambda.Unknown"
    assert error.cause == (
        "The cause could not be determined because Lambda did not return an error type."
        f" Returned payload: {told}"
    )


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("TooManyRequestsException", "Lambda.TooManyRequestsException"),
        ("ServiceException", "Lambda.ServiceException"),
        ("InvalidParameterValueException", "Lambda.InvalidParameterValueException"),
        ("ResourceConflictException", "Lambda.ResourceConflictException"),
        ("ExpiredTokenException", "Lambda.AWSLambdaException"),
    ],
)
def test_errors_of_lambda_itself_can_be_caught_by_name(
    stubbed: Stubbed, code: str, name: str
) -> None:
    stubbed.answers("lambda").error("invoke", code, "Rate Exceeded.", status=429)
    error = failure(stubbed.integrations, "lambda:invoke", {"FunctionName": "f"})
    assert error.error == name
    assert error.cause == (
        f"Rate Exceeded. (Service: AWSLambda; Status Code: 429; Error Code: {code};"
        " Request ID: request-1; Proxy: null)"
    )


def test_a_function_that_returns_no_json_gives_its_text(stubbed: Stubbed) -> None:
    stubbed.answers("lambda").to("invoke", INVOKE, {"StatusCode": 200, "Payload": body("plain")})
    result = start(stubbed.integrations, "lambda:invoke", {"FunctionName": "f"})
    assert result["Payload"] == "plain"


def test_an_event_that_the_bus_refuses_fails_the_task_with_the_whole_answer(
    stubbed: Stubbed,
) -> None:
    entry = {"Source": "s", "DetailType": "t", "Detail": "{}"}
    machine = "arn:aws:states:eu-central-1:123456789012:stateMachine:parent"
    wire = {"Entries": [{**entry, "Resources": [EXECUTION, machine]}]}
    entries = [{"ErrorCode": "InternalFailure", "ErrorMessage": "later"}]
    answer = {"FailedEntryCount": 1, "Entries": entries}
    stubbed.answers("events").to("put_events", wire, answer)
    error = failure(stubbed.integrations, "events:putEvents", {"Entries": [entry]})
    assert error.error == "EventBridge.FailedEntry"
    assert error.cause == (
        '{"Entries":[{"ErrorCode":"InternalFailure","ErrorMessage":"later"}],"FailedEntryCount":1}'
    )


# Services that the platform reaches by aws-sdk only


def test_redshift_statements_have_the_names_of_java(stubbed: Stubbed) -> None:
    wire = {"WorkgroupName": "etl", "Database": "d", "Sqls": ["a", "b"], "ClientToken": "t"}
    answer = {"Id": "1", "CreatedAt": STARTED, "Database": "d"}
    stubbed.answers("redshift-data").to("batch_execute_statement", wire, answer)
    result = start(stubbed.integrations, "aws-sdk:redshiftdata:batchExecuteStatement", wire)
    assert result == {"CreatedAt": "2026-11-21T05:00:00.250Z", "Database": "d", "Id": "1"}


def test_redshift_errors_are_named_for_the_service(stubbed: Stubbed) -> None:
    answers = stubbed.answers("redshift-data")
    answers.error("execute_statement", "ActiveStatementsExceededException", "too many")
    arguments = {"Sql": "SELECT 1", "Database": "d", "WorkgroupName": "etl"}
    resource = "aws-sdk:redshiftdata:executeStatement"
    error = failure(stubbed.integrations, resource, arguments)
    assert error.error == "RedshiftData.ActiveStatementsExceededException"
    assert error.cause == (
        "too many (Service: RedshiftData, Status Code: 400, Request ID: request-1)"
    )


def test_a_schedule_can_be_made(stubbed: Stubbed) -> None:
    wire = {
        "Name": "n",
        "ScheduleExpression": "at(2026-11-21T05:00:00)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ClientToken": "t",
        "Target": {"Arn": "a", "RoleArn": "r", "Input": '{"a":1}'},
    }
    stubbed.answers("scheduler").to("create_schedule", wire, {"ScheduleArn": "arn:s"})
    given = {**wire, "Target": {**wire["Target"], "Input": {"a": 1}}}  # type: ignore[dict-item]
    result = start(stubbed.integrations, "aws-sdk:scheduler:createSchedule", given)
    assert result == {"ScheduleArn": "arn:s"}
