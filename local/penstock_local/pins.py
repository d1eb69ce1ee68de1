"""The one place that knows which ministack these repairs were written for.

Penstock Local replaces private names of ministack. A release that moves one of them must stop
the launcher with a sentence, not misbehave later.
"""

from __future__ import annotations

import importlib.metadata
from typing import Any

MINISTACK_VERSION = "1.5.33"


class PlatformMovedError(RuntimeError):
    """ministack is not the one that Penstock Local was written for."""


def require_version() -> None:
    """Refuse any other ministack than the pinned one."""
    found = importlib.metadata.version("ministack")
    if found != MINISTACK_VERSION:
        raise PlatformMovedError(
            f"Penstock Local needs ministack=={MINISTACK_VERSION}, found {found}: "
            "run `make setup`, which installs what uv.lock names"
        )


def require(condition: bool, what: str) -> None:
    """Stop with a message that names what moved, unless `condition` holds."""
    if not condition:
        raise PlatformMovedError(
            f"ministack {importlib.metadata.version('ministack')} has moved {what}, "
            "which Penstock Local replaces: mend the repair before changing the pin"
        )


def replace(owner: Any, name: str, replacement: Any) -> Any:
    """Put `replacement` in the place of `owner.name` and return what was there.

    Raises PlatformMovedError when there is nothing of that name to replace.
    """
    label = getattr(owner, "__name__", type(owner).__name__)
    require(hasattr(owner, name), f"{label}.{name}")
    original = getattr(owner, name)
    setattr(owner, name, replacement)
    return original
