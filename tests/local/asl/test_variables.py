"""Workflow variables: who sees them, who may assign them, and when."""

from __future__ import annotations

from typing import Any

import pytest
from tests.local.asl.world import LAMBDA, World, machine, one, output

from penstock_local.asl.errors import StateError
from penstock_local.asl.variables import Variables

SHOW = {"Type": "Pass", "Output": "{% $x %}", "End": True}


def test_a_variable_outlives_the_states(asl: World) -> None:
    definition = machine(
        "Set",
        Set={"Type": "Pass", "Assign": {"x": "{% $states.input + 1 %}"}, "Next": "Between"},
        Between={"Type": "Pass", "Output": {}, "Next": "Show"},
        Show=SHOW,
    )
    assert output(asl.run(definition, 41)) == 42


def test_output_and_assign_see_the_values_from_before_the_state(asl: World) -> None:
    definition = machine(
        "Old",
        Old={"Type": "Pass", "Assign": {"x": 1, "y": 10}, "Next": "New"},
        New={
            "Type": "Pass",
            "Assign": {"x": "{% $y %}", "y": "{% $x %}"},
            "Output": "{% $x %}",
            "Next": "Show",
        },
        Show={"Type": "Pass", "Output": "{% [$states.input, $x, $y] %}", "End": True},
    )
    assert output(asl.run(definition)) == [1, 10, 1]


def test_assign_sees_the_result_of_a_task(asl: World) -> None:
    asl.services.answers[LAMBDA] = lambda _: {"n": 7}
    definition = machine(
        "Call",
        Call={
            "Type": "Task",
            "Resource": LAMBDA,
            "Assign": {"x": "{% $states.result.n %}"},
            "Output": "{% $states.input %}",
            "Next": "Show",
        },
        Show=SHOW,
    )
    assert output(asl.run(definition)) == 7


def within(inner: dict[str, Any], kind: str) -> dict[str, Any]:
    """A machine that sets $x, then runs the state inside a branch or an iteration."""
    scope: dict[str, Any] = {"Type": "Parallel", "Branches": [one(inner)]}
    if kind == "Map":
        scope = {"Type": "Map", "Items": [1], "ItemProcessor": one(inner)}
    return machine(
        "Set",
        Set={"Type": "Pass", "Assign": {"x": 1}, "Next": "Inner"},
        Inner={**scope, "End": True},
    )


@pytest.mark.parametrize("kind", ["Map", "Parallel"])
def test_an_inner_scope_reads_outer_variables(asl: World, kind: str) -> None:
    assert output(asl.run(within({"Type": "Pass", "Output": "{% $x %}"}, kind))) == [1]


@pytest.mark.parametrize("kind", ["Map", "Parallel"])
def test_an_inner_scope_cannot_assign_outer_variables(asl: World, kind: str) -> None:
    run = asl.run(within({"Type": "Pass", "Assign": {"x": 2}}, kind))
    assert run.error == "States.Runtime"
    assert "'x'" in (run.cause or "")


@pytest.mark.parametrize("kind", ["Map", "Parallel"])
def test_variables_of_an_inner_scope_end_with_it(asl: World, kind: str) -> None:
    definition = within({"Type": "Pass", "Assign": {"inner": 2}}, kind)
    definition["States"]["Inner"] = {**definition["States"]["Inner"], "Next": "Show"}
    del definition["States"]["Inner"]["End"]
    definition["States"]["Show"] = {"Type": "Pass", "Output": "{% $inner %}", "End": True}
    assert asl.run(definition).error == "States.QueryEvaluationError"


def test_a_fan_out_state_assigns_for_its_own_scope(asl: World) -> None:
    definition = machine(
        "Fan",
        Fan={
            "Type": "Map",
            "Items": [1, 2],
            "ItemProcessor": one({"Type": "Pass"}),
            "Assign": {"x": "{% $sum($states.result) %}"},
            "Next": "Show",
        },
        Show=SHOW,
    )
    assert output(asl.run(definition)) == 3


def test_children_of_a_distributed_map_see_no_outer_variables(asl: World) -> None:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED"},
        **one({"Type": "Pass", "Output": "{% $exists($x) %}"}),
    }
    definition = machine(
        "Set",
        Set={"Type": "Pass", "Assign": {"x": 1}, "Next": "Map"},
        Map={"Type": "Map", "Items": [1], "ItemProcessor": processor, "End": True},
    )
    assert output(asl.run(definition)) == [False]


def test_one_assign_may_have_256_kib() -> None:
    variables = Variables()
    variables.assign({"x": "a" * (256 * 1024 - 2)})
    with pytest.raises(StateError) as refused:
        variables.assign({"y": "a" * (256 * 1024 - 1)})
    assert refused.value.error == "States.DataLimitExceeded"
    assert set(variables.visible) == {"x"}


def test_all_variables_together_may_have_10_mib() -> None:
    variables = Variables()
    for number in range(40):
        variables.assign({f"x{number}": "a" * (256 * 1024 - 2)})
    with pytest.raises(StateError):
        variables.assign({"one_more": "a" * 1000})
