"""The tasks of the one platform that runs of all kinds share."""

from __future__ import annotations

import pytest
from tests.local.ecs.cluster import Cluster
from tests.local.running_platform import Platform


@pytest.fixture(scope="session")
def cluster(platform: Platform) -> Cluster:
    return Cluster(platform)
