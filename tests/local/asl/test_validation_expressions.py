"""Expressions and variables of a definition, and which states read which."""

from __future__ import annotations

from typing import Any

import pytest
from tests.local.asl.diagnosed import findings, of_state
from tests.local.asl.world import LAMBDA, machine, one

from penstock_local.asl import validation

TASK = {"Type": "Task", "Resource": LAMBDA, "Arguments": {"FunctionName": "f"}}
CATCH = {"ErrorEquals": ["X"], "Next": "A"}
BROKEN = "{% $f( %}"
FAULT = 'INVALID_JSONATA_EXPRESSION: Expected ")" before end of expression at /States/Only/'


# Where expressions stand


@pytest.mark.parametrize(
    ("state", "location"),
    [
        ({"Type": "Pass", "Output": BROKEN}, "Output"),
        ({"Type": "Pass", "Output": {"a": [1, {"b": BROKEN}]}}, "Output/a[1]/b"),
        ({"Type": "Pass", "Assign": {"x": BROKEN}}, "Assign/x"),
        ({"Type": "Pass", "Output": {"Type": BROKEN}}, "Output/Type"),
        ({**TASK, "Arguments": {"FunctionName": BROKEN}}, "Arguments/FunctionName"),
        ({**TASK, "TimeoutSeconds": BROKEN}, "TimeoutSeconds"),
        ({**TASK, "Catch": [{**CATCH, "Output": BROKEN}]}, "Catch[0]/Output"),
        ({**TASK, "Catch": [{**CATCH, "Assign": {"e": BROKEN}}]}, "Catch[0]/Assign/e"),
        ({"Type": "Wait", "Seconds": BROKEN}, "Seconds"),
        ({"Type": "Wait", "Timestamp": BROKEN}, "Timestamp"),
        ({"Type": "Fail", "Error": BROKEN}, "Error"),
        ({"Type": "Fail", "Cause": BROKEN}, "Cause"),
        (
            {"Type": "Choice", "Choices": [{"Condition": BROKEN, "Next": "A"}]},
            "Choices[0]/Condition",
        ),
        (
            {"Type": "Choice", "Choices": [{"Condition": True, "Next": "A", "Output": BROKEN}]},
            "Choices[0]/Output",
        ),
    ],
)
def test_an_expression_that_is_no_jsonata_is_found_where_it_stands(
    state: dict[str, Any], location: str
) -> None:
    assert of_state(state) == [f"{FAULT}{location}"]


@pytest.mark.parametrize(
    ("field", "value", "location"),
    [
        ("Items", [BROKEN], "Items[0]"),
        ("ItemSelector", {"a": BROKEN}, "ItemSelector/a"),
        ("MaxConcurrency", BROKEN, "MaxConcurrency"),
        ("ItemBatcher", {"MaxItemsPerBatch": BROKEN}, "ItemBatcher/MaxItemsPerBatch"),
        (
            "ResultWriter",
            {"Resource": "arn:aws:states:::s3:putObject", "Arguments": {"Bucket": BROKEN}},
            "ResultWriter/Arguments/Bucket",
        ),
    ],
)
def test_expressions_of_a_map_are_looked_at(field: str, value: Any, location: str) -> None:
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    processor = {**one({"Type": "Pass"}, name="Inner"), "ProcessorConfig": config}
    state = {"Type": "Map", "ItemProcessor": processor, field: value}
    assert of_state(state) == [f"{FAULT}{location}"]


def test_expressions_inside_are_found_with_the_whole_way_to_them() -> None:
    inner = one({"Type": "Pass", "Output": BROKEN}, name="Inner")
    (finding,) = of_state({"Type": "Parallel", "Branches": [inner]})
    assert finding == f"{FAULT}Branches[0]/States/Inner/Output"


@pytest.mark.parametrize(
    "state",
    [
        {"Type": "Pass", "Comment": BROKEN},
        {"Type": "Pass", "Output": f" {BROKEN}"},
        {"Type": "Pass", "Output": {BROKEN: 1}},
        {**TASK, "Retry": [{"ErrorEquals": [BROKEN]}]},
    ],
)
def test_what_is_not_evaluated_may_say_anything(state: dict[str, Any]) -> None:
    assert of_state(state) == []


@pytest.mark.parametrize("text", ["{% $x", "{% $x %} "])
def test_what_begins_as_an_expression_must_end_as_one(text: str) -> None:
    assert of_state({"Type": "Pass", "Output": text}) == [
        "JSONata string must start with {% and end with %} at /States/Only/Output"
    ]


# What expressions may read


@pytest.mark.parametrize(
    ("expression", "finding"),
    [
        ("name", "Reference to 'name' at the top level is not supported."),
        ("$", "Reference to '$' at the top level is not supported."),
        ("$$.name", "Reference to '$$' is not supported."),
        ("$states.output", "Field '$states.output' does not exist."),
        ("$states.result", "Field '$states.result' does not exist."),
        ("$states.errorOutput", "Field '$states.errorOutput' does not exist."),
    ],
)
def test_an_expression_reads_variables_and_states_only(expression: str, finding: str) -> None:
    assert of_state({"Type": "Pass", "Output": f"{{% {expression} %}}"}) == [
        f"UNSUPPORTED_JSONATA_EXPRESSION: {finding} at /States/Only/Output"
    ]


