"""One platform for all tests of job runs, and one Spark job for most tests of Spark."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from tests.local.running_platform import REPOSITORY, Platform


@pytest.fixture(scope="session")
def runtimes() -> None:
    command = [sys.executable, "-m", "penstock_local.runtimes"]
    subprocess.run(command, cwd=REPOSITORY, check=True)


@pytest.fixture(scope="session")
def platform(runtimes: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    one = Platform(tmp_path_factory.mktemp("platform") / "home")
    yield one
    one.stop()
