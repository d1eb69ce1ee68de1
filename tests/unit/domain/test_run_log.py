"""The run log: what Redshift is sent, tried on DuckDB and against the API's own model."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import botocore.session
import duckdb
import pytest
from botocore.validate import ParamValidator

from penstock.domain.figures import Figures
from penstock.domain.job_record import JobRecord
from penstock.domain.messages import LogStatement
from penstock.domain.outcome import Outcome, Verdict
from penstock.domain.redshift import Redshift
from penstock.domain.run_log import RunLog, run_log
from penstock.domain.run_record import RunRecord

WORKGROUP = Redshift("penstock", "", "dev", "arn:aws:secretsmanager:eu-central-1:1:secret:x", "")
CLUSTER = Redshift("", "cluster-1", "dev", "", "")
RUN = RunRecord(
    job_id="20261121T050002Z-7b0f7c1e-3f0a-4b6e-9d55-0c2f6f1f6a11",
    category="Daily_Covid",
    logical_date="2026-11-21",
    trigger="schedule",
    execution_arn="arn:execution",
    started_at="2026-11-21T05:00:02.120Z",
    planned=2,
    ended_at="2026-11-21T05:12:05.120Z",
    verdict=Verdict.PARTIAL,
)


def job(name: str, outcome: Outcome = Outcome.SUCCEEDED, **changes: Any) -> JobRecord:
    record = JobRecord(RUN.job_id, name, "spark", "Daily_Covid", "2026-11-21", outcome)
    return replace(record, **changes)


JOBS = [
    job(
        "Extract",
        figures=Figures(10, 9, 1, 0, 2048, 41.5, 2.59375),
        started_at="2026-11-21T05:00:10.000Z",
        ended_at="2026-11-21T05:01:00.000Z",
    ),
    job("Load", Outcome.FAILED, error="E|x", cause='it\'s "bad" | :x $y\n\tline 2'),
    job("Skipped", Outcome.SKIPPED, cause="not due"),
]


@pytest.fixture
def redshift() -> Any:
    with duckdb.connect() as connection:
        yield connection


def run(connection: Any, statement: LogStatement) -> None:
    values = {parameter["Name"]: parameter["Value"] for parameter in statement["Parameters"]}
    for sql in statement["Sqls"]:
        used = set(re.findall(r":(\w+)", sql))
        named = re.sub(r":(\w+)", r"$\1", sql)
        connection.execute(named, {name: values[name] for name in used})


def rows(connection: Any, table: str, columns: str) -> list[Any]:
    return list(connection.execute(f"SELECT {columns} FROM etl.{table} ORDER BY ALL").fetchall())


def statement_of(
    *runs: tuple[RunRecord, Iterable[JobRecord]], redshift: Redshift = WORKGROUP
) -> LogStatement:
    return log_of(*runs, redshift=redshift).statement


def log_of(*runs: tuple[RunRecord, Iterable[JobRecord]], redshift: Redshift = WORKGROUP) -> RunLog:
    return run_log(redshift, "dev", "data", [(r, list(jobs)) for r, jobs in runs])


def test_a_run_and_its_jobs_are_rows_with_every_type_in_its_place(redshift: Any) -> None:
    run(redshift, statement_of((RUN, JOBS)))
    columns = "job_id, logical_date, verdict, started_at, seconds, jobs_planned, jobs_succeeded"
    assert rows(redshift, "run_log", columns) == [
        (
            RUN.job_id,
            date(2026, 11, 21),
            "PARTIAL",
            datetime(2026, 11, 21, 5, 0, 2, 120_000),  # noqa: DTZ001 - TIMESTAMP has no zone
            723.0,
            2,
            1,
        )
    ]
    columns = "jobs_failed, jobs_blocked, jobs_skipped, jobs_invalid, rows_read, rows_rejected"
    assert rows(redshift, "run_log", columns) == [(1, 0, 1, 0, 10, 1)]
    columns = "job_name, outcome, seconds, rows_read, bytes, dpu_seconds, error, cause"
    assert rows(redshift, "job_log", columns) == [
        ("Extract", "SUCCEEDED", 41.5, 10, 2048, 2.59375, None, None),
        ("Load", "FAILED", None, None, None, None, "E/x", 'it\'s "bad" / :x $y line 2'),
        ("Skipped", "SKIPPED", None, None, None, None, None, "not due"),
    ]


def test_logging_a_run_again_replaces_it(redshift: Any) -> None:
    run(redshift, statement_of((RUN, JOBS)))
    run(redshift, statement_of((replace(RUN, verdict=Verdict.SUCCEEDED), JOBS[:1])))
    assert rows(redshift, "run_log", "verdict") == [("SUCCEEDED",)]
    assert rows(redshift, "job_log", "job_name") == [("Extract",)]


def test_runs_that_were_not_logged_are_logged_with_the_next(redshift: Any) -> None:
    earlier = replace(RUN, job_id="20261120T050000Z-1", logical_date="2026-11-20")
    earlier_job = replace(JOBS[0], job_id=earlier.job_id)
    run(redshift, statement_of((RUN, JOBS), (earlier, [earlier_job])))
    assert rows(redshift, "run_log", "job_id") == [(earlier.job_id,), (RUN.job_id,)]
    assert len(rows(redshift, "job_log", "job_name")) == 4


def test_a_run_that_could_not_even_be_planned_is_logged(redshift: Any) -> None:
    unplanned = RunRecord("j", started_at=RUN.started_at, verdict=Verdict.FAILED)
    run(redshift, statement_of((unplanned, [])))
    assert rows(redshift, "run_log", "job_id, verdict, category, rows_read, logical_date") == [
        ("j", "FAILED", None, None, None)
    ]


@pytest.mark.parametrize("connection", [WORKGROUP, CLUSTER])
def test_the_statement_is_one_that_the_data_api_accepts(connection: Redshift) -> None:
    statement: Any = statement_of((RUN, JOBS), redshift=connection)
    model = botocore.session.get_session().get_service_model("redshift-data")
    shape: Any = model.operation_model("BatchExecuteStatement").input_shape
    parameters = [
        {"name": parameter["Name"], "value": parameter["Value"]}
        for parameter in statement["Parameters"]
    ]
    report = ParamValidator().validate({**statement, "Parameters": parameters}, shape)
    assert not report.has_errors(), report.generate_report()
    assert len(statement["ClientToken"]) <= 64
    assert len(statement["Sqls"]) <= 40


def test_every_parameter_is_used_and_none_is_empty_or_missing() -> None:
    statement = statement_of((RUN, JOBS), (replace(RUN, job_id="other"), []))
    names = [parameter["Name"] for parameter in statement["Parameters"]]
    used = {name for sql in statement["Sqls"] for name in re.findall(r":(\w+)", sql)}
    assert used == set(names)
    assert len(names) == len(set(names))
    assert all(parameter["Value"] for parameter in statement["Parameters"])


def test_a_workgroup_and_a_cluster_are_named_as_the_api_names_them() -> None:
    statement = statement_of((RUN, []))
    assert (statement["WorkgroupName"], statement["Database"]) == ("penstock", "dev")
    assert statement["SecretArn"] == WORKGROUP.secret_arn
    cluster = statement_of((RUN, []), redshift=CLUSTER)
    assert cluster["ClusterIdentifier"] == "cluster-1"
    assert not {"WorkgroupName", "SecretArn"} & cluster.keys()


def test_a_huge_run_is_copied_from_a_file_where_redshift_has_a_role_for_that() -> None:
    redshift = replace(WORKGROUP, copy_role_arn="arn:aws:iam::1:role/copy")
    jobs = [*JOBS, *(job(f"good{number:05}") for number in range(10_000))]
    log = log_of((RUN, jobs), redshift=redshift)
    assert (log.missing, log.key) == (0, f"runs/{RUN.job_id}/job_log.txt")
    assert log.statement["Sqls"][-1].endswith(
        f" FROM 's3://data/runs/{RUN.job_id}/job_log.txt' IAM_ROLE 'arn:aws:iam::1:role/copy' "
        "DELIMITER '|' TIMEFORMAT 'auto' EMPTYASNULL"
    )
    assert [len(line.split("|")) for line in log.content.decode().splitlines()] == [19] * 10_003
    small = log_of((RUN, JOBS), redshift=redshift)
    assert (small.key, small.content) == ("", b"")


def test_a_huge_run_fits_and_keeps_the_failures(redshift: Any) -> None:
    good = [job(f"good{number:05}") for number in range(10_000)]
    bad = [job(f"bad{number}", Outcome.FAILED, cause="ü" * 2_000) for number in range(30)]
    log = log_of((RUN, [*good, *bad]))
    statement, left = log.statement, log.missing
    assert left > 0
    assert log.key == ""
    assert len(str(statement).encode()) < 150_000
    assert all(len(sql.encode()) < 100_000 for sql in statement["Sqls"])
    run(redshift, statement)
    logged = [name for (name,) in rows(redshift, "job_log", "job_name")]
    assert len(logged) == 10_030 - left
    assert {f"bad{number}" for number in range(30)} <= set(logged)
