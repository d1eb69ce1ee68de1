"""What job runs need is prepared once, and what is missing is named with the command for it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from tests.local.running_platform import REPOSITORY, RUNTIMES

from penstock_local.runtimes import java, python_shell, s3a
from penstock_local.runtimes.folder import RuntimeMissingError, Runtimes
from penstock_local.runtimes.uv import PreparationError, Uv


def command(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_preparing_again_is_quick_and_needs_no_uv(runtimes: None) -> None:
    started = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-m", "penstock_local.runtimes", "--uv", "/nonexistent"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == f"runtimes: ready in {RUNTIMES}\n"
    assert time.monotonic() - started < 10


def test_a_machine_without_uv_is_told_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PreparationError, match=rf"{tmp_path}/\.venv/bin/uv.*name it with --uv"):
        Uv(tmp_path, tmp_path / "cache").unpack("six", tmp_path / "six")


def test_a_failed_command_is_told_with_its_own_words(tmp_path: Path) -> None:
    failing = command(tmp_path, "uv", "echo no route to host >&2; exit 2")
    with pytest.raises(PreparationError, match=r"`uv pip install .*six==1` failed:\nno route"):
        Uv(tmp_path, tmp_path / "cache", failing).unpack("six==1", tmp_path / "six")


def test_a_step_that_failed_is_done_again(tmp_path: Path) -> None:
    failing = command(tmp_path, "uv", "exit 2")
    ready = Runtimes(tmp_path / ".penstock/runtimes")
    ready.done(python_shell.STEP, "what it was before", modules="pandas==2.3.3")
    arguments = ["--repository", str(tmp_path), "--uv", str(failing)]
    ran = subprocess.run(
        [sys.executable, "-m", "penstock_local.runtimes", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert "`uv venv" in ran.stderr
    assert ready.record(python_shell.STEP) == {"stamp": "", "modules": "pandas==2.3.3"}


def test_python_3_9_is_taken_from_pyenv_where_its_shim_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command(tmp_path / "shims", "python3.9", "echo not switched on >&2; exit 127")
    old = command(tmp_path / "pyenv/versions/3.9.2/bin", "python", "echo 3.9")
    monkeypatch.setenv("PATH", str(tmp_path / "shims"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    assert python_shell.find_python() == old


def test_without_python_3_9_this_python_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert python_shell.find_python() == Path(sys.executable)


def test_only_a_java_of_release_17_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fake(name: str, version: str) -> Path:
        script = f"echo 'openjdk version \"{version}\"' >&2"
        return command(tmp_path / name / "bin", "java", script)

    fake("home", "21.0.1")
    fake("path", "1.8.0_392")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'path/bin'}:/bin")
    assert java.find(Runtimes(tmp_path / "runtimes")) is None
    own = fake("runtimes/java", "17.0.9")
    assert java.find(Runtimes(tmp_path / "runtimes")) == own


def test_without_java_it_is_said_what_to_install(tmp_path: Path) -> None:
    failing = command(tmp_path, "uv", "exit 2")
    with pytest.raises(PreparationError, match="Install Java 17 or set JAVA_HOME"):
        java.prepare(Runtimes(tmp_path), Uv(tmp_path, tmp_path / "cache", failing))


def test_the_sdk_keeps_what_the_connector_needs(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.jar", "w") as bundle:
        for service in ("s3", "ec2", "securitytoken"):
            bundle.writestr(f"com/amazonaws/services/{service}/A.class", service)
        bundle.writestr("com/amazonaws/auth/B.class", "auth")
    s3a.keep_services(tmp_path / "all.jar", tmp_path / "some.jar")
    with zipfile.ZipFile(tmp_path / "some.jar") as jar:
        assert sorted(Path(name).parent.name for name in jar.namelist()) == [
            "auth",
            "s3",
            "securitytoken",
        ]


def test_what_is_not_prepared_is_named_with_the_command(tmp_path: Path) -> None:
    with pytest.raises(RuntimeMissingError, match=r"python -m penstock_local\.runtimes"):
        _ = Runtimes(tmp_path).python_shell
    with pytest.raises(RuntimeMissingError, match="Spark jobs need it"):
        _ = Runtimes(tmp_path).spark_class_path


def test_the_runtimes_are_those_that_were_prepared(runtimes: None) -> None:
    ready = Runtimes(RUNTIMES)
    noted = json.loads((RUNTIMES / "prepared/java.json").read_text())
    assert str(ready.java) == noted["executable"]
    assert java.release(ready.java) == 17
    assert ready.class_archive.is_file()
    names = [path.name for path in ready.spark_class_path]
    assert names[-2:] == ["hadoop-aws.jar", "aws-sdk.jar"]
    assert "spark-core_2.12-3.5.6.jar" in names
