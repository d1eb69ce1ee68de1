"""How `make test` shares tests out to processes: who shares an expensive part stays together."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
TOGETHER: dict[str, tuple[str, ...]] = {
    "e2e": ("stack",),
    "unit/glue": ("spark", "platform", "postgres", "mariadb"),
    "crash": (),
    "proof": (),
    "local/glue": (),
    "local/asl/integrations": (),
    "local/redshift": (),
}
"""Folders whose tests share a platform, a Spark or a database; the longest come first.

Where only some tests of a folder do, the fixtures that they share are named: the first that a test
has says with whom it stays.
"""


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
    folder = next((folder for folder in TOGETHER if path.startswith(f"{folder}/")), None)
    if folder is None:
        return path
    shared = TOGETHER[folder]
    used = next((name for name in shared if name in getattr(item, "fixturenames", ())), None)
    if shared and used is None:
        return path
    return f"{folder} {used}" if used else folder


def _rank(group: str) -> int:
    return next(
        (place for place, folder in enumerate(TOGETHER) if group.startswith(folder)), len(TOGETHER)
    )
