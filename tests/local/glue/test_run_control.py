"""Runs are admitted, made to wait, stopped, timed out and retried as on AWS."""

from __future__ import annotations

import time

import psutil
import pytest
from tests.local.running_platform import Platform, eventually

from penstock_local.job_processes.lane import PYTHON_SHELL_SLOTS

SLEEP = "import time; time.sleep(60)"
SLEEP_WITH_CHILD = """
    import os, subprocess, sys, time
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    with open("pids", "w") as file:
        file.write(f"{os.getpid()} {child.pid} ")
    time.sleep(60)
"""


def pids(platform: Platform, run_id: str) -> list[int]:
    path = platform.home / "glue" / run_id / "work/pids"
    text = eventually(lambda: path.exists() and path.read_text())
    return [int(word) for word in str(text).split()]


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_stopped_run_ends_with_all_that_it_started(platform: Platform) -> None:
    job = platform.job(SLEEP_WITH_CHILD)
    run_id = platform.start(job)
    started = pids(platform, run_id)

    answer = platform.glue.batch_stop_job_run(JobName=job, JobRunIds=[run_id])
    assert answer["SuccessfulSubmissions"] == [{"JobName": job, "JobRunId": run_id}]
    assert platform.get(job, run_id)["JobRunState"] in ("STOPPING", "STOPPED")
    record = platform.wait(job, run_id)

    assert record["JobRunState"] == "STOPPED"
    assert "ErrorMessage" not in record
    assert not any(is_alive(pid) for pid in started)
    assert not (platform.home / "glue" / run_id).exists()


def test_a_script_that_ignores_the_signal_is_killed(platform: Platform) -> None:
    job = platform.job(
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "open('pids', 'w').write(str(__import__('os').getpid())); time.sleep(60)"
    )
    run_id = platform.start(job)
    started = pids(platform, run_id)
    platform.glue.batch_stop_job_run(JobName=job, JobRunIds=[run_id])
    assert platform.wait(job, run_id)["JobRunState"] == "STOPPED"
    assert not is_alive(started[0])


def test_what_a_script_leaves_running_is_killed_when_it_ends(platform: Platform) -> None:
    script = SLEEP_WITH_CHILD.replace("    time.sleep(60)\n", "", 1)
    script = script.replace("with open", "import shutil\n    with open")
    job = platform.job(script + "    shutil.copy('pids', '../../left_pids')\n")
    record = platform.run(job)
    assert record["JobRunState"] == "SUCCEEDED"
    _, child = (platform.home / "glue/left_pids").read_text().split()
    assert not is_alive(int(child))


def test_only_an_open_run_can_be_stopped(platform: Platform) -> None:
    job = platform.job("")
    record = platform.run(job)
    answer = platform.glue.batch_stop_job_run(JobName=job, JobRunIds=[record["Id"], "jr_none"])
    codes = [error["ErrorDetail"]["ErrorCode"] for error in answer["Errors"]]
    assert codes == ["JobRunNotInValidStateTransitionException", "EntityNotFoundException"]
    assert answer["SuccessfulSubmissions"] == []


def test_a_run_is_stopped_after_its_minutes(platform: Platform) -> None:
    job = platform.job(SLEEP, Timeout=100, MaxRetries=1)
    record = platform.run(job, Timeout=1)
    assert record["JobRunState"] == "TIMEOUT"
    assert record["ErrorMessage"] == "The run exceeded its timeout of 1 minutes"
    assert record["Timeout"] == 1
    assert 2 <= record["ExecutionTime"] <= 4
    # A run that timed out is not retried.
    assert len(platform.glue.get_job_runs(JobName=job)["JobRuns"]) == 1


