"""The functions one after another, as the state machine calls them."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from tests.unit.conftest import BUCKET
from tests.unit.handlers.conftest import CONTEXT, House, event

from penstock.domain.errors import (
    AwsBusyError,
    InvalidRequestError,
    JobNotSucceededError,
    UnknownCategoryError,
    UnknownJobError,
)
from penstock.domain.outcome import Outcome, Progress
from penstock.handlers.function import function, logger

JOB_ID = event("plan_run")["job_id"]
NAME = "Extract_Covid"
GLUE = event("settle_job")["result"]


def arrive(house: House, name: str, job_id: str = JOB_ID) -> None:
    request = event("await_turn") | {"job_id": job_id, "job_name": name, "task_token": name}
    house.call("await_turn", request)


def settle(house: House, name: str, job_id: str = JOB_ID, **result: Any) -> Any:
    request = {"job_id": job_id, "job_name": name, "attempt": 1}
    return house.call("settle_job", request | {"result": GLUE | result})


def close(house: House, **changes: Any) -> Any:
    return house.call("close_run", event("close_run") | changes)


def next_day(number: int) -> dict[str, Any]:
    request: dict[str, Any] = event("plan_run")
    job_id = f"202611{21 + number}T050002Z-0000"
    return request | {
        "job_id": job_id,
        "input": {"category": "Daily_Covid", "logical_date": f"2026-11-{21 + number}"},
    }


def test_the_sample_events_are_one_good_run(house: House) -> None:
    house.apply({"JobName": NAME})
    made = house.call("generate_job_id", event("generate_job_id"))
    assert re.fullmatch(r"20261121T050002Z-[0-9a-f-]{36}", made["job_id"])
    assert made["started_at"] == "2026-11-21T05:00:02.120Z"

    planned = house.call("plan_run", event("plan_run"))
    assert planned == {
        "job_id": JOB_ID,
        "category": "Daily_Covid",
        "logical_date": "2026-11-21",
        "plan_bucket": BUCKET,
        "plan_key": f"runs/{JOB_ID}/plan.jsonl",
        "counts": {"planned": 1, "left_out": 0, "invalid": 0},
        "lane": "live",
        "duplicate_of": None,
    }
    line = json.loads(house.read(planned["plan_key"]))
    assert (line["job_name"], line["turn_timeout_seconds"]) == (NAME, 86_400)
    assert house.job(JOB_ID, NAME).state is Progress.PLANNED

    house.call("await_turn", event("await_turn"))
    assert house.children.granted == [event("await_turn")["task_token"]]

    key = line["arguments"]["--result_path"].removeprefix(f"s3://{BUCKET}/")
    house.s3.put_object(Bucket=BUCKET, Key=key, Body=b'{"rows_read": 5, "rows_written": 4}')
    assert house.call("settle_job", event("settle_job")) == {"outcome": "SUCCEEDED"}
    job = house.job(JOB_ID, NAME)
    assert (job.figures.rows_written, job.figures.dpu_seconds) == (4, 41 * 0.0625)
    (row,) = house.control.rows()
    assert (row["StatusFlag"], row["LastJobId"], row["LastSeconds"]) == ("SUCCEEDED", JOB_ID, 41)

    closed = house.call("close_run", event("close_run"))
    assert closed["verdict"] == "SUCCEEDED"
    assert closed["subject"] == (
        "Penstock SUCCEEDED: Daily_Covid 2026-11-21 (1 of 1 jobs succeeded)"
    )
    assert closed["log_statement"] is None
    assert house.messages() == []
    run = house.runs.run(JOB_ID)
    assert run
    assert (run.verdict, run.trigger, run.outcomes) == ("SUCCEEDED", "schedule", {"SUCCEEDED": 1})


def test_a_failed_job_is_kept_for_the_next_run_which_makes_up_for_it(house: House) -> None:
    house.apply({"JobName": NAME, "RunCondition": "SATURDAY"}, {"JobName": "Always"})
    house.call("plan_run", event("plan_run"))
    arrive(house, NAME)
    answer = house.call("settle_job", event("settle_failed_job"))
    cause = "RowsRejectedError: more than half of the rows were rejected"
    assert answer == {"outcome": "FAILED", "error": "States.TaskFailed", "cause": cause}
    (message,) = house.messages()
    assert (message["kind"], message["job_name"], message["times"]) == ("job", NAME, 1)
    assert message["cause"] == cause
    assert close(house)["verdict"] == "FAILED"
    assert {m["job_name"] for m in house.messages()} == {NAME, "Always"}

    sunday = next_day(1)
    planned = house.call("plan_run", sunday)
    assert planned["counts"] == {"planned": 2, "left_out": 0, "invalid": 0}
    assert house.messages() == []
    assert house.job(sunday["job_id"], NAME).failed_before == 1


def test_messages_leave_the_queue_only_when_the_plan_is_stored(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.apply({"JobName": NAME})
    failed = {"kind": "job", "category": "Daily_Covid", "job_name": NAME, "job_id": "20261120"}
    house.send(failed)
    from penstock.handlers import plan_run

    def die(*_: Any) -> None:
        raise RuntimeError("the Lambda died")

    monkeypatch.setattr(plan_run.parts.runs, "create_jobs", die)
    with pytest.raises(RuntimeError):
        house.call("plan_run", event("plan_run"))
    monkeypatch.undo()
    hidden = house.sqs.get_queue_attributes(
        QueueUrl=house.queue_url, AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
    )
    assert hidden["Attributes"]["ApproximateNumberOfMessagesNotVisible"] == "1"


def test_planning_a_run_again_gives_the_same_plan_even_if_the_rows_have_changed(
    house: House,
) -> None:
    house.apply({"JobName": NAME})
    first = house.call("plan_run", event("plan_run"))
    arrive(house, NAME)
    house.apply({"JobName": "New"}, {"JobName": NAME, "SkipFlag": True})
    assert house.call("plan_run", event("plan_run")) == first
    assert [job.job_name for job in house.runs.jobs_of(JOB_ID)] == [NAME]
    assert house.job(JOB_ID, NAME).state is Progress.RUNNING


def test_messages_of_other_categories_stay_visible(house: House) -> None:
    house.apply({"JobName": NAME})
    house.send({"kind": "job", "category": "Weekly", "job_name": "x", "job_id": "1"})
    house.call("plan_run", event("plan_run"))
    assert [message["category"] for message in house.messages()] == ["Weekly"]


def test_a_calendar_keeps_a_job_from_running_on_a_holiday(house: House) -> None:
    house.apply({"JobName": NAME, "RunCondition": "ALL_DAYS EXCEPT Holidays"})
    house.dynamodb.put_item(
        TableName="control",
        Item={"JobName": {"S": "CALENDAR#Holidays"}, "Dates": {"L": [{"S": "2026-11-21"}]}},
    )
    planned = house.call("plan_run", event("plan_run"))
    assert planned["counts"] == {"planned": 0, "left_out": 1, "invalid": 0}
    assert house.read(planned["plan_key"]) == ""
    assert close(house)["verdict"] == "SUCCEEDED"


def test_the_day_is_that_of_the_settings_zone_unless_the_rows_agree_on_another(
    house: House,
) -> None:
    late = event("plan_run")
    late["input"]["scheduled_time"] = "2026-11-21T23:30:00Z"
    house.apply({"JobName": NAME})
    assert house.call("plan_run", late)["logical_date"] == "2026-11-22"
    house.apply({"JobName": NAME, "TimeZone": "UTC"})
    assert house.call("plan_run", late | {"job_id": "other"})["logical_date"] == "2026-11-21"


def test_an_unknown_category_and_a_bad_day_are_errors_by_name(house: House) -> None:
    with pytest.raises(UnknownCategoryError):
        house.call("plan_run", event("plan_run"))
    house.apply({"JobName": NAME})
    bad = event("plan_run") | {"input": {"category": "Daily_Covid", "logical_date": "soon"}}
    with pytest.raises(InvalidRequestError, match="logical_date: 'soon' is no date"):
        house.call("plan_run", bad)


def test_a_dag_runs_as_its_dependencies_allow_and_a_failure_blocks_what_is_below(
    house: House,
) -> None:
    house.apply(
        {"JobName": "extract"},
        {"JobName": "left", "DependsOn": ["extract"]},
        {"JobName": "right", "DependsOn": ["extract"]},
        {"JobName": "load", "DependsOn": ["left", "right"]},
        {"JobName": "beside"},
    )
    house.call("plan_run", event("plan_run"))
    for name in ("load", "left", "right", "extract", "beside"):
        arrive(house, name)
    assert house.children.granted == ["extract", "beside"]
    settle(house, "extract")
    assert len(house.children.granted) == 3
    settle(house, "beside")
    assert sorted(house.children.granted) == ["beside", "extract", "left", "right"]
    with pytest.raises(JobNotSucceededError, match="the Glue run ended as STOPPED"):
        settle(house, "left", JobRunState="STOPPED")
    assert house.children.refused == {"load": "JobBlocked: upstream left did not succeed"}
    settle(house, "right")
    blocked = {"state": "Await Turn", "error": "JobBlocked", "cause": "upstream left …"}
    answer = house.call(
        "settle_job", {"job_id": JOB_ID, "job_name": "load", "attempt": 1, "failure": blocked}
    )
    assert answer["outcome"] == "BLOCKED"
    outcomes = {job.job_name: job.outcome for job in house.runs.jobs_of(JOB_ID)}
    assert outcomes["left"] is Outcome.ABORTED
    closed = close(house)
    assert closed["verdict"] == "PARTIAL"
    assert "left (python_shell) ABORTED" in closed["digest"]
    assert "so these were blocked: load" in closed["digest"]
    assert sorted(m["job_name"] for m in house.messages()) == ["left", "load"]
    assert house.pools.pool("default").holders == frozenset()


def test_jobs_queue_for_a_full_pool_and_each_gets_its_turn(house: House) -> None:
    names = [f"job{number}" for number in range(6)]
    house.apply(*({"JobName": name} for name in names))
    house.call("plan_run", event("plan_run"))
    for name in names:
        arrive(house, name)
    assert house.children.granted == ["job0", "job1"]
    done: list[str] = []
    while len(done) < len(names):
        name = next(name for name in house.children.granted if name not in done)
        settle(house, name)
        done.append(name)
    assert sorted(house.children.granted) == names
    assert len(house.children.granted) == 6
    assert list(house.pools.queue("default", 10)) == []


def test_settling_again_tells_the_same_and_does_it_all_again(house: House) -> None:
    house.apply({"JobName": NAME})
    house.call("plan_run", event("plan_run"))
    arrive(house, NAME)
    first = house.call("settle_job", event("settle_failed_job"))
    assert house.call("settle_job", event("settle_failed_job")) == first
    with pytest.raises(JobNotSucceededError):
        settle(house, NAME)
    assert house.job(JOB_ID, NAME).outcome is Outcome.FAILED


def test_a_malformed_result_file_is_told_in_the_digest(house: House) -> None:
    house.apply({"JobName": NAME})
    house.call("plan_run", event("plan_run"))
    arrive(house, NAME)
    key = f"runs/{JOB_ID}/jobs/{NAME}/1/result.json"
    house.s3.put_object(Bucket=BUCKET, Key=key, Body=b"rows: 5")
    assert settle(house, NAME) == {"outcome": "SUCCEEDED"}
    assert f"{NAME}: result.json is no JSON" in close(house)["digest"]


def test_a_job_that_is_not_in_the_run_is_an_error_by_name(house: House) -> None:
    with pytest.raises(UnknownJobError):
        house.call("await_turn", event("await_turn"))
    with pytest.raises(UnknownJobError):
        house.call("settle_job", event("settle_job"))
    with pytest.raises(InvalidRequestError):
        house.call("settle_job", {"job_id": JOB_ID, "job_name": NAME, "attempt": 1})


def test_a_stopped_run_is_closed_with_an_outcome_for_every_job(house: House) -> None:
    house.apply(
        {"JobName": "running"}, {"JobName": "below", "DependsOn": ["running"]}, {"JobName": "never"}
    )
    house.call("plan_run", event("plan_run"))
    arrive(house, "running")
    failure = {"state": "Run Jobs", "error": "States.ResultWriterFailed", "cause": "denied"}
    closed = close(house, failure=failure)
    assert closed["verdict"] == "FAILED"
    assert "Run Jobs: States.ResultWriterFailed: denied" in closed["digest"]
    outcomes = {job.job_name: job.outcome for job in house.runs.jobs_of(JOB_ID)}
    assert outcomes == {"running": "ABORTED", "below": "BLOCKED", "never": "ABORTED"}
    assert house.pools.pool("default").holders == frozenset()
    assert {m["job_name"] for m in house.messages()} == {"running", "below", "never"}
    assert {row["StatusFlag"] for row in house.control.rows()} == {"ABORTED", "BLOCKED"}
    assert close(house, failure=failure)["digest"] == closed["digest"]


def test_a_run_that_could_not_be_planned_is_closed_as_failed(house: House) -> None:
    request = {
        "job_id": JOB_ID,
        "started_at": "2026-11-21T05:00:02.120Z",
        "execution_arn": "arn:execution",
        "input": {"category": "Nobody"},
        "failure": {
            "state": "Plan Run",
            "error": "UnknownCategoryError",
            "cause": '{"errorMessage":"no row of the control table","errorType":"x"}',
        },
    }
    closed = house.call("close_run", request)
    assert closed["verdict"] == "FAILED"
    assert closed["subject"] == "Penstock FAILED: Nobody"
    assert "Plan Run: UnknownCategoryError: no row of the control table" in closed["digest"]
    run = house.runs.run(JOB_ID)
    assert run
    assert (run.verdict, run.category) == ("FAILED", "Nobody")


def test_a_run_that_was_not_logged_is_logged_with_the_next(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDSHIFT_WORKGROUP", "penstock")
    house.apply({"JobName": NAME})
    house.call("plan_run", event("plan_run"))
    arrive(house, NAME)
    settle(house, NAME)
    statement = close(house)["log_statement"]
    assert statement["WorkgroupName"] == "penstock"
    house.send({"kind": "run_log", "job_id": JOB_ID, "statement": statement})

    sunday = next_day(1)
    house.call("plan_run", sunday)
    assert house.messages() == []
    house.call("plan_run", sunday)
    statement = close(house, job_id=sunday["job_id"])["log_statement"]
    values = [parameter["Value"] for parameter in statement["Parameters"]]
    assert {JOB_ID, sunday["job_id"]} <= set(values)


def client_error(code: str, status: int) -> ClientError:
    answer: Any = {
        "Error": {"Code": code, "Message": "oh"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, "UpdateItem")


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (EndpointConnectionError(endpoint_url="x"), AwsBusyError),
        (client_error("ThrottlingException", 400), AwsBusyError),
        (client_error("InternalServerError", 500), AwsBusyError),
        (client_error("AccessDeniedException", 400), ClientError),
    ],
)
def test_an_aws_that_may_work_later_has_a_name_that_can_be_retried(
    error: Exception, raised: type[Exception]
) -> None:
    @function
    def handler(event: dict[str, Any]) -> None:
        raise error

    with pytest.raises(raised):
        handler({}, CONTEXT)


def test_every_log_line_names_the_run(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", stream)
    house.apply({"JobName": NAME})
    house.call("plan_run", event("plan_run"))
    arrive(house, NAME)
    settle(house, NAME)
    close(house)
    logged = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["message"] for line in logged] == [
        "run planned",
        "job arrived",
        "job settled",
        "run closed",
    ]
    assert {line["job_id"] for line in logged} == {JOB_ID}


def test_outcomes_are_measured_under_the_category(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    house.apply({"JobName": NAME})
    house.call("plan_run", event("plan_run"))
    arrive(house, NAME)
    settle(house, NAME)
    close(house)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line]
    measured = [line for line in lines if "_aws" in line]
    assert {line["Category"] for line in measured} == {"Daily_Covid"}
    names = {name for line in measured for name in line if name[0].isupper()} - {"Category"}
    assert names == {
        "JobsPlanned",
        "JobsLeftOut",
        "JobsInvalid",
        "JobsSucceeded",
        "JobSeconds",
        "DpuSeconds",
        "Dollars",
        "RunsSucceeded",
    }
