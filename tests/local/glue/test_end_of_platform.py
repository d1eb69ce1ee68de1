"""No job process outlives the platform, however that ends."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import psutil
import pytest
from tests.local.ecs.cluster import Cluster
from tests.local.emr_serverless.job_runs import JobRuns
from tests.local.glue.test_run_control import SLEEP, SLEEP_WITH_CHILD, is_alive, pids
from tests.local.running_platform import Platform, eventually


@pytest.mark.parametrize("signal", ["SIGTERM", "SIGKILL"])
def test_job_processes_end_with_the_platform(runtimes: None, tmp_path: Path, signal: str) -> None:
    platform = Platform(tmp_path / "home")
    job = platform.job(SLEEP_WITH_CHILD)
    started = pids(platform, platform.start(job))
    assert all(is_alive(pid) for pid in started)
    (platform.stop if signal == "SIGTERM" else platform.process.kill)()
    platform.process.wait(20)

    eventually(lambda: not any(is_alive(pid) for pid in started))
    if signal == "SIGTERM":
        assert not (tmp_path / "home/glue").exists()
    assert psutil.pid_exists(platform.process.pid) is False


def test_job_processes_end_when_the_platform_is_wiped(runtimes: None, tmp_path: Path) -> None:
    platform = Platform(tmp_path / "home")
    cluster, emr = Cluster(platform), JobRuns(platform)
    try:
        task, run_id = cluster.start(cluster.define("sleep 60")), emr.start(SLEEP)
        emr.wait(run_id, "RUNNING")
        cluster.wait(task, "RUNNING")
        started = pids(platform, platform.start(platform.job(SLEEP_WITH_CHILD)))
        started += [one.pid for one in psutil.Process(platform.process.pid).children(True)]
        assert len(started) >= 2 + 3
        url = f"http://127.0.0.1:{platform.port}/_ministack/reset"
        urllib.request.urlopen(urllib.request.Request(url, method="POST")).close()
        eventually(lambda: not any(is_alive(pid) for pid in started))
        assert platform.glue.get_jobs()["Jobs"] == []
        assert emr.api.list_job_runs(applicationId=emr.application)["jobRuns"] == []
        assert cluster.api.describe_clusters(clusters=[cluster.name])["failures"] == []
    finally:
        platform.stop()
