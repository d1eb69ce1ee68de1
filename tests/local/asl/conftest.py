"""Fixtures of the engine's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.local.asl.api_world import Api
from tests.local.asl.api_world import api as api_world
from tests.local.asl.world import World, world


@pytest.fixture
def asl() -> Iterator[World]:
    """An engine whose waits take no time."""
    with world() as made:
        yield made


@pytest.fixture
def sfn() -> Iterator[Api]:
    """The Step Functions API over such an engine."""
    with api_world() as made:
        yield made