def test_there_is_a_result_once_the_work_is_done() -> None:
    result = "{% $states.result %}"
    for field, value in (("Output", result), ("Assign", {"x": result})):
        assert of_state({**TASK, field: value}) == []
    assert len(of_state({**TASK, "Arguments": {"FunctionName": result}})) == 1
    assert len(of_state({**TASK, "Catch": [{**CATCH, "Output": result}]})) == 1


def test_there_is_an_error_output_in_a_catcher_only() -> None:
    output = "{% $states.errorOutput.Cause %}"
    assert of_state({**TASK, "Catch": [{**CATCH, "Output": output}]}) == []
    assert len(of_state({**TASK, "Output": output})) == 1


def test_a_variable_that_nobody_assigns_is_no_fault() -> None:
    assert of_state({"Type": "Pass", "Output": "{% $nobody %}"}) == []


# Variables


def assigning(name: str) -> list[str]:
    return of_state({"Type": "Pass", "Assign": {name: 1}})


@pytest.mark.parametrize("name", ["x", "runId", "snake_case", "x1", "größe", "x" * 80])
def test_a_variable_has_the_name_of_an_identifier(name: str) -> None:
    assert assigning(name) == []


@pytest.mark.parametrize("name", ["1x", "a-b", "a b", "", "$x", "_x", "a.b"])
def test_a_variable_has_no_other_name(name: str) -> None:
    assert assigning(name) == [
        (
            f"INVALID_VARIABLE_NAME: Invalid variable name '{name}': the variable name contains"
            f" invalid characters. at /States/Only/Assign/{name}"
        )
    ]


def test_the_name_of_a_variable_has_eighty_characters_at_most() -> None:
    (finding,) = assigning("x" * 81)
    assert "the variable name exceeds the 80-character limit." in finding


def test_states_cannot_be_assigned() -> None:
    assert assigning("states") == [
        (
            "RESERVED_VARIABLE_NAME: Cannot assign to reserved variable '$states'. at"
            " /States/Only/Assign/states"
        )
    ]


def test_assignments_of_rules_and_catchers_are_looked_at() -> None:
    rule = {"Condition": True, "Next": "A", "Assign": {"states": 1}}
    (finding,) = of_state({"Type": "Choice", "Choices": [rule]})
    assert finding.endswith("/States/Only/Choices[0]/Assign/states")
    (finding,) = of_state({**TASK, "Catch": [{**CATCH, "Assign": {"states": 1}}]})
    assert finding.endswith("/States/Only/Catch[0]/Assign/states")


def scopes(kind: str, **config: str) -> dict[str, Any]:
    """A machine that assigns x outside of a Map or Parallel state and in it."""
    inner = one({"Type": "Pass", "Assign": {"x": 2}}, name="Inner")
    if config:
        inner["ProcessorConfig"] = config
    outer = {"Branches": [inner]} if kind == "Parallel" else {"Items": [1], "ItemProcessor": inner}
    first = {"Type": "Pass", "Assign": {"x": 1}, "Next": "Both"}
    return machine("First", First=first, Both={"Type": kind, **outer, "End": True})


@pytest.mark.parametrize("kind", ["Parallel", "Map"])
def test_an_inner_scope_cannot_assign_an_outer_variable(kind: str) -> None:
    (finding,) = findings(scopes(kind))
    assert finding.startswith(
        "DUPLICATE_VARIABLE_NAME: The variable name 'x' was already defined in a parent scope. at"
    )


def test_the_children_of_a_distributed_map_have_variables_of_their_own() -> None:
    assert findings(scopes("Map", Mode="DISTRIBUTED", ExecutionType="STANDARD")) == []


def test_scopes_side_by_side_may_use_the_same_name() -> None:
    branches = [one({"Type": "Pass", "Assign": {"x": 1}}, name=name) for name in "CD"]
    assert of_state({"Type": "Parallel", "Branches": branches}) == []


# References


def test_states_are_told_with_the_variables_they_read() -> None:
    inner = one({"Type": "Pass", "Output": "{% $z %}"}, name="Inner")
    states = {
        "Guess": {"Type": "Pass", "Assign": {"x": "{% $y & $a %}"}, "Next": "Check"},
        "Check": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $x = 1 %}", "Next": "Both"}],
            "Default": "Both",
        },
        "Both": {
            "Type": "Parallel",
            "Branches": [inner],
            "Catch": [{**CATCH, "Output": "{% $failed %}", "Next": "End"}],
            "Next": "End",
        },
        "End": {"Type": "Succeed", "Output": "{% $states.input %}"},
    }
    definition = {"StartAt": "Guess", "States": states}
    assert validation.variable_references(definition) == {
        "Guess": ["a", "y"],
        "Check": ["x"],
        "Both": ["failed"],
        "Inner": ["z"],
    }


def test_names_bound_in_an_expression_are_no_references() -> None:
    expression = "{% ($n := $x; $map($n, function($v){$v + $y})) ~> $sum() %}"
    definition = one({"Type": "Pass", "Output": expression})
    assert validation.variable_references(definition) == {"Only": ["x", "y"]}
