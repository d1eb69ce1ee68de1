"""Python shell jobs run as real processes, as Glue would run them."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from tests.local.running_platform import BUCKET, Platform, eventually

REPORT = f"""
    import json, os, sys, boto3
    report = {{"argv": sys.argv, "env": dict(os.environ), "python": sys.version_info[:2],
              "who": boto3.client("sts").get_caller_identity()["Arn"], "name": __name__,
              "path0": sys.path[0], "cwd": os.getcwd()}}
    boto3.client("s3").put_object(Bucket="{BUCKET}", Key="report.json", Body=json.dumps(report))
"""


def test_the_runs_arguments_overlay_the_jobs_and_fixed_ones_stay(platform: Platform) -> None:
    job = platform.job(
        REPORT,
        DefaultArguments={"--a": "default", "--b": "default b", "--library-set": "analytics"},
        NonOverridableArguments={"--c": "fixed"},
    )
    record = platform.run(job, Arguments={"--a": "own", "--c": "own", "--empty": ""})

    assert record["JobRunState"] == "SUCCEEDED"
    argv = platform.read("report.json")["argv"]
    assert argv[0].endswith(f"/{job}.py")
    given = dict(zip(argv[1::2], argv[2::2], strict=True))
    assert given == {
        "--a": "own",
        "--b": "default b",
        "--library-set": "analytics",
        "--c": "fixed",
        "--empty": "",
    }
    assert record["Arguments"] == {"--a": "own", "--c": "own", "--empty": ""}


def test_a_script_has_its_roles_credentials_and_no_others(platform: Platform) -> None:
    platform.run(platform.job(REPORT))

    report = platform.read("report.json")
    who = "arn:aws:sts::123456789012:assumed-role/job-role/GlueJobRunnerSession"
    assert report["who"] == who
    assert report["env"]["AWS_ENDPOINT_URL"] == f"http://127.0.0.1:{platform.port}"
    assert report["env"]["AWS_REGION"] == report["env"]["AWS_DEFAULT_REGION"] == "eu-central-1"
    assert "test" not in report["env"].values()
    assert report["env"]["HOME"].startswith(str(platform.home))
    assert not any(name.startswith(("PENSTOCK", "MINISTACK")) for name in report["env"])


def test_a_script_is_main_in_a_folder_of_its_own_that_is_gone_afterwards(
    platform: Platform,
) -> None:
    record = platform.run(platform.job(REPORT))

    report = platform.read("report.json")
    assert report["name"] == "__main__"
    assert report["python"][0] == 3
    assert report["path0"].endswith(f"{record['Id']}/script")
    assert not (platform.home / "glue" / record["Id"]).exists()


def test_an_ended_run_tells_its_times_its_capacity_and_its_logs(platform: Platform) -> None:
    job = platform.job("import time; time.sleep(1.2)", MaxCapacity=1.0, Timeout=7)
    record = platform.run(job)

    assert record["JobRunState"] == "SUCCEEDED"
    assert record["StartedOn"] < record["CompletedOn"] == record["LastModifiedOn"]
    assert 1 <= record["ExecutionTime"] <= 4
    assert (record["MaxCapacity"], record["Timeout"], record["Attempt"]) == (1.0, 7, 0)
    assert record["LogGroupName"] == "/aws-glue/python-jobs"
    assert "ErrorMessage" not in record
    assert "WorkerType" not in record


def test_output_goes_to_cloudwatch_while_the_run_works(platform: Platform) -> None:
    job = platform.job(
        """
        import os, sys, time
        print("first", "ünïcode")
        print("warning", file=sys.stderr)
        for _ in range(100):
            time.sleep(0.1)
            if os.path.exists("go"): break
        print("last")
        """
    )
    run_id = platform.start(job)
    record = platform.wait(job, run_id, "RUNNING")
    assert eventually(lambda: platform.log(record, "output")) == ["first ünïcode"]
    (platform.home / "glue" / run_id / "work/go").touch()
    platform.wait(job, run_id)
    assert platform.log(record, "output") == ["first ünïcode", "last"]
    assert platform.log(record, "error") == ["warning"]


def test_a_failed_run_tells_the_last_line_of_the_traceback(platform: Platform) -> None:
    record = platform.run(platform.job("def work():\n    raise KeyError('price')\n\nwork()\n"))

    assert record["JobRunState"] == "FAILED"
    assert record["ErrorMessage"] == "KeyError: 'price'"
    log = platform.log(record, "error")
    assert log[0] == "Traceback (most recent call last):"
    assert log[1].endswith(", line 4, in <module>")
    assert log[-1] == "KeyError: 'price'"
    assert not any("penstock" in line and "glue/jr_" not in line for line in log)


@pytest.mark.parametrize(
    ("script", "state", "message"),
    [
        ("import sys; sys.exit(0)", "SUCCEEDED", None),
        ("import sys; sys.exit(3)", "FAILED", "SystemExit: 3"),
        ("import sys; sys.exit('no input')", "FAILED", "SystemExit: no input"),
        ("import os; os._exit(5)", "FAILED", "Command failed with exit code 5"),
        ("import os; os.kill(os.getpid(), 9)", "FAILED", "Command failed with exit code 137"),
        ("def (", "FAILED", "SyntaxError: invalid syntax"),
    ],
)
def test_a_run_ends_as_its_script_does(
    platform: Platform, script: str, state: str, message: str | None
) -> None:
    record = platform.run(platform.job(script))
    assert record["JobRunState"] == state
    if message is None:
        assert "ErrorMessage" not in record
    else:
        assert message in record["ErrorMessage"]


def test_what_the_role_may_not_do_fails_the_run(platform: Platform) -> None:
    record = platform.run(platform.job("import boto3; boto3.client('sqs').list_queues()"))
    assert record["JobRunState"] == "FAILED"
    assert record["ErrorMessage"].startswith("botocore.exceptions.ClientError: An error occurred")
    assert "AccessDenied" in record["ErrorMessage"]


def test_a_role_that_does_not_trust_glue_runs_nothing(platform: Platform) -> None:
    role = platform.make_role("lambda-role", "lambda.amazonaws.com")
    record = platform.run(platform.job(REPORT, Role=role))
    assert record["JobRunState"] == "FAILED"
    assert record["ErrorMessage"] == f"The role {role} does not trust glue.amazonaws.com"


def test_a_role_that_may_not_write_logs_leaves_none(platform: Platform) -> None:
    role = platform.make_role("silent-role", "glue.amazonaws.com", logs=False)
    record = platform.run(platform.job("print('unheard')", Role=role))
    assert record["JobRunState"] == "SUCCEEDED"
    assert platform.log(record, "output") == []


def test_a_missing_script_is_named(platform: Platform) -> None:
    missing = f"s3://{BUCKET}/scripts/nowhere.py"
    job = platform.job("", Command={"Name": "pythonshell", "ScriptLocation": missing})
    record = platform.run(job)
    assert record["JobRunState"] == "FAILED"
    assert record["ErrorMessage"] == f"LAUNCH ERROR | The script {missing} does not exist"
    assert platform.log(record, "error") == [record["ErrorMessage"]]


def test_a_script_that_the_role_may_not_read_is_named(platform: Platform) -> None:
    platform.client("s3").create_bucket(
        Bucket="foreign", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    platform.client("s3").put_object(Bucket="foreign", Key="a.py", Body=b"")
    command = {"Name": "pythonshell", "ScriptLocation": "s3://foreign/a.py"}
    record = platform.run(platform.job("", Command=command))
    assert record["ErrorMessage"] == (
        f"LAUNCH ERROR | The role {platform.role} may not read the script s3://foreign/a.py"
    )


def test_extra_python_files_are_on_the_path(platform: Platform) -> None:
    def packed(name: str) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(f"{name}/__init__.py", f"VALUE = {name!r}")
        return buffer.getvalue()

    files = [
        platform.put("lib/single.py", "VALUE = 'single'"),
        platform.put("lib/zipped.zip", packed("zipped")),
        platform.put("lib/wheeled-1.0-py3-none-any.whl", packed("wheeled")),
    ]
    job = platform.job(
        "import single, zipped, wheeled\nprint(single.VALUE, zipped.VALUE, wheeled.VALUE)",
        DefaultArguments={"--extra-py-files": ", ".join(files)},
    )
    record = platform.run(job)
    assert platform.log(record, "output") == ["single zipped wheeled"]


def test_a_missing_extra_file_is_named(platform: Platform) -> None:
    job = platform.job("", DefaultArguments={"--extra-py-files": f"s3://{BUCKET}/lib/no.zip"})
    message = platform.run(job)["ErrorMessage"]
    assert f"--extra-py-files s3://{BUCKET}/lib/no.zip does not exist" in message


def test_additional_modules_must_be_installed_here(platform: Platform) -> None:
    job = platform.job("import duckdb, pyarrow; print('runs')")
    wanted = {"--additional-python-modules": "duckdb,pyarrow>=20,boto3==1.42.1"}
    record = platform.run(job, Arguments=wanted)
    assert platform.log(record, "output") == ["runs"]
    assert "boto3==1.42.1 is asked for" in platform.log(record, "error")[0]

    missing = {"--additional-python-modules": "no-such-module==1.0"}
    message = platform.run(job, Arguments=missing)["ErrorMessage"]
    assert message == (
        "LAUNCH ERROR | no-such-module==1.0 is not installed here. Install it with "
        "`python -m penstock_local.runtimes --module 'no-such-module==1.0'`"
    )
    other = {"--additional-python-modules": "duckdb==1.1.0"}
    assert "duckdb==1.1.0 is asked for" in platform.run(job, Arguments=other)["ErrorMessage"]


def test_duckdb_reads_and_writes_s3_paths_without_a_line_for_it(platform: Platform) -> None:
    job = platform.job(
        f"""
        import duckdb
        duckdb.sql("COPY (SELECT range id, range % 3 kind FROM range(1000)) "
                   "TO 's3://{BUCKET}/duck' (FORMAT parquet, PARTITION_BY kind)")
        rows = duckdb.connect().execute(
            "SELECT count(*), sum(id) FROM 's3://{BUCKET}/duck/*/*.parquet'").fetchall()
        print(*rows[0])
        try:
            duckdb.sql("SELECT * FROM 's3://elsewhere/x.parquet'")
        except duckdb.Error as error:
            print(type(error).__name__)
        """
    )
    record = platform.run(job)
    assert platform.log(record, "error") == []
    assert platform.log(record, "output") == ["1000 499500", "HTTPException"]


def test_resolved_options_are_there_in_a_python_shell_job_too(platform: Platform) -> None:
    job = platform.job(
        """
        import json, sys
        from awsglue.utils import getResolvedOptions
        print(json.dumps(getResolvedOptions(sys.argv, ["table", "since"])))
        """,
        DefaultArguments={"--table": "orders"},
    )
    record = platform.run(job, Arguments={"--since": "2026-01-01"})
    options = json.loads(platform.log(record, "output")[0])
    assert (options["table"], options["since"]) == ("orders", "2026-01-01")

    record = platform.run(job)
    assert record["ErrorMessage"] == (
        "awsglue.utils.GlueArgumentError: the following arguments are required: --since"
    )
