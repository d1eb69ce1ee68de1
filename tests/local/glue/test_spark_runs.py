"""Spark jobs run on a real Spark with `s3://` paths, and listen on loopback only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError
from tests.local.running_platform import BUCKET, Platform, eventually

from penstock_local.sockets import exposed_sockets

SCRIPT = Path(__file__).parent / "spark_script.py"


@dataclass
class Observed:
    """What the one Spark run of the tests reported, and what was seen of it from outside."""

    record: Any
    report: Any
    exposed: list[str]
    listening: int
    resident_megabytes: float
    error_log: list[str]


@pytest.fixture(scope="session")
def observed(platform: Platform) -> Observed:
    module = platform.put("lib/extra_module.py", "def shout(word):\n    return word.upper()\n")
    job = platform.job(
        SCRIPT.read_text(),
        kind="glueetl",
        WorkerType="G.1X",
        NumberOfWorkers=2,
        DefaultArguments={
            "--bucket": BUCKET,
            "--extra-py-files": module,
            "--conf": "spark.sql.shuffle.partitions=3 --conf spark.sql.ansi.enabled=true",
        },
    )
    run_id = platform.start(job)

    def report() -> Any:
        assert platform.get(job, run_id)["JobRunState"] in ("STARTING", "RUNNING")
        try:
            return platform.read("spark.json")
        except ClientError:
            return None

    try:
        seen = eventually(report, 90)
    except AssertionError:
        record = platform.get(job, run_id)
        pytest.fail(f"{record}\n" + "\n".join(platform.log(record, "error")[-40:]))
    tree = psutil.Process(platform.process.pid).children(recursive=True)
    names = [process for process in tree if process.name() == "java"]
    listening = sum(
        1 for process in names for one in process.net_connections() if one.status == "LISTEN"
    )
    resident = sum(process.memory_info().rss for process in tree) / 1e6
    exposed = exposed_sockets(psutil.Process(platform.process.pid))
    (platform.home / "glue" / run_id / "work/go").touch()
    record = platform.wait(job, run_id)
    return Observed(record, seen, exposed, listening, resident, platform.log(record, "error"))


def test_a_spark_job_reads_joins_and_writes_s3(observed: Observed) -> None:
    assert observed.record["JobRunState"] == "SUCCEEDED", observed.error_log
    assert observed.report["joined"] == 1000
    assert observed.report["versions"] == ["3.5.6", [3, 11]]
    assert observed.report["who"].endswith(":assumed-role/job-role/GlueJobRunnerSession")


def test_a_dynamic_overwrite_replaces_one_partition(observed: Observed) -> None:
    assert observed.report["after_overwrite"] == {"zero": 334, "one": 5, "two": 333}


def test_extra_modules_are_there_in_python_workers(observed: Observed) -> None:
    assert observed.report["names"] == ["ONE", "TWO", "ZERO"]


def test_a_spark_script_is_told_its_job_and_its_run(observed: Observed) -> None:
    argv = observed.report["argv"]
    given = dict(zip(argv[::2], argv[1::2], strict=True))
    assert given["--JOB_NAME"] == observed.record["JobName"]
    assert given["--JOB_RUN_ID"] == observed.record["Id"]
    assert given["--bucket"] == BUCKET


def test_settings_of_the_job_go_over_the_local_ones(observed: Observed) -> None:
    assert observed.report["conf"] == ["3", "true"]


def test_glue_frames_and_logger_work(observed: Observed) -> None:
    assert observed.report["frames"] == [1000, [["number", "string"]]]
    assert any("a line of the logger" in line for line in observed.error_log)


def test_spark_listens_on_loopback_only(observed: Observed) -> None:
    assert observed.listening >= 2
    assert observed.exposed == []


def test_a_spark_job_stays_small(observed: Observed) -> None:
    assert observed.resident_megabytes < 1200


def test_a_spark_run_tells_its_capacity_and_its_logs(observed: Observed) -> None:
    record = observed.record
    assert (record["WorkerType"], record["NumberOfWorkers"]) == ("G.1X", 2)
    assert (record["MaxCapacity"], record["GlueVersion"]) == (2.0, "5.1")
    assert record["LogGroupName"] == "/aws-glue/jobs"
    assert "DPUSeconds" not in record


def test_only_what_matters_is_in_the_error_log(observed: Observed) -> None:
    assert [line for line in observed.error_log if "GlueLogger" not in line] == []


def test_what_the_role_may_not_read_fails_a_spark_run(platform: Platform) -> None:
    platform.client("s3").create_bucket(
        Bucket="closed", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    job = platform.job(
        """
        from pyspark.sql import SparkSession
        spark = SparkSession.builder.getOrCreate()
        try:
            spark.sql("SELECT nothing FROM nowhere")
        except Exception as error:
            print(type(error).__name__)
        spark.read.parquet("s3://closed/x").show()
        """,
        kind="glueetl",
        ExecutionClass="FLEX",
    )
    record = platform.run(job)
    assert record["JobRunState"] == "FAILED"
    assert record["ErrorMessage"].startswith("An error occurred while calling o")
    assert "AccessDenied" in record["ErrorMessage"]
    assert record["DPUSeconds"] == record["ExecutionTime"] * 10.0
    assert platform.log(record, "output") == ["AnalysisException"]


def test_a_stopped_spark_run_takes_its_jvm_along(platform: Platform) -> None:
    job = platform.job(
        """
        from pyspark.sql import SparkSession
        import time
        print(SparkSession.builder.getOrCreate().range(10).count())
        time.sleep(60)
        """,
        kind="glueetl",
    )
    run_id = platform.start(job)
    record = platform.wait(job, run_id, "RUNNING")
    eventually(lambda: platform.log(record, "output"), 60)
    tree = psutil.Process(platform.process.pid).children(recursive=True)
    assert any(process.name() == "java" for process in tree)

    platform.glue.batch_stop_job_run(JobName=job, JobRunIds=[run_id])

    assert platform.wait(job, run_id)["JobRunState"] == "STOPPED"
    _, alive = psutil.wait_procs(tree, timeout=5)
    assert [process for process in alive if process.name() == "java"] == []


def test_a_jvm_that_dies_is_what_the_message_of_the_run_tells(platform: Platform) -> None:
    job = platform.job(
        "import psutil\n"
        "from pyspark.sql import SparkSession\n"
        "spark = SparkSession.builder.getOrCreate()\n"
        "(java,) = [p for p in psutil.Process().children() if p.name() == 'java']\n"
        "java.kill()\n"
        "spark.range(5).count()\n",
        kind="glueetl",
        WorkerType="G.1X",
        NumberOfWorkers=2,
    )

    record = platform.wait(job, platform.start(job))

    assert record["JobRunState"] == "FAILED"
    assert record["ErrorMessage"].startswith("Spark's JVM ended with status -9 during the run")
