"""Fields of a state: which texts are expressions, what they give, and what they do wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_local.asl import template
from penstock_local.asl.errors import EvaluationError
from penstock_local.asl.values import compact

CONTEXT = {"Execution": {"Id": "e"}}
SCOPE = template.Scope({"n": 2, "who": None}, {"input": {"list": [1]}, "context": CONTEXT})


def render(value: Any, field: str = "Output") -> Any:
    return template.render(value, SCOPE, field)


def fault(value: Any, field: str = "Output") -> EvaluationError:
    """The error that rendering must end with."""
    with pytest.raises(EvaluationError) as raised:
        render(value, field)
    return raised.value


def mismatch(value: Any, expected: template.Expected, field: str = "Items") -> str:
    """What is said of a value that is not of the expected type."""
    with pytest.raises(EvaluationError) as raised:
        template.render_as(value, SCOPE, field, expected)
    assert raised.value.location == field
    return raised.value.detail


# What is an expression


@pytest.mark.parametrize("text", ["{% $n %}", "{%$n%}", "{%%}", "{%\n$n\n%}"])
def test_a_text_between_the_delimiters_is_an_expression(text: str) -> None:
    assert template.is_expression(text)


@pytest.mark.parametrize("value", [" {% $n %} ", "{% $n %} ", "x{% $n %}", "{% $n", "{%}", 1, None])
def test_anything_else_is_no_expression(value: Any) -> None:
    assert not template.is_expression(value)
    assert render(value) == value
    assert render([{"a": value}]) == [{"a": value}]


@given(st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_what_has_no_expression_in_it_stays_as_it_is(value: Any) -> None:
    if "{%" not in compact(value):
        assert render(value) == value


# What expressions see and give


def test_expressions_are_evaluated_wherever_they_stand() -> None:
    value = {"a": "{% $n + 1 %}", "b": ["{% $n %}", "n", {"c": "{% [$n] %}"}], "d": 1}
    assert render(value) == {"a": 3, "b": [2, "n", {"c": [2]}], "d": 1}


def test_names_of_members_are_no_expressions() -> None:
    assert render({"{% $n %}": "{% $n %}"}) == {"{% $n %}": 2}


def test_expressions_see_variables_and_states() -> None:
    assert render("{% $states.input.list %}") == [1]
    assert render("{% $states.context.Execution.Id %}") == "e"
    assert render("{% $states %}") == {"input": {"list": [1]}, "context": CONTEXT}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("{% null %}", None),
        ("{% $who %}", None),
        ("{% [] %}", []),
        ("{% {} %}", {}),
        ("{% '' %}", ""),
    ],
)
def test_null_and_what_is_empty_are_results_like_any_other(expression: str, value: Any) -> None:
    assert render(expression) == value


def test_what_expressions_give_is_not_searched_for_expressions() -> None:
    scope = template.Scope({"x": "{% 1 %}"}, {})
    assert template.render("{% $x %}", scope, "Output") == "{% 1 %}"


# What expressions do wrong


def test_an_undefined_result_is_an_error() -> None:
    error = fault("{%  $states.input.none  %}", "Arguments")
    assert error.location == "Arguments"
    assert error.detail == (
        "The JSONata expression '$states.input.none' specified for the field 'Arguments' returned"
        " nothing (undefined)."
    )


def test_an_undefined_member_is_an_error_too() -> None:
    error = fault({"a": 1, "b": {"c": "{% $none %}"}})
    assert error.location == "Output/b/c"
    assert "'Output/b/c' returned nothing" in error.detail


def test_a_member_of_a_list_is_named_by_its_place() -> None:
    assert fault({"list": [1, {"x": "{% $none %}"}]}, "Arguments").location == "Arguments/list[1]/x"


def test_an_error_of_jsonata_follows_as_a_sentence() -> None:
    assert fault("{% $nothing() %}").detail == (
        "The JSONata expression '$nothing()' specified for the field 'Output' threw an error during"
        " evaluation. T1006: Attempted to invoke a non-function"
    )


def test_a_limit_that_is_passed_follows_after_a_colon() -> None:
    assert fault("{% [1..900000] %}").detail == (
        "The JSONata expression '[1..900000]' specified for the field 'Output' threw an error"
        " during evaluation: Expression evaluation memory limit exceeded: Check for excessive"
        " memory usage"
    )


def test_a_function_is_no_result() -> None:
    assert fault("{% $sum %}").detail == (
        "The JSONata expression '$sum' specified for the field 'Output' returned an unsupported"
        " result type."
    )


def test_the_cause_names_the_state_and_the_event_it_was_entered_with() -> None:
    placed = fault("{% $sum %}").within("Add Up", 7)
    assert placed.error == "States.QueryEvaluationError"
    assert placed.cause is not None
    assert placed.cause.startswith(
        "An error occurred while executing the state 'Add Up' (entered at the event id #7). The"
    )


# Expected types


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        ("number", 1),
        ("number", 1.5),
        ("string", ""),
        ("array", []),
        ("boolean", False),
        ("object", {}),
        ("timestamp", "2026-11-21T05:00:00Z"),
        ("timestamp", "2026-11-21T05:00Z"),
        ("timestamp", "2026-11-21T05:00:00.123456789+01:00"),
    ],
)
def test_a_value_of_the_expected_type_passes(expected: template.Expected, value: Any) -> None:
    assert template.render_as(value, SCOPE, "Field", expected) == value


@pytest.mark.parametrize(
    ("expected", "expression", "was"),
    [
        ("array", "1", "Expected 'array', but was 'number' for value: 1"),
        ("array", '{"a": 1.0}', "Expected 'array', but was 'object' for value: {\"a\":1}"),
        ("number", "'x'", "Expected 'number', but was 'string' for value: \"x\""),
        ("number", "true", "Expected 'number', but was 'boolean' for value: true"),
        ("boolean", "null", "Expected 'boolean', but was 'null' for value: null"),
        ("string", "[1, 2]", "Expected 'string', but was 'array' for value: [1,2]"),
        ("object", "0", "Expected 'object', but was 'number' for value: 0"),
        ("timestamp", "0", "Expected 'string', but was 'number' for value: 0"),
    ],
)
def test_a_result_of_another_type_is_an_error(
    expected: template.Expected, expression: str, was: str
) -> None:
    assert mismatch(f"{{% {expression} %}}", expected) == (
        f"The JSONata expression '{expression}' specified for the field 'Items' returned an"
        f" unexpected result type. {was}"
    )


def test_a_literal_of_another_type_is_an_error() -> None:
    assert mismatch("x", "number", "Seconds").startswith("The field 'Seconds' has an unexpected")


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21",
        "2026-11-21 05:00:00Z",
        "2026-11-21T05:00:00",
        "2026-13-21T05:00:00Z",
        "tomorrow",
    ],
)
def test_a_timestamp_needs_a_t_and_an_offset(text: str) -> None:
    expression = f"{{% '{text}' %}}"
    assert mismatch(expression, "timestamp", "Timestamp") == (
        "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format"
        f" string: {text}"
    )
