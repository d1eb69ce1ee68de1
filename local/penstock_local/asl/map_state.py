"""Map: which of its two modes a state runs in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock_local.asl.distributed_map import perform_distributed_map
from penstock_local.asl.inline_map import item_processor, perform_inline_map

if TYPE_CHECKING:
    from penstock_local.asl.interpreter import Interpreter
    from penstock_local.asl.values import Json
    from penstock_local.asl.visit import Visit


async def perform_map(scope: Interpreter, visit: Visit) -> Json:
    """Run one attempt of a Map in the mode that its processor names."""
    if is_distributed(visit.state):
        return await perform_distributed_map(scope, visit)
    return await perform_inline_map(scope, visit)


def is_distributed(state: dict[str, Any]) -> bool:
    """Whether a Map state starts child executions instead of running iterations itself."""
    configuration = item_processor(state).get("ProcessorConfig", {})
    return bool(configuration.get("Mode", "INLINE") == "DISTRIBUTED")
