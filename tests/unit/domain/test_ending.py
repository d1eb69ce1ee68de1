"""How a job ended, out of what Step Functions and the services say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from penstock.domain.ending import ending_of_failure, ending_of_result, message_of
from penstock.domain.figures import Figures
from penstock.domain.outcome import Outcome

GLUE_RUN = {
    "Id": "jr_1",
    "JobName": "penstock-load",
    "JobRunState": "SUCCEEDED",
    "ExecutionTime": 80,
    "MaxCapacity": 0.0625,
}
RESULT_FILE = b"""{"rows_read": 100, "rows_written": 97, "rows_rejected": 3, "rows_filtered": 0,
                   "bytes": 2048, "outputs": [{"name": "x"}]}"""


@pytest.mark.parametrize(
    ("result", "outcome", "cause"),
    [
        (GLUE_RUN, "SUCCEEDED", ""),
        (GLUE_RUN | {"JobRunState": "STOPPED"}, "ABORTED", "the Glue run ended as STOPPED"),
        (GLUE_RUN | {"JobRunState": "TIMEOUT"}, "TIMED_OUT", "the Glue run ended as TIMEOUT"),
        (GLUE_RUN | {"JobRunState": "FAILED", "ErrorMessage": "boom"}, "FAILED", "boom"),
        (GLUE_RUN | {"JobRunState": "ERROR"}, "FAILED", "the Glue run ended as ERROR"),
        (GLUE_RUN | {"JobRunState": "EXPIRED"}, "FAILED", "the Glue run ended as EXPIRED"),
        (GLUE_RUN | {"JobRunState": "RUNNING"}, "FAILED", "the Glue run ended as RUNNING"),
        ({"ApplicationId": "a", "State": "SUCCESS"}, "SUCCEEDED", ""),
        (
            {"JobRun": {"State": "CANCELLED", "StateDetails": "by Ann"}},
            "ABORTED",
            "by Ann",
        ),
        ({"JobRun": None}, "FAILED", "no JobRun"),
        ({"Containers": [{"Name": "main", "ExitCode": 0}]}, "SUCCEEDED", ""),
        (
            {"Containers": [{"Name": "main", "ExitCode": 137, "Reason": "OutOfMemory"}]},
            "FAILED",
            "container main ended with exit code 137: OutOfMemory",
        ),
        (
            {"Containers": [{"Name": "main"}], "StoppedReason": "no image"},
            "FAILED",
            "container main did not start: no image",
        ),
        (
            {"Containers": [{"Name": "m", "ExitCode": 143}], "StopCode": "UserInitiated"},
            "ABORTED",
            "container m ended with exit code 143",
        ),
        ({"StatusCode": 200, "Payload": {"rows_read": 5}}, "SUCCEEDED", ""),
        (
            {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": {"errorMessage": "no"}},
            "FAILED",
            "no",
        ),
        ({"Id": "s1", "Status": "FINISHED", "Duration": 2_000_000_000}, "SUCCEEDED", ""),
        ({"Id": "s1", "Status": "FAILED", "Error": "syntax"}, "FAILED", "syntax"),
        ({"Id": "s1", "Status": "ABORTED"}, "ABORTED", "it ended as ABORTED"),
        ({"ExecutionArn": "arn", "Status": "SUCCEEDED", "Output": {}}, "SUCCEEDED", ""),
        ({"ExecutionArn": "arn", "Status": "TIMED_OUT"}, "TIMED_OUT", "it ended as TIMED_OUT"),
        ({"Status": "whatever the user's own function answers"}, "SUCCEEDED", ""),
        (None, "SUCCEEDED", ""),
        ("text", "SUCCEEDED", ""),
    ],
)
def test_a_result_means_an_outcome(result: Any, outcome: str, cause: str) -> None:
    ending = ending_of_result(result, None)
    assert (ending.outcome, ending.cause) == (outcome, cause)
    assert bool(ending.error) == (outcome != "SUCCEEDED")


def test_the_figures_come_from_the_result_file_and_from_the_service() -> None:
    assert ending_of_result(GLUE_RUN, RESULT_FILE).figures == Figures(
        rows_read=100,
        rows_written=97,
        rows_rejected=3,
        rows_filtered=0,
        bytes=2048,
        seconds=80.0,
        dpu_seconds=5.0,
        dollars=5.0 / 3600 * 0.44,
    )


def test_dpu_seconds_are_glues_own_where_it_reports_them() -> None:
    figures = ending_of_result(GLUE_RUN | {"DPUSeconds": 7.5}, None).figures
    assert figures.dpu_seconds == 7.5


def test_a_job_without_a_result_file_has_unknown_counts() -> None:
    assert ending_of_result(GLUE_RUN, None).figures.rows_read is None


def test_a_lambda_job_may_answer_with_its_counts() -> None:
    result = {"StatusCode": 200, "Payload": {"rows_read": 5, "rows_written": 5.0, "note": "x"}}
    figures = ending_of_result(result, None).figures
    assert (figures.rows_read, figures.rows_written) == (5, 5)


@pytest.mark.parametrize(
    ("content", "problem", "rows_read"),
    [
        (b"not json", "result.json is no JSON", None),
        (b"\xff\xfe\x00", "result.json is no JSON", None),
        (b"[1, 2]", "result.json is no JSON object", None),
        (b'{"rows_read": 5, "bytes": "many"}', "bytes is 'many', no count", 5),
        (b'{"rows_read": -1}', "rows_read is -1, no count", None),
        (b'{"rows_read": true}', "rows_read is True, no count", None),
        (b'{"rows_read": 1.5}', "rows_read is 1.5, no count", None),
        (b'{"rows_read": NaN}', "rows_read is nan, no count", None),
        (b'{"rows_read": Infinity}', "rows_read is inf, no count", None),
    ],
)
def test_a_malformed_result_file_is_reported_but_the_outcome_stands(
    content: bytes, problem: str, rows_read: int | None
) -> None:
    ending = ending_of_result(GLUE_RUN, content)
    assert ending.outcome is Outcome.SUCCEEDED
    assert ending.error == "MalformedResultError"
    assert problem in ending.cause
    assert ending.figures.rows_read == rows_read


def test_a_malformed_result_file_does_not_hide_why_the_job_failed() -> None:
    ending = ending_of_result(GLUE_RUN | {"JobRunState": "FAILED", "ErrorMessage": "boom"}, b"{")
    assert (ending.outcome, ending.error) == (Outcome.FAILED, "JobNotSucceededError")
    assert ending.cause.startswith("boom; result.json is no JSON")


def failure(error: str | None, cause: Any = "", state: str = "Run Spark Job") -> Any:
    text = cause if isinstance(cause, str) or cause is None else json.dumps(cause)
    return {"state": state, "error": error, "cause": text}


@pytest.mark.parametrize(
    ("given", "outcome", "cause"),
    [
        (
            failure("States.TaskFailed", GLUE_RUN | {"JobRunState": "FAILED", "ErrorMessage": "b"}),
            "FAILED",
            "b",
        ),
        (
            failure("States.TaskFailed", GLUE_RUN | {"JobRunState": "TIMEOUT"}),
            "TIMED_OUT",
            "the Glue run ended as TIMEOUT",
        ),
        (
            failure("States.TaskFailed", GLUE_RUN | {"JobRunState": "STOPPED"}),
            "ABORTED",
            "the Glue run ended as STOPPED",
        ),
        (failure("States.Timeout"), "TIMED_OUT", "it did not end within the time allowed"),
        (failure("States.HeartbeatTimeout", None), "TIMED_OUT", "it did not end within"),
        (failure("States.Timeout", "", "Await Turn"), "TIMED_OUT", "its turn did not come within"),
        (
            failure("JobBlocked", "upstream a did not succeed", "Await Turn"),
            "BLOCKED",
            "upstream a did not succeed",
        ),
        (failure("JobBlocked", "said the job itself"), "FAILED", "said the job itself"),
        (failure("JobAlreadyEnded", "attempt 1", "Await Turn"), "ABORTED", "attempt 1"),
        (
            failure(
                "Glue.EntityNotFoundException",
                "Failed to start job run due to missing metadata (Service: AWSGlue; Status Code: "
                "400; Error Code: EntityNotFoundException; Request ID: 1; Proxy: null)",
            ),
            "FAILED",
            "Failed to start job run due to missing metadata",
        ),
        (
            failure("ValueError", {"errorMessage": "no such file", "errorType": "ValueError"}),
            "FAILED",
            "no such file",
        ),
        (
            failure(
                "States.TaskFailed",
                {"ExecutionArn": "arn", "Status": "FAILED", "Error": "E", "Cause": "because"},
            ),
            "FAILED",
            "E: because",
        ),
        (
            failure("States.TaskFailed", {"Containers": [{"Name": "m", "ExitCode": 1}]}),
            "FAILED",
            "container m ended with exit code 1",
        ),
        (
            failure("AwsBusyError", {"errorMessage": "slow"}, "Settle Job"),
            "FAILED",
            "the job ended, but its outcome was not recorded: slow",
        ),
        (failure("UnknownJobType", "No state runs it", "Choose Job Type"), "FAILED", "No state"),
        (failure("Some.Error", None), "FAILED", "Some.Error"),
        (failure(None, None), "FAILED", "Unknown"),
        (failure("States.TaskFailed", GLUE_RUN), "FAILED", "States.TaskFailed"),
    ],
)
def test_a_failure_means_an_outcome_with_a_cause_for_people(
    given: Any, outcome: str, cause: str
) -> None:
    ending = ending_of_failure(given)
    assert ending.outcome == outcome
    assert ending.cause.startswith(cause)


def test_the_message_is_found_in_json_that_step_functions_has_cut_off() -> None:
    cut = json.dumps({"Arguments": {}, "ErrorMessage": 'no "x" in\nline 2', "Log": "…"})[:-5]
    assert message_of(cut) == 'no "x" in\nline 2'


def test_a_cause_is_never_longer_than_people_read() -> None:
    assert len(ending_of_failure(failure("E", "x" * 50_000)).cause) == 1_000


def test_a_job_that_failed_half_way_keeps_its_counts() -> None:
    ending = ending_of_failure(failure("States.Timeout"), RESULT_FILE)
    assert ending.figures.rows_read == 100
    assert ending_of_failure(failure("States.Timeout"), b"{").figures == Figures()


def test_the_warnings_of_a_job_that_went_well_stand_beside_its_success() -> None:
    content = json.dumps({"rows_written": 3, "warnings": ["a is odd: 2 records", "stale"]})

    ending = ending_of_result({}, content.encode())

    assert ending.outcome is Outcome.SUCCEEDED
    assert (ending.error, ending.cause) == ("JobWarned", "a is odd: 2 records; stale")
    assert ending_of_result({}, b'{"warnings": 7}').error == ""
