"""What a job run says of Spark is read as spark-submit reads it, and fitted to this machine."""

from __future__ import annotations

import psutil
import pytest
from tests.local.emr_serverless.job_runs import JobRuns
from tests.local.running_platform import BUCKET, Platform

from penstock_local.emr_serverless import spark_submit, worker_sizes
from penstock_local.job_processes.job_files import LaunchError
from penstock_local.job_processes.spark import mebibytes

DEFAULTS = [
    {"classification": "spark-defaults", "properties": {"spark.a": "app", "spark.b": "app"}},
    {"classification": "spark-log4j2", "properties": {"rootLogger.level": "warn"}},
]


def test_options_go_over_the_runs_settings_and_those_over_the_applications() -> None:
    overrides = [{"classification": "spark-defaults", "properties": {"spark.b": "run"}}]
    parameters = "--conf spark.c='1 2' --conf=spark.d=x=y --num-executors 4 --class Main"
    assert spark_submit.settings_of(DEFAULTS, overrides, parameters=parameters) == {
        "spark.a": "app",
        "spark.b": "run",
        "spark.c": "1 2",
        "spark.d": "x=y",
        "spark.executor.instances": "4",
    }


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(LaunchError, match="--turbo"):
        spark_submit.settings_of(parameters="--turbo on")


def test_usage_is_what_the_workers_would_have() -> None:
    sized = {"spark.executor.instances": "2", "spark.executor.cores": "8"}
    sized["spark.executor.memory"] = "28g"
    assert worker_sizes.used({})["vCPUHour"] == 16
    used = worker_sizes.used(sized)
    assert used["vCPUHour"] == 4 + 2 * 8
    assert used["memoryGBHour"] == pytest.approx(1.1 * (14 + 2 * 28))
    assert used["storageGBHour"] == 60


@pytest.mark.parametrize(
    ("text", "size"), [("2g", 2048), ("512", 512), ("1024KB", 1), ("1t", 2**20)]
)
def test_sizes_of_memory_are_read(text: str, size: float) -> None:
    assert mebibytes(text) == size


def test_what_this_machine_cannot_do_is_said_in_the_log(emr: JobRuns, platform: Platform) -> None:
    report = platform.put("lib/words.txt", "from a file")
    script = """
        import os
        print(open("words.txt").read(), os.environ["GREETING"], os.environ["PYSPARK_PYTHON"])
    """
    run_id = emr.start(
        script,
        parameters=f"--driver-memory 4t --files {report} --archives s3://{BUCKET}/venv.tar.gz#venv"
        " --conf spark.emr-serverless.driverEnv.GREETING=hello"
        " --conf spark.emr-serverless.driverEnv.PYSPARK_PYTHON=./venv/bin/python",
    )
    run = emr.wait(run_id)
    assert run["state"] == "SUCCESS", emr.log(run_id, "stderr")
    (line,) = emr.log(run_id, "stdout")
    assert line.startswith("from a file hello /")
    half = psutil.virtual_memory().total // 2 // 2**20
    said = "\n".join(emr.log(run_id, "stderr"))
    assert f"the driver has {half} MB, not the 4t asked for" in said
    assert "venv.tar.gz#venv is not unpacked" in said
    assert "PYSPARK_PYTHON=./venv/bin/python is not used" in said


def test_packages_of_the_internet_are_refused(emr: JobRuns) -> None:
    run = emr.wait(emr.start("pass", parameters="--packages org.example:thing:1.0"))
    assert run["state"] == "FAILED"
    assert "put jars into S3" in run["stateDetails"]


def test_logs_go_to_the_group_that_the_job_run_names_in_the_roles_name(
    emr: JobRuns, platform: Platform
) -> None:
    place = {"enabled": True, "logGroupName": "/sales/emr", "logStreamNamePrefix": "daily"}
    monitoring = {"monitoringConfiguration": {"cloudWatchLoggingConfiguration": place}}
    silent = platform.make_role("silent-emr", "emr-serverless.amazonaws.com", logs=False)
    for role in (platform.role, silent):
        run_id = emr.start(
            "print('hello')", executionRoleArn=role, configurationOverrides=monitoring
        )
        assert emr.wait(run_id)["state"] == "SUCCESS"
        prefix = f"daily/applications/local/jobs/{run_id}"
        streams = platform.client("logs").describe_log_streams(
            logGroupName="/sales/emr", logStreamNamePrefix=prefix
        )["logStreams"]
        assert len(streams) == (1 if role == platform.role else 0)
