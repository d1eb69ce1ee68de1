"""One platform for all tests of the Data API, and a database for each test."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.local.redshift.data_api import ACCOUNT, REGION, WORKGROUP, Database, Platform
from tests.local.redshift.sql_session import SqlSession

from penstock_local.redshift.place import Place


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    one = Platform(tmp_path_factory.mktemp("redshift") / "home")
    yield one
    one.stop()


@pytest.fixture(scope="session")
def client(platform: Platform) -> Any:
    return platform.client("redshift-data")


@pytest.fixture
def database(client: Any) -> Database:
    return Database(client, f"db_{uuid.uuid4().hex[:8]}")


@pytest.fixture
def sql(tmp_path: Path) -> Iterator[SqlSession]:
    """A session without a platform, for what only concerns SQL."""
    one = SqlSession(Place(ACCOUNT, REGION, "workgroup", WORKGROUP, "dev"), tmp_path)
    yield one
    one.close()
