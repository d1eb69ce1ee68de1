"""A Map state under test: everything but its iterations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock_local.asl import item_formats, template
from penstock_local.asl.api import ApiError
from penstock_local.asl.errors import (
    EXCEED_TOLERATED_FAILURE_THRESHOLD,
    ITEM_READER_FAILED,
    StateError,
)
from penstock_local.asl.inline_map import item_input, max_concurrency, state_items
from penstock_local.asl.item_batcher import batches, child_input
from penstock_local.asl.item_reader import MOST_ITEMS
from penstock_local.asl.map_items import STATE_DATA
from penstock_local.asl.values import Json, compact
from penstock_local.asl.visit import MapItem

if TYPE_CHECKING:
    from penstock_local.asl.test_state.probe import Probe
    from penstock_local.asl.visit import Visit

_ALL_PER_CENT = 100


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How many failed iterations a Map state puts up with; without limits it was not asked to."""

    count: float | None
    percentage: float | None

    def exceeded(self, failed: int, items: int) -> bool:
        """Whether so many failed ones of so many are too many."""
        if self.count is not None and failed > self.count:
            return True
        if self.percentage is None or items == 0:
            return False
        return failed * _ALL_PER_CENT > self.percentage * items


class MapTrial:
    """Evaluates the fields of a Map state, and notes in `inspection` what they give.

    `reader_data` is what an ItemReader would have read; without it a state that has a reader is
    tested without items.
    """

    def __init__(
        self, probe: Probe, visit: Visit, inspection: dict[str, Any], reader_data: str | None
    ) -> None:
        self._probe = probe
        self._visit = visit
        self._inspection = inspection
        self._reader_data = reader_data
        self.items: list[Json] | None = None

    def evaluate(self) -> None:
        """Go through the fields in the order of an execution; EvaluationError or StateError."""
        self.items = self._items()
        self._inspection["maxConcurrency"] = max_concurrency(self._probe, self._visit)
        tolerance = self.tolerance()
        if tolerance.count is not None:
            self._inspection["toleratedFailureCount"] = int(tolerance.count)
        if tolerance.percentage is not None:
            self._inspection["toleratedFailurePercentage"] = float(tolerance.percentage)
        if self.items is not None:
            self._batch(self._select(self.items))

    def tolerance(self) -> Tolerance:
        """What the state tolerates."""
        return Tolerance(
            self._number("ToleratedFailureCount"), self._number("ToleratedFailurePercentage")
        )

    def require_possible(self, failed: int) -> None:
        """Refuse (ValidationException) more failed items than there are."""
        if self.items is not None and failed > len(self.items):
            raise ApiError(
                "ValidationException",
                "The field 'mapIterationFailureCount' of stateConfiguration exceeds the number of"
                " items",
            )

    def require_tolerated(self, failed: int) -> None:
        """Raise States.ExceedToleratedFailureThreshold when so many failed items are too many."""
        if self.tolerance().exceeded(failed, len(self.items or ())):
            raise exceeded()

    def _number(self, field: str) -> float | None:
        state, scope = self._visit.state, self._probe.expressions(self._visit)
        if field not in state:
            return None
        number: float = template.render_as(state[field], scope, field, "number")
        return number

    def _items(self) -> list[Json] | None:
        if "ItemReader" not in self._visit.state:
            return state_items(self._probe, self._visit)
        reader = template.render(
            self._visit.state["ItemReader"], self._probe.expressions(self._visit), "ItemReader"
        )
        if self._reader_data is None:
            return None
        config = reader.get("ReaderConfig") or {}
        try:
            items = item_formats.parse(
                self._reader_data.encode(), config, int(config.get("MaxItems") or MOST_ITEMS)
            )
        except item_formats.ItemSourceError as error:
            raise StateError(ITEM_READER_FAILED, str(error)) from error
        if config.get("ItemsPointer"):
            self._inspection["afterItemsPointer"] = compact(items)
        return items

    def _select(self, items: list[Json]) -> list[Json]:
        if "ItemSelector" not in self._visit.state:
            return items
        selected = [
            item_input(self._probe, self._visit, MapItem(index, value, self._source))
            for index, value in enumerate(items)
        ]
        self._inspection["afterItemSelector"] = compact(selected)
        return selected

    @property
    def _source(self) -> str | None:
        config = self._visit.state["ItemProcessor"].get("ProcessorConfig", {})
        return STATE_DATA if config.get("Mode") == "DISTRIBUTED" else None

    def _batch(self, items: list[Json]) -> None:
        if "ItemBatcher" not in self._visit.state:
            return
        scope = self._probe.expressions(self._visit)
        batcher = template.render(self._visit.state["ItemBatcher"], scope, "ItemBatcher")
        inputs = [child_input(batch, batcher) for batch in batches(items, batcher)]
        self._inspection["afterItemBatcher"] = compact(inputs)


def exceeded() -> StateError:
    """The error of a Map state too many of whose items have failed."""
    return StateError(
        EXCEED_TOLERATED_FAILURE_THRESHOLD,
        "The specified tolerated failure threshold was exceeded",
    )
