"""Fixtures of the engine's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.local.asl.world import World, world


@pytest.fixture
def asl() -> Iterator[World]:
    """An engine whose waits take no time."""
    with world() as made:
        yield made
