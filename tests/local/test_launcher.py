"""Penstock Local starts with a sentence when it cannot, serves loopback only, ends clean."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from penstock_cli import local_instance
from penstock_cli.errors import CommandError
from penstock_local import sockets


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[local_instance.Instance]:
    one = local_instance.start(tmp_path / "local")
    yield one
    one.stop()


def test_it_serves_the_apis_and_enforces_signatures(instance: local_instance.Instance) -> None:
    identity = instance.client("sts").get_caller_identity()
    assert identity["Account"] == "123456789012"


def test_no_process_of_it_listens_outside_loopback(instance: local_instance.Instance) -> None:
    process = psutil.Process(instance.pid)
    assert sockets.exposed_sockets(process) == []
    assert any(one.status == "LISTEN" for one in process.net_connections(kind="inet"))


def test_a_socket_outside_loopback_is_found() -> None:
    with socket.socket() as exposed:
        exposed.bind(("0.0.0.0", 0))
        exposed.listen()
        port = exposed.getsockname()[1]
        found = sockets.exposed_sockets(psutil.Process())
    assert any(f"0.0.0.0:{port}" in each for each in found)


def test_a_taken_port_is_named_with_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=f"port {port} on 127.0.0.1 is taken.*make down"):
            local_instance.start(tmp_path / "local", port=port)


def test_stopping_leaves_no_process_and_no_scratch_files(tmp_path: Path) -> None:
    home = tmp_path / "local"
    one = local_instance.start(home)
    family = [psutil.Process(one.pid), *psutil.Process(one.pid).children(recursive=True)]

    one.stop()

    assert not any(process.is_running() for process in family)
    assert not (home / "tmp").exists()
    assert local_instance.find(home) is None


def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from penstock_cli import local_instance\n"
        "print(local_instance.start(Path(sys.argv[1])).pid, flush=True); time.sleep(60)"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "local")], stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout is not None
    launcher = psutil.Process(int(starter.stdout.readline()))
    os.kill(starter.pid, signal.SIGKILL)
    starter.wait()
    starter.stdout.close()
    launcher.wait(timeout=15)


def test_a_moved_platform_stops_the_start(tmp_path: Path) -> None:
    script = (
        "from penstock_local import pins; pins.MINISTACK_VERSION = '0.0.0'\n"
        "from penstock_local.launcher import main; import sys; sys.exit(main())"
    )
    env = {**os.environ, "PENSTOCK_LOCAL_HOME": str(tmp_path / "local")}
    ended = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 2
    assert "needs ministack==0.0.0, found 1.5.33" in ended.stderr


def test_it_is_ready_again_after_a_restart_in_the_same_folder(tmp_path: Path) -> None:
    for _ in range(2):
        one = local_instance.start(tmp_path / "local")
        assert one.client("s3").list_buckets()["Buckets"] == []
        one.stop()
