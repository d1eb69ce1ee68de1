"""Items in batches: how many, how large, and what a child gets."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_local.asl.errors import StateError
from penstock_local.asl.item_batcher import batches, child_input
from penstock_local.asl.values import PAYLOAD_LIMIT, size

ITEMS = [{"n": number} for number in range(10)]


def test_a_batch_has_at_most_so_many_items() -> None:
    found = batches(ITEMS, {"MaxItemsPerBatch": 4})
    assert [len(batch) for batch in found] == [4, 4, 2]
    assert [item for batch in found for item in batch] == ITEMS


def test_a_batch_has_at_most_so_many_bytes_of_input() -> None:
    most = size({"Items": ITEMS[:3]})
    found = batches(ITEMS, {"MaxInputBytesPerBatch": most})
    assert [len(batch) for batch in found] == [3, 3, 3, 1]
    found = batches(ITEMS, {"MaxInputBytesPerBatch": most - 1})
    assert [len(batch) for batch in found] == [2, 2, 2, 2, 2]


def test_the_batch_input_counts_as_input() -> None:
    batcher = {"BatchInput": {"bucket": "é" * 50}}
    limited = {**batcher, "MaxInputBytesPerBatch": size(child_input(ITEMS[:2], batcher))}
    assert [len(batch) for batch in batches(ITEMS, limited)] == [2] * 5


def test_the_smaller_of_both_limits_counts() -> None:
    most = size({"Items": ITEMS[:3]})
    batcher = {"MaxItemsPerBatch": 2, "MaxInputBytesPerBatch": most}
    assert [len(batch) for batch in batches(ITEMS, batcher)] == [2] * 5


def test_an_item_that_is_too_large_gets_a_child_of_its_own() -> None:
    items = ["a", "b" * 100, "c"]
    assert batches(items, {"MaxInputBytesPerBatch": 50}) == [["a"], ["b" * 100], ["c"]]


def test_no_batch_exceeds_what_a_child_can_take() -> None:
    items = ["x" * 1000] * 600
    found = batches(items, {"MaxItemsPerBatch": 1000})
    assert len(found) > 1
    assert all(size({"Items": batch}) <= PAYLOAD_LIMIT for batch in found)
    assert batches(items, {"MaxInputBytesPerBatch": 10**9}) == found


def test_nothing_makes_no_batch() -> None:
    assert batches([], {"MaxItemsPerBatch": 3}) == []


def test_a_child_gets_the_batch_input_before_the_items() -> None:
    assert list(child_input([1], {"BatchInput": {"a": 1}}).items()) == [
        ("BatchInput", {"a": 1}),
        ("Items", [1]),
    ]
    assert child_input([1], {"MaxItemsPerBatch": 1}) == {"Items": [1]}


@pytest.mark.parametrize("field", ["MaxItemsPerBatch", "MaxInputBytesPerBatch"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "3", True])
def test_a_limit_that_is_no_number_of_items_or_bytes_is_refused(field: str, value: Any) -> None:
    with pytest.raises(StateError, match=f"States.Runtime: The field '{field}' must be"):
        batches(ITEMS, {field: value})


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text(max_size=30), max_size=40),
    st.integers(1, 10),
    st.integers(1, 300),
)
def test_batches_hold_all_items_in_order_and_keep_the_limits(
    items: list[str], most: int, most_bytes: int
) -> None:
    batcher = {"MaxItemsPerBatch": most, "MaxInputBytesPerBatch": most_bytes, "BatchInput": "é"}
    found = batches(items, batcher)
    assert [item for batch in found for item in batch] == items
    for batch in found:
        assert 1 <= len(batch) <= most
        assert len(batch) == 1 or size(child_input(batch, batcher)) <= most_bytes
    for batch, following in pairwise(found):
        larger = [*batch, following[0]]
        assert len(larger) > most or size(child_input(larger, batcher)) > most_bytes
