"""What a Distributed Map takes in and gives out: its reader, its batcher and its writer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock_local.asl.interpreter import Interpreter
    from penstock_local.asl.map_run import MapRun
    from penstock_local.asl.values import Json
    from penstock_local.asl.visit import Visit


async def plan_work(
    scope: Interpreter, visit: Visit, run: MapRun, items: list[Json] | None
) -> None:
    """Read the items if the state has a reader, and divide them among the children."""
    assert items is not None
    run.source = "STATE_DATA"
    run.plan(items, [1] * len(items), selects=True)


async def write_results(scope: Interpreter, visit: Visit, run: MapRun) -> Json:
    """Write what the children did to S3; the result of the state says where."""
    raise NotImplementedError
