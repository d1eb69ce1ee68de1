"""What a Distributed Map takes in and gives out: its reader, its batcher and its writer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from penstock_local.asl import template
from penstock_local.asl.inline_map import item_input
from penstock_local.asl.integrations import Caller
from penstock_local.asl.item_batcher import batches, child_input
from penstock_local.asl.item_reader import read_items
from penstock_local.asl.limits import within_limit
from penstock_local.asl.result_writer import ChildResult, as_output
from penstock_local.asl.result_writer import write_results as write_files
from penstock_local.asl.values import compact
from penstock_local.asl.visit import MapItem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock_local.asl.interpreter import Interpreter
    from penstock_local.asl.map_run import MapRun
    from penstock_local.asl.values import Json
    from penstock_local.asl.visit import Visit

STATE_DATA = "STATE_DATA"
"""`$states.context.Map.Item.Source` of items that come from the state itself."""

_SELECTED_IN_ONE_GO = 100


async def plan_work(
    scope: Interpreter, visit: Visit, run: MapRun, items: list[Json] | None
) -> None:
    """Divide the items among the children; `items` is None when an ItemReader has to read them.

    Without a batcher every item is a child, and the ItemSelector is applied at its start.
    """
    run.source = STATE_DATA
    if items is None:
        reader = _rendered(scope, visit, "ItemReader")
        run.source = _source(reader)
        items = await read_items(scope.services.integrations.s3, _caller(scope), reader)
    if "ItemBatcher" not in visit.state:
        run.plan(items, [1] * len(items), selects=True)
        return
    batcher = _rendered(scope, visit, "ItemBatcher")
    selected = await _selected(scope, visit, run, items)
    groups = batches(selected, batcher)
    inputs = [child_input(group, batcher) for group in groups]
    run.plan(inputs, [len(group) for group in groups], selects=False)


async def map_result(scope: Interpreter, visit: Visit, run: MapRun) -> Json:
    """The result of the state: where its ResultWriter wrote, or what the children gave."""
    children = _results(run)
    if "ResultWriter" not in visit.state:
        result: Json = as_output(children, {"Transformation": "COMPACT"})
        within_limit(result, visit.name)
        return result
    writer = _rendered(scope, visit, "ResultWriter")
    if "Arguments" not in writer:
        result = as_output(children, writer.get("WriterConfig") or {})
        within_limit(result, visit.name)
        return result
    told = list(children)
    return await write_files(scope.services.integrations.s3, _caller(scope), writer, run.arn, told)


def _rendered(scope: Interpreter, visit: Visit, field: str) -> dict[str, Any]:
    value: dict[str, Any] = template.render(visit.state[field], scope.expressions(visit), field)
    return value


def _caller(scope: Interpreter) -> Caller:
    machine = scope.execution.machine
    return Caller(machine.role_arn, machine.region)


def _source(reader: dict[str, Any]) -> str:
    arguments = reader.get("Arguments") or {}
    bucket, key = arguments.get("Bucket", ""), arguments.get("Key")
    return f"s3://{bucket}/{key}" if key else f"s3://{bucket}"


async def _selected(scope: Interpreter, visit: Visit, run: MapRun, items: list[Json]) -> list[Json]:
    selected = []
    for index, value in enumerate(items):
        selected.append(item_input(scope, visit, MapItem(index, value, run.source)))
        if index % _SELECTED_IN_ONE_GO == 0:
            await asyncio.sleep(0)  # others have their turn
    return selected


def _results(run: MapRun) -> Iterator[ChildResult]:
    for index, child in enumerate(run.children):
        if child is None:
            yield ChildResult("PENDING", compact(run.work[index]), run.machine.arn)
            continue
        yield ChildResult(
            status=child.status.value,
            input=child.input_text,
            state_machine_arn=run.machine.arn,
            execution_arn=child.arn,
            name=child.name,
            output=child.output,
            error=child.error,
            cause=child.cause,
            started=child.started,
            stopped=child.stopped,
            redrive_count=child.redrive_count,
        )
