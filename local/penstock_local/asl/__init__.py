"""An engine for Amazon States Language, JSONata only: the Step Functions of Penstock Local."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock_local.settings import LocalSettings


def install(settings: LocalSettings) -> None:
    """Put this engine in the place of ministack's Step Functions."""
    # Imported here, for they import ministack, which the language does not need.
    from penstock_local.asl import machines, service, test_state

    service.install(settings)
    machines.install(settings)
    test_state.install(settings)
