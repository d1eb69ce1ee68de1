"""What the task of a job is given, by the type of the job."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from penstock.domain.placeholder import ReservedArgumentError, UnknownPlaceholderError
from penstock.domain.redshift import Redshift
from penstock.domain.row_reader import BadValueError
from penstock.domain.task_arguments import JobTask, start_token, task_arguments

CONTRACT = {
    "--job_id": "J1",
    "--job_name": "tidy",
    "--logical_date": "2026-11-21",
    "--attempt": "2",
}
VALUES = {"logical_date": "2026-11-21", "stack": "penstock-dev"}
REDSHIFT = Redshift("analytics", "", "dev", "arn:secret", "")
TOKEN = start_token("J1", "tidy", 2)


def arguments_of(
    job_type: str, stated: dict[str, Any], *, target: str = "x", minutes: int = 10, **more: Any
) -> Any:
    task = JobTask(job_type, target, stated, minutes, **more)
    return task_arguments(task, CONTRACT, VALUES, TOKEN, REDSHIFT)


@pytest.mark.parametrize("job_type", ["python_shell", "spark"])
def test_a_glue_job_is_given_a_map_of_texts(job_type: str) -> None:
    assert arguments_of(job_type, {"limit": 5, "day": "{logical_date}"}) == {
        **CONTRACT,
        "--limit": "5",
        "--day": "2026-11-21",
    }


def test_a_container_is_given_the_same_as_a_command_line() -> None:
    assert arguments_of("ecs", {"mode": "full"})[-4:] == ["--attempt", "2", "--mode", "full"]


@pytest.mark.parametrize("job_type", ["lambda", "state_machine"])
def test_a_function_and_a_state_machine_are_given_json_with_its_types(job_type: str) -> None:
    stated = {
        "--limit": 5,
        "days": ["{logical_date}"],
        "on": dt.date(2026, 1, 2),
        "deep": {"a": 1.5},
    }
    assert arguments_of(job_type, stated) == {
        "job_id": "J1",
        "job_name": "tidy",
        "logical_date": "2026-11-21",
        "attempt": 2,
        "arguments": {"limit": 5, "days": ["2026-11-21"], "on": "2026-01-02", "deep": {"a": 1.5}},
    }


def test_an_emr_job_is_given_arguments_workers_and_its_own_options() -> None:
    given = arguments_of(
        *("emr", {"mode": "full", "spark_submit_parameters": "--conf spark.a={stack}"}),
        worker_type="G.2X",
        number_of_workers=4,
    )
    assert given["EntryPointArguments"][-2:] == ["--mode", "full"]
    assert given["SparkSubmitParameters"] == (
        "--conf spark.executor.cores=8 --conf spark.executor.memory=28g"
        " --conf spark.dynamicAllocation.enabled=false --conf spark.executor.instances=4"
        " --conf spark.a=penstock-dev"
    )


def test_an_emr_job_whose_row_says_nothing_of_workers_leaves_them_to_the_application() -> None:
    assert list(arguments_of("emr", {})) == ["EntryPointArguments"]


def test_a_redshift_job_is_one_request_with_the_parameters_that_its_statements_name() -> None:
    statements = [
        "DELETE FROM t WHERE day = :day AND note <> ':unused' -- :neither",
        "INSERT INTO t SELECT :day::date, :job_id FROM {stack}_x WHERE a[1:2] = 'it''s'",
    ]
    stated = {"statements": statements, "day": "{logical_date}", "unused": "1"}
    assert arguments_of("redshift_sql", stated, target="sales") == {
        "WorkgroupName": "analytics",
        "Database": "sales",
        "SecretArn": "arn:secret",
        "Sqls": [statements[0], statements[1].replace("{stack}", "penstock-dev")],
        "Parameters": [{"Name": "day", "Value": "2026-11-21"}, {"Name": "job_id", "Value": "J1"}],
        "ClientToken": TOKEN,
        "StatementName": "J1 tidy",
    }


def test_a_statement_may_be_written_as_one_text() -> None:
    assert arguments_of("redshift_sql", {"statements": "SELECT 1"})["Sqls"] == ["SELECT 1"]


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({}, "has a list of statements"),
        ({"statements": []}, "has a list of statements"),
        ({"statements": ["SELECT 1", " "]}, "empty or no text"),
        ({"statements": ["SELECT 1"] * 41}, "are 41, not 40"),
        ({"statements": ["x" * 100_001]}, "100001 bytes"),
        ({"statements": ["SELECT :day"]}, "use :day, which is no argument"),
        ({"statements": ["SELECT :day"], "day": ""}, "day is empty"),
    ],
)
def test_statements_that_redshift_would_refuse_are_refused(
    stated: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadValueError, match=message):
        arguments_of("redshift_sql", stated)


def test_a_stack_without_redshift_runs_no_statements() -> None:
    task = JobTask("redshift_sql", "dev", {"statements": ["SELECT 1"]}, 10)
    with pytest.raises(BadValueError, match="RedshiftWorkgroup"):
        task_arguments(task, CONTRACT, VALUES, TOKEN, None)


def test_more_time_than_the_service_gives_is_refused_but_the_default_is_not() -> None:
    arguments_of("lambda", {}, minutes=15)
    arguments_of("lambda", {}, minutes=480)
    with pytest.raises(BadValueError, match="15 minutes"):
        arguments_of("lambda", {}, minutes=16)
    with pytest.raises(BadValueError, match="1440 minutes"):
        arguments_of("redshift_sql", {"statements": ["SELECT 1"]}, minutes=1441)


def test_workers_that_emr_serverless_does_not_have_are_refused() -> None:
    with pytest.raises(BadValueError, match=r"one of G\.1X, G\.2X, G\.4X"):
        arguments_of("emr", {}, worker_type="G.8X")


@pytest.mark.parametrize("job_type", ["python_shell", "ecs", "emr", "redshift_sql"])
def test_arguments_of_penstock_are_not_set_by_rows(job_type: str) -> None:
    with pytest.raises(ReservedArgumentError):
        arguments_of(job_type, {"job_id": "J2", "statements": ["SELECT 1"]})


@pytest.mark.parametrize("job_type", ["lambda", "ecs", "emr", "redshift_sql"])
def test_an_unknown_placeholder_is_refused(job_type: str) -> None:
    with pytest.raises(UnknownPlaceholderError):
        arguments_of(job_type, {"statements": ["SELECT '{nothing}'"]})


def test_a_token_is_of_one_attempt_and_as_long_as_services_take_it() -> None:
    assert start_token("J1", "tidy", 2) == TOKEN
    assert len({start_token("J1", "tidy", 3), start_token("J2", "tidy", 2), TOKEN}) == 3
    assert len(TOKEN) == 64
