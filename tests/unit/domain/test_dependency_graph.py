"""The graph of dependencies, also where it is deep, wide or wrong."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from penstock.domain.dependency_graph import (
    cycles,
    descendants,
    downstream,
    in_order,
    longest_remaining,
)

DIAMOND = {"load": ["left", "right"], "left": ["extract"], "right": ["extract"], "extract": []}


def by_name(name: str) -> tuple[float, str]:
    return (0, name)


def test_downstream_turns_the_arrows_round() -> None:
    assert downstream(DIAMOND) == {
        "load": [],
        "left": ["load"],
        "right": ["load"],
        "extract": ["left", "right"],
    }


def test_the_descendants_are_everything_below_and_nothing_beside() -> None:
    dependents = downstream({**DIAMOND, "other": []})
    assert descendants(["left"], dependents) == {"load"}
    assert descendants(["extract"], dependents) == {"left", "right", "load"}
    assert descendants(["load", "other"], dependents) == set()


def test_the_order_respects_dependencies_then_rank() -> None:
    assert in_order(DIAMOND, by_name) == ["extract", "left", "right", "load"]
    ranks = {"extract": 0.0, "left": 2.0, "right": 1.0, "load": 0.0}
    assert in_order(DIAMOND, lambda n: (ranks[n], n)) == ["extract", "right", "left", "load"]


def test_cycles_are_found_and_what_lies_below_them_is_not_part_of_them() -> None:
    graph = {"a": ["c"], "b": ["a"], "c": ["b"], "below": ["a"], "self": ["self"], "free": []}
    assert sorted(cycles(graph)) == [["a", "b", "c"], ["self"]]
    assert in_order(graph, by_name) == ["free"]


def test_two_cycles_that_touch_are_one_group() -> None:
    assert cycles({"a": ["b"], "b": ["a", "c"], "c": ["b"]}) == [["a", "b", "c"]]


def test_the_longest_path_counts_weights_and_not_jobs() -> None:
    weight = {"extract": 10.0, "left": 1.0, "right": 100.0, "load": 5.0}
    assert longest_remaining(DIAMOND, weight) == {
        "extract": 115.0,
        "left": 6.0,
        "right": 105.0,
        "load": 5.0,
    }


def test_a_chain_of_ten_thousand_jobs_is_no_deeper_than_the_stack_allows() -> None:
    names = [f"job{number}" for number in range(10_000)]
    chain = {
        name: names[number - 1 : number] if number else [] for number, name in enumerate(names)
    }
    assert in_order(chain, by_name) == names
    assert cycles(chain) == []
    assert longest_remaining(chain, dict.fromkeys(names, 1.0))["job0"] == 10_000
    assert len(descendants(["job0"], downstream(chain))) == 9_999
    ring = {**chain, "job0": ["job9999"]}
    assert [len(group) for group in cycles(ring)] == [10_000]


@st.composite
def graphs(draw: Any) -> dict[str, list[str]]:
    names = [f"n{number}" for number in range(draw(st.integers(1, 8)))]
    return {name: sorted(draw(st.sets(st.sampled_from(names), max_size=3))) for name in names}


@given(graphs())
def test_a_job_is_ordered_exactly_if_it_does_not_lie_on_or_below_a_cycle(
    graph: dict[str, list[str]],
) -> None:
    on_cycles = {name for group in cycles(graph) for name in group}
    dependents = downstream(graph)
    assert on_cycles == {name for name in graph if name in descendants([name], dependents)}
    ordered = in_order(graph, by_name)
    assert set(ordered) == graph.keys() - on_cycles - descendants(on_cycles, dependents)
    for name in ordered:
        assert all(ordered.index(other) < ordered.index(name) for other in graph[name])
