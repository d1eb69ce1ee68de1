"""One Penstock Local with the application deployed, shared by the end-to-end tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock_cli import deployment, local_instance

from .stack import Stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    instance = local_instance.start(tmp_path_factory.mktemp("e2e") / "local")
    try:
        yield Stack(instance, deployment.deploy(instance))
    finally:
        instance.stop()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The real CSV files, where this checkout has them beside it."""
    folder = Path(__file__).parents[3] / "shared" / "data" / "covid"
    if not (folder / "us.csv").exists():
        pytest.skip(f"the real data is not there: {folder}")
    return folder
