"""Map in inline mode: the iterations are part of the execution and of its history."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from penstock_local.asl import template
from penstock_local.asl.errors import EvaluationError
from penstock_local.asl.fan_out import FanOut
from penstock_local.asl.limits import within_limit
from penstock_local.asl.values import compact
from penstock_local.asl.visit import MapItem

if TYPE_CHECKING:
    from penstock_local.asl.interpreter import Interpreter
    from penstock_local.asl.values import Json
    from penstock_local.asl.visit import Visit

MOST_AT_ONCE = 40
"""Iterations that the service runs at the same time, whatever MaxConcurrency says."""


async def perform_inline_map(scope: Interpreter, visit: Visit) -> Json:
    """Run the iterations of one attempt; the result is their outputs in the order of the items."""
    items = state_items(scope, visit)
    most = max_concurrency(scope, visit) or MOST_AT_ONCE
    scope.trail.record("MapStateStarted", {"length": len(items)})
    iterations = _Iterations(scope, visit, items)
    await iterations.run(min(most, MOST_AT_ONCE))
    scope.trail.note("MapStateSucceeded")
    outputs = iterations.outputs()
    within_limit(outputs, visit.name)
    return outputs


def state_items(scope: Interpreter, visit: Visit) -> list[Json]:
    """The items of a Map: its Items, or else the state's input, which must be a list."""
    if "Items" in visit.state:
        items: list[Json] = template.render_as(
            visit.state["Items"], scope.expressions(visit), "Items", "array"
        )
        return items
    if not isinstance(visit.input, list):
        raise EvaluationError(
            f"Map state input must be an array but was: {compact(visit.input)}", None
        )
    return visit.input


def item_processor(state: dict[str, Any]) -> dict[str, Any]:
    """What a Map does with each item; `Iterator` is its older name."""
    processor: dict[str, Any] = state.get("ItemProcessor") or state["Iterator"]
    return processor


def max_concurrency(scope: Interpreter, visit: Visit) -> int:
    """MaxConcurrency; 0, which is also what an absent field means, sets no limit of its own."""
    field = visit.state.get("MaxConcurrency", 0)
    limit = template.render_as(field, scope.expressions(visit), "MaxConcurrency", "number")
    return max(0, int(limit))


def item_input(scope: Interpreter, visit: Visit, item: MapItem) -> Json:
    """What an iteration gets: the item itself, or what the ItemSelector makes of it."""
    if "ItemSelector" not in visit.state:
        return item.value
    return template.render(
        visit.state["ItemSelector"], scope.expressions(visit, item), "ItemSelector"
    )


class _Iterations:
    """The iterations of one attempt, taken in order by as many lanes as may run at once."""

    def __init__(self, scope: Interpreter, visit: Visit, items: list[Json]) -> None:
        self._scope = scope
        self._visit = visit
        self._items = [MapItem(index, value) for index, value in enumerate(items)]
        self._inputs = [item_input(scope, visit, item) for item in self._items]
        self._fan_out = FanOut(scope, visit, "Map")
        self._last = scope.trail.last
        self._processor: dict[str, Any] = item_processor(visit.state)

    async def run(self, most: int) -> None:
        """Run all iterations that have not succeeded yet, at most so many at once."""
        progress = self._scope.progress
        waiting = iter(
            [item.index for item in self._items if not progress.branch(item.index).finished]
        )
        started = [index for _, index in zip(range(most), waiting, strict=False)]
        trails = {index: self._scope.trail.fork() for index in started}
        for index, trail in trails.items():
            trail.record("MapIterationStarted", self._name(index))
        await self._fan_out.gather(
            [self._lane(index, trail, waiting) for index, trail in trails.items()]
        )
        self._scope.trail.last = self._last

    def outputs(self) -> list[Json]:
        """The outputs in the order of the items."""
        branch = self._scope.progress.branch
        return [branch(item.index).output for item in self._items]

    async def _lane(self, index: int, trail: Any, waiting: Iterator[int]) -> None:
        """One iteration after the other; each but the first starts from its forerunner's end."""
        while True:
            item = self._items[index]
            value = self._inputs[index]
            await self._fan_out.branch(index, self._processor, value, trail, item)
            self._last = trail.note("MapIterationSucceeded", self._name(index))
            following = next(waiting, None)
            if following is None:
                return
            index = following
            trail.record("MapIterationStarted", self._name(index))

    def _name(self, index: int) -> dict[str, Any]:
        return {"name": self._visit.name, "index": index}
