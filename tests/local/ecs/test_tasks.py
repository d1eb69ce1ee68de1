"""Tasks are real processes with the task role's credentials, and end as on ECS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import botocore.session
import psutil
import pytest
from tests.local.ecs.cluster import Cluster
from tests.local.glue.test_run_control import is_alive
from tests.local.running_platform import BUCKET, REPOSITORY, Platform, eventually

from penstock_local.job_processes.lane import TASK_SLOTS

REPORT = """
    import json, os, sys, boto3
    print("hello", *sys.argv[1:])
    report = {
        "argv": sys.argv[1:],
        "who": boto3.client("sts").get_caller_identity()["Arn"],
        "environment": {n: os.environ.get(n) for n in ("A", "B", "AWS_REGION", "PASSWORD")},
        "there": os.listdir(),
    }
    boto3.client("s3").put_object(Bucket="jobs", Key="ecs.json", Body=json.dumps(report))
"""
SLEEP = """
    import os, subprocess, sys, time, boto3
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    pids = f"{os.getpid()} {child.pid}"
    boto3.client("s3").put_object(Bucket="jobs", Key=sys.argv[1], Body=pids)
    time.sleep(60)
"""
AWSLOGS = {
    "logDriver": "awslogs",
    "options": {
        "awslogs-group": "/ecs/jobs",
        "awslogs-region": "eu-central-1",
        "awslogs-stream-prefix": "job",
    },
}


@pytest.fixture(scope="session")
def observed(cluster: Cluster, platform: Platform) -> Any:
    """A task that reports what it was given, and the events of its way."""
    look = platform.events("aws.ecs", "ecs-events")
    platform.client("logs").create_log_group(logGroupName="/ecs/jobs")
    secret = platform.client("secretsmanager").create_secret(Name="pw", SecretString="geheim")
    family = cluster.script(
        REPORT,
        container={
            "environment": [{"name": "A", "value": "defined"}, {"name": "B", "value": "defined"}],
            "secrets": [{"name": "PASSWORD", "valueFrom": secret["ARN"]}],
            "logConfiguration": AWSLOGS,
        },
    )
    task = cluster.run(
        family,
        *("--job_id", "j 1"),
        override={"environment": [{"name": "B", "value": "overridden"}]},
    )
    assert task["stopCode"] == "EssentialContainerExited", task
    events = eventually(
        lambda: (
            [one for one in look() if one["taskArn"] == task["taskArn"]]
            if any(one["lastStatus"] == "STOPPED" for one in look())
            else None
        )
    )
    return family, task, platform.read("ecs.json"), events


def test_a_task_gets_its_command_environment_secrets_and_role(observed: Any) -> None:
    _, _, report, _ = observed
    assert report["argv"] == ["--job_id", "j 1"]
    assert ":assumed-role/job-role/" in report["who"]
    assert report["environment"] == {
        "A": "defined",
        "B": "overridden",
        "AWS_REGION": "eu-central-1",
        "PASSWORD": "geheim",
    }
    assert report["there"] == []


def test_a_stopped_task_has_what_the_service_model_has(observed: Any) -> None:
    family, task, _, _ = observed
    model = botocore.session.get_session().get_service_model("ecs")
    assert task.keys() <= set(model.shape_for("Task").members)
    (container,) = task["containers"]
    assert container.keys() <= set(model.shape_for("Container").members)
    assert (container["name"], container["exitCode"]) == (family, 0)
    assert (task["lastStatus"], task["desiredStatus"]) == ("STOPPED", "STOPPED")
    assert task["stoppedReason"] == "Essential container in task exited"
    assert task["createdAt"] <= task["pullStartedAt"] <= task["startedAt"] < task["stoppedAt"]
    assert (task["cpu"], task["memory"], task["launchType"]) == ("256", "512", "FARGATE")
    assert task["overrides"]["containerOverrides"][0]["command"] == ["--job_id", "j 1"]


def test_every_change_of_a_task_is_an_event(observed: Any) -> None:
    events = observed[3]
    statuses = [one["lastStatus"] for one in events]
    assert statuses == ["PROVISIONING", "PENDING", "RUNNING", "DEPROVISIONING", "STOPPED"]
    assert [one["version"] for one in events] == sorted(one["version"] for one in events)
    assert events[-1]["stoppedAt"].endswith("Z")


def test_what_a_task_writes_goes_to_its_log_group(observed: Any, platform: Platform) -> None:
    family, task, _, _ = observed
    stream = f"job/{family}/{task['taskArn'].rsplit('/', 1)[-1]}"
    lines = platform.client("logs").get_log_events(
        logGroupName="/ecs/jobs", logStreamName=stream, startFromHead=True
    )["events"]
    assert [one["message"] for one in lines] == ["hello --job_id j 1"]


def test_the_exit_code_is_that_of_the_process(cluster: Cluster) -> None:
    task = cluster.run(cluster.script("import sys; sys.exit(int(sys.argv[1]))"), "7")
    assert task["containers"][0]["exitCode"] == 7
    assert task["stopCode"] == "EssentialContainerExited"


def test_a_process_that_a_signal_ended_has_the_code_of_a_shell(cluster: Cluster) -> None:
    task = cluster.run(cluster.script("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"))
    assert task["containers"][0]["exitCode"] == 139


def test_a_stopped_task_ends_with_all_that_it_started(cluster: Cluster, platform: Platform) -> None:
    arn = cluster.start(cluster.script(SLEEP), "ecs-stop")
    eventually(lambda: cluster.written("ecs-stop"))
    body = platform.client("s3").get_object(Bucket=BUCKET, Key="ecs-stop")["Body"].read()
    pids = [int(word) for word in body.split()]

    stopping = cluster.stop(arn, "enough")

    assert stopping["desiredStatus"] == "STOPPED"
    task = cluster.wait(arn)
    assert (task["stoppedReason"], task["stopCode"]) == ("enough", "UserInitiated")
    assert task["containers"][0]["exitCode"] == 143
    assert not any(is_alive(pid) for pid in pids)
    assert not (platform.home / "ecs" / arn.rsplit("/", 1)[-1]).exists()
    assert cluster.stop(arn, "again")["stoppedReason"] == "enough"


def test_a_process_that_ignores_the_signal_is_killed_after_the_stop_timeout(
    cluster: Cluster,
) -> None:
    script = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    family = cluster.script(script + SLEEP.replace("\n    ", "\n"), container={"stopTimeout": 2})
    arn = cluster.start(family, "ecs-ignore")
    eventually(lambda: cluster.written("ecs-ignore"))
    cluster.stop(arn, "enough")
    assert cluster.wait(arn)["containers"][0]["exitCode"] == 137


def test_a_task_without_a_slot_is_provisioning_and_can_be_stopped(cluster: Cluster) -> None:
    family = cluster.define("sleep 60")
    started = [cluster.start(family) for _ in range(TASK_SLOTS + 1)]
    try:
        for arn in started[:-1]:
            cluster.wait(arn, "RUNNING")
        waiting = started[-1]
        assert cluster.get(waiting)["lastStatus"] == "PROVISIONING"
        cluster.stop(waiting, "not needed")
        task = cluster.get(waiting)
        assert (task["lastStatus"], task["stoppedReason"]) == ("STOPPED", "not needed")
        assert "exitCode" not in task["containers"][0]
    finally:
        for arn in started:
            cluster.stop(arn, "end of the test")
            cluster.wait(arn)


def test_a_command_may_be_a_file_of_the_folder_in_which_the_platform_was_started(
    cluster: Cluster, tmp_path: Path, platform: Platform
) -> None:
    script = Path(psutil.Process(platform.process.pid).cwd()) / "tests/local/ecs/touch_object.py"
    assert script.is_relative_to(REPOSITORY)
    task = cluster.run(cluster.define("python tests/local/ecs/touch_object.py"), "ecs-file")
    assert task["containers"][0]["exitCode"] == 0
    assert cluster.written("ecs-file")
    program = ".venv/bin/python tests/local/ecs/touch_object.py"
    assert cluster.run(cluster.define(program), "ecs-program")["containers"][0]["exitCode"] == 0
    assert cluster.written("ecs-program")


def test_only_the_container_that_is_overridden_is_run(cluster: Cluster) -> None:
    sidecar = {"name": "sidecar", "image": "proxy", "essential": False}
    task = cluster.run(cluster.define("false", sidecars=[sidecar]))
    codes = {one["name"]: one["exitCode"] for one in task["containers"]}
    assert codes.pop("sidecar") == 0
    assert list(codes.values()) == [1]


@pytest.mark.parametrize(
    ("command", "more", "why"),
    [
        (None, {}, "CannotPullContainerError: Penstock Local runs no containers"),
        ("no-such-command", {}, "CannotStartContainerError: there is no command no-such-command"),
        (
            "python 'x",
            {},
            "penstock:local-command: No closing quotation",
        ),
        (f"python s3://{BUCKET}/none.py", {}, "none.py does not exist"),
        (
            "true",
            {"container": {"secrets": [{"name": "X", "valueFrom": "no-such-parameter"}]}},
            "ResourceInitializationError: unable to retrieve secret no-such-parameter",
        ),
        (
            "true",
            {
                "container": {
                    "logConfiguration": {
                        "logDriver": "awslogs",
                        "options": {
                            "awslogs-group": "/none",
                            "awslogs-region": "eu-central-1",
                            "awslogs-stream-prefix": "x",
                        },
                    }
                }
            },
            "ResourceInitializationError: failed to validate logger args",
        ),
    ],
)
def test_what_cannot_be_started_stops_the_task_with_the_reason(
    cluster: Cluster, command: str | None, more: dict[str, Any], why: str
) -> None:
    task = cluster.run(cluster.define(command, **more))
    assert task["stopCode"] == "TaskFailedToStart"
    assert why in task["stoppedReason"]
    assert "exitCode" not in task["containers"][0]
    assert "startedAt" not in task


def test_a_role_that_does_not_trust_ecs_stops_the_task(
    cluster: Cluster, platform: Platform
) -> None:
    role = platform.make_role("not-for-ecs", "lambda.amazonaws.com")
    task = cluster.run(cluster.define("true", taskRoleArn=role))
    assert task["stopCode"] == "TaskFailedToStart"
    assert f"ECS was unable to assume the role '{role}'" in task["stoppedReason"]


@pytest.mark.parametrize("signal", ["SIGTERM", "SIGKILL"])
def test_tasks_end_with_the_platform(runtimes: None, tmp_path: Path, signal: str) -> None:
    platform = Platform(tmp_path / "home")
    cluster = Cluster(platform)
    cluster.start(cluster.script(SLEEP), "ecs-end")
    eventually(lambda: cluster.written("ecs-end"))
    body = platform.client("s3").get_object(Bucket=BUCKET, Key="ecs-end")["Body"].read()
    pids = [int(word) for word in body.split()]
    assert all(is_alive(pid) for pid in pids)
    (platform.stop if signal == "SIGTERM" else platform.process.kill)()
    platform.process.wait(20)
    eventually(lambda: not any(is_alive(pid) for pid in pids))
