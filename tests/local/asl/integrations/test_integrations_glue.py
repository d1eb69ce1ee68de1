"""Glue jobs, and what all jobs that `.sync` waits for have in common."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.local.asl.integrations.calls import (
    MILLISECONDS,
    STARTED,
    call,
    cancel,
    ends_badly,
    failure,
    run,
    start,
    to_the_end,
    without_metadata,
)
from tests.local.asl.integrations.conftest import Stubbed

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
