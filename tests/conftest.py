"""How `make test` shares tests out to processes: who shares an expensive part stays together."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
TOGETHER = (
    "e2e",
    "unit/glue",
    "crash",
    "proof",
    "local/glue",
    "local/asl/integrations",
    "local/redshift",
)
"""Folders whose tests share a platform, a Spark or a database. The longest come first."""


@pytest.hookimpl(tryfirst=True)  # before xdist looks for the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let folders that belong together, and else the tests of one file, run in one process."""
    if not hasattr(config, "workerinput"):
        return
    items.sort(key=lambda item: _rank(_group(item)))
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))


def _group(item: pytest.Item) -> str:
    path = item.path.relative_to(HERE).as_posix()
    return next((folder for folder in TOGETHER if path.startswith(f"{folder}/")), path)


def _rank(group: str) -> int:
    return TOGETHER.index(group) if group in TOGETHER else len(TOGETHER)
