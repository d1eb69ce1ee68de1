"""Job runs are real Spark processes with the role's credentials, and end as on EMR Serverless."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import botocore.session
import psutil
import pytest
from botocore.exceptions import ClientError
from tests.local.emr_serverless.job_runs import JobRuns
from tests.local.running_platform import BUCKET, Platform, eventually

SPARK = """
    import json, sys
    import boto3
    from helper import shout
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.getOrCreate()
    place = f"s3://{sys.argv[2]}/emr/numbers"
    spark.range(100).write.parquet(place)
    report = {
        "argv": sys.argv[1:],
        "count": spark.read.parquet(place).count(),
        "who": boto3.client("sts").get_caller_identity()["Arn"],
        "partitions": spark.conf.get("spark.sql.shuffle.partitions"),
        "application": spark.conf.get("spark.app.name"),
        "shouted": shout("ok"),
    }
    print("counted", report["count"])
    boto3.client("s3").put_object(Bucket=sys.argv[2], Key="emr.json", Body=json.dumps(report))
"""
SLEEP = """
    import os, sys, time, boto3
    boto3.client("s3").put_object(Bucket=sys.argv[1], Key=sys.argv[2], Body=str(os.getpid()))
    time.sleep(60)
"""


@pytest.fixture(scope="session")
def observed(emr: JobRuns, platform: Platform) -> Any:
    """The one run of these tests that works with Spark, and the events of its way."""
    look = platform.events("aws.emr-serverless", "emr-events")
    helper = platform.put("lib/helper.py", "def shout(word):\n    return word.upper()\n")
    run_id = emr.start(
        SPARK,
        *("--bucket", BUCKET),
        name="count numbers",
        parameters=f"--conf spark.executor.cores=4 --conf spark.executor.instances=2"
        f" --executor-memory 14g --py-files {helper}",
        configurationOverrides={
            "applicationConfiguration": [
                {
                    "classification": "spark-defaults",
                    "properties": {"spark.sql.shuffle.partitions": "3"},
                }
            ]
        },
        tags={"team": "sales"},
    )
    run = emr.wait(run_id)
    assert run["state"] == "SUCCESS", (run, emr.log(run_id, "stderr"))
    states = eventually(
        lambda: [
            one["state"]
            for one in look()
            if one["jobRunId"] == run_id and any(each["state"] == "SUCCESS" for each in look())
        ]
    )
    return run, platform.read("emr.json"), states


def test_a_job_run_works_with_spark_and_s3_in_the_roles_name(observed: Any) -> None:
    run, report, _ = observed
    assert report == {
        "argv": ["--bucket", BUCKET],
        "count": 100,
        "who": report["who"],
        "partitions": "3",
        "application": "count numbers",
        "shouted": "OK",
    }
    assert ":assumed-role/job-role/" in report["who"]
    assert run["totalExecutionDurationSeconds"] >= 1


def test_a_job_run_has_exactly_the_members_of_the_service_model(observed: Any) -> None:
    run, _, _ = observed
    model = botocore.session.get_session().get_service_model("emr-serverless")
    shape = model.shape_for("JobRun")
    assert set(shape.required_members) <= run.keys() <= set(shape.members)
    assert (run["name"], run["mode"], run["attempt"]) == ("count numbers", "BATCH", 1)
    assert (run["tags"], run["executionTimeoutMinutes"]) == ({"team": "sales"}, 720)
    billed, seconds = run["billedResourceUtilization"], run["totalExecutionDurationSeconds"]
    assert billed["vCPUHour"] == pytest.approx(12 * seconds / 3600, rel=0.5)
    assert run["arn"].endswith(f":/applications/local/jobruns/{run['jobRunId']}")


def test_every_change_of_state_is_an_event(observed: Any) -> None:
    _, _, states = observed
    assert [s for s in states if s != "PENDING"] == ["SCHEDULED", "RUNNING", "SUCCESS"]


def test_what_a_job_run_writes_is_in_its_log(observed: Any, emr: JobRuns) -> None:
    run, _, _ = observed
    assert emr.log(run["jobRunId"], "stdout") == ["counted 100"]


def test_a_script_that_fails_says_why_in_its_details(emr: JobRuns) -> None:
    run = emr.wait(emr.start("raise ValueError('no such table: orders')"))
    assert run["state"] == "FAILED"
    assert "ExitCode: 1. Last few exceptions: ValueError: no such table" in run["stateDetails"]
    assert any("no such table" in line for line in emr.log(run["jobRunId"], "stderr"))


def test_a_failed_attempt_is_followed_by_as_many_as_the_retry_policy_allows(emr: JobRuns) -> None:
    run = emr.wait(emr.start("import sys; sys.exit(3)", retryPolicy={"maxAttempts": 2}))
    assert (run["state"], run["attempt"]) == ("FAILED", 2)
    assert "ExitCode: 3" in run["stateDetails"]


def test_a_cancelled_job_run_ends_with_all_that_it_started(
    emr: JobRuns, platform: Platform
) -> None:
    run_id = emr.start(SLEEP, BUCKET, "emr-cancel")
    eventually(lambda: emr.written("emr-cancel"), 60)
    tree = psutil.Process(platform.process.pid).children(recursive=True)
    assert any(process.name() == "java" for process in tree)

    emr.cancel(run_id)
    emr.cancel(run_id)

    assert emr.get(run_id)["state"] in ("CANCELLING", "CANCELLED")
    assert emr.wait(run_id)["state"] == "CANCELLED"
    _, alive = psutil.wait_procs(tree, timeout=5)
    assert alive == []
    assert not (platform.home / "emr-serverless" / run_id).exists()
    with pytest.raises(ClientError, match=r"ValidationException.*cannot be cancelled"):
        emr.cancel(run_id)


def test_a_job_run_that_takes_too_long_is_cancelled(emr: JobRuns) -> None:
    run = emr.wait(emr.start("import time; time.sleep(60)", executionTimeoutMinutes=1))
    assert run["state"] == "CANCELLED"
    assert "execution timeout of 1 min" in run["stateDetails"]


def test_a_job_run_without_a_slot_is_pending_and_can_be_cancelled(emr: JobRuns) -> None:
    first = emr.start("import time; time.sleep(60)")
    others = [emr.start("pass") for _ in range(2)]
    waiting = others[-1]
    try:
        assert emr.get(waiting)["state"] == "PENDING"
        assert "local slots for Spark jobs" in emr.get(waiting)["stateDetails"]
        emr.cancel(waiting)
        assert emr.get(waiting)["state"] == "CANCELLED"
    finally:
        for run_id in (first, others[0]):
            emr.cancel(run_id)
            emr.wait(run_id)


def test_the_same_token_is_the_same_job_run(emr: JobRuns, platform: Platform) -> None:
    submit = {"entryPoint": platform.put("scripts/token.py", "pass")}
    request = {
        "applicationId": "local",
        "executionRoleArn": platform.role,
        "jobDriver": {"sparkSubmit": submit},
        "clientToken": "one-token",
    }
    first = emr.api.start_job_run(**request)
    assert emr.api.start_job_run(**request)["jobRunId"] == first["jobRunId"]
    with pytest.raises(ClientError, match="ConflictException"):
        emr.api.start_job_run(**request | {"name": "another"})
    assert emr.wait(first["jobRunId"])["state"] == "SUCCESS"


@pytest.mark.parametrize(
    ("submit", "why"),
    [
        ({"entryPoint": f"s3://{BUCKET}/none.py"}, "none.py does not exist"),
        ({"entryPoint": "s3://b/job.jar"}, "Python scripts only"),
        ({"entryPoint": "s3://b/x.py", "sparkSubmitParameters": "--turbo on"}, "--turbo"),
        ({"entryPoint": "s3://b/x.py", "sparkSubmitParameters": "--conf 'a=b"}, "cannot be read"),
        (
            {"entryPoint": "s3://b/x.py", "sparkSubmitParameters": "--driver-memory big"},
            "'big' is not a size of memory",
        ),
    ],
)
def test_what_cannot_be_started_fails_the_job_run(
    emr: JobRuns, platform: Platform, submit: dict[str, str], why: str
) -> None:
    run_id = emr.api.start_job_run(
        applicationId="local",
        executionRoleArn=platform.role,
        jobDriver={"sparkSubmit": submit},
    )["jobRunId"]
    run = emr.wait(run_id)
    assert run["state"] == "FAILED"
    assert why in run["stateDetails"]
    assert any(why in line for line in emr.log(run_id, "stderr"))


def test_a_role_that_does_not_trust_the_service_fails_the_job_run(
    emr: JobRuns, platform: Platform
) -> None:
    role = platform.make_role("not-for-emr", "lambda.amazonaws.com")
    run = emr.wait(emr.start("pass", executionRoleArn=role))
    assert run["state"] == "FAILED"
    assert "does not trust emr-serverless.amazonaws.com" in run["stateDetails"]


def test_job_runs_end_with_the_platform(runtimes: None, tmp_path: Path) -> None:
    platform = Platform(tmp_path / "home")
    emr = JobRuns(platform)
    emr.start(SLEEP, BUCKET, "emr-end")
    eventually(lambda: emr.written("emr-end"), 60)
    tree = psutil.Process(platform.process.pid).children(recursive=True)
    platform.stop()
    _, alive = psutil.wait_procs(tree, timeout=5)
    assert alive == []
    assert not (tmp_path / "home/emr-serverless").exists()