def test_a_job_has_no_more_runs_at_once_than_it_allows(platform: Platform) -> None:
    job = platform.job(SLEEP, ExecutionProperty={"MaxConcurrentRuns": 1})
    run_id = platform.start(job)
    with pytest.raises(platform.glue.exceptions.ConcurrentRunsExceededException) as raised:
        platform.start(job)
    assert f"Concurrent runs exceeded for {job}" in str(raised.value)
    platform.glue.batch_stop_job_run(JobName=job, JobRunIds=[run_id])
    platform.wait(job, run_id)
    assert platform.start(job)
    platform.glue.batch_stop_job_run(
        JobName=job, JobRunIds=[platform.glue.get_job_runs(JobName=job)["JobRuns"][0]["Id"]]
    )


def test_a_queued_run_waits_until_its_job_allows_it(platform: Platform) -> None:
    job = platform.job("import time; time.sleep(1)", JobRunQueuingEnabled=True)
    first, second = platform.start(job), platform.start(job)
    record = platform.get(job, second)
    assert record["JobRunState"] == "WAITING"
    assert record["StateDetail"] == f"Concurrent runs exceeded for {job}"
    ended = [platform.wait(job, run_id) for run_id in (first, second)]
    assert [one["JobRunState"] for one in ended] == ["SUCCEEDED", "SUCCEEDED"]
    assert ended[1]["CompletedOn"] > ended[0]["CompletedOn"]
    assert "StateDetail" not in ended[1]


def test_runs_beyond_the_local_slots_wait_and_can_be_stopped(platform: Platform) -> None:
    many = PYTHON_SHELL_SLOTS + 2
    job = platform.job(SLEEP, ExecutionProperty={"MaxConcurrentRuns": many})
    runs = [platform.start(job) for _ in range(many)]
    for run_id in runs[:PYTHON_SHELL_SLOTS]:
        platform.wait(job, run_id, "RUNNING")
    waiting = runs[PYTHON_SHELL_SLOTS:]
    assert [platform.get(job, run_id)["JobRunState"] for run_id in waiting] == ["WAITING"] * 2

    platform.glue.batch_stop_job_run(JobName=job, JobRunIds=waiting)
    assert [platform.get(job, run_id)["JobRunState"] for run_id in waiting] == ["STOPPED"] * 2
    assert platform.get(job, waiting[0])["ExecutionTime"] == 0
    platform.glue.batch_stop_job_run(JobName=job, JobRunIds=runs[:PYTHON_SHELL_SLOTS])
    for run_id in runs:
        assert platform.wait(job, run_id)["JobRunState"] == "STOPPED"


def test_a_failed_run_is_retried_as_often_as_the_job_says(platform: Platform) -> None:
    job = platform.job("raise ValueError('again')", MaxRetries=2)
    first = platform.start(job)
    last = f"{first}_attempt_2"

    def all_runs() -> list[dict[str, object]]:
        runs: list[dict[str, object]] = platform.glue.get_job_runs(JobName=job)["JobRuns"]
        return runs

    eventually(lambda: any(one["Id"] == last for one in all_runs()))
    platform.wait(job, last)
    time.sleep(0.5)
    runs = all_runs()
    assert [one["Id"] for one in runs] == [last, f"{first}_attempt_1", first]
    assert [one["Attempt"] for one in runs] == [2, 1, 0]
    assert [one.get("PreviousRunId") for one in runs] == [f"{first}_attempt_1", first, None]
    assert {one["JobRunState"] for one in runs} == {"FAILED"}


def test_the_end_of_a_run_is_an_event(platform: Platform) -> None:
    sqs, events = platform.client("sqs"), platform.client("events")
    queue = sqs.create_queue(QueueName="ends")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    pattern = '{"source": ["aws.glue"], "detail": {"state": ["FAILED"]}}'
    events.put_rule(Name="failed-runs", EventPattern=pattern)
    events.put_targets(Rule="failed-runs", Targets=[{"Id": "queue", "Arn": arn["QueueArn"]}])

    platform.run(platform.job(""))
    record = platform.run(platform.job("raise SystemExit('broken')"))

    def received() -> list[dict[str, str]]:
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        messages: list[dict[str, str]] = answer.get("Messages", [])
        return messages

    (message,) = eventually(received)
    assert record["Id"] in message["Body"]
    assert "SystemExit: broken" in message["Body"]
