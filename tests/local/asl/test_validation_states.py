"""What states of each type may, must and must not have."""

from __future__ import annotations

from typing import Any

import pytest
from tests.local.asl.diagnosed import of_state
from tests.local.asl.world import LAMBDA, one

from penstock_local.asl.validation.fields import ALLOWED, JSONPATH_FIELDS

INNER = one({"Type": "Pass"}, name="Inner")
DISTRIBUTED = {**INNER, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
TASK = {"Type": "Task", "Resource": LAMBDA, "Arguments": {"FunctionName": "f"}}
MINIMAL: dict[str, dict[str, Any]] = {
    "Pass": {"Type": "Pass"},
    "Task": TASK,
    "Wait": {"Type": "Wait", "Seconds": 1},
    "Choice": {"Type": "Choice", "Choices": [{"Condition": True, "Next": "A"}]},
    "Succeed": {"Type": "Succeed"},
    "Fail": {"Type": "Fail"},
    "Parallel": {"Type": "Parallel", "Branches": [INNER]},
    "Map": {"Type": "Map", "Items": [1], "ItemProcessor": DISTRIBUTED},
}
EVERY_FIELD = sorted(set().union(*ALLOWED.values()))


# Fields


@pytest.mark.parametrize("state", MINIMAL.values(), ids=MINIMAL)
def test_a_state_needs_no_more_than_this(state: dict[str, Any]) -> None:
    assert of_state(state) == []


@pytest.mark.parametrize("kind", MINIMAL)
def test_a_field_of_another_type_is_not_supported(kind: str) -> None:
    for field in EVERY_FIELD:
        found = of_state({**MINIMAL[kind], field: 0})
        unsupported = f"Field '{field}' is not supported at /States/Only"
        assert (unsupported in found) == (field not in ALLOWED[kind]), field


@pytest.mark.parametrize("kind", MINIMAL)
def test_a_field_nobody_knows_is_not_supported(kind: str) -> None:
    found = of_state({**MINIMAL[kind], "Retries": 0})
    assert found == ["Field 'Retries' is not supported at /States/Only"]


@pytest.mark.parametrize("kind", MINIMAL)
def test_fields_of_jsonpath_are_told_from_unknown_ones(kind: str) -> None:
    for field in JSONPATH_FIELDS:
        if field in ALLOWED[kind]:
            found = of_state({**MINIMAL[kind], field: "$.x"})
            assert (
                f"The QueryLanguage is set to 'JSONata', but field '{field}' is only supported for"
                " the 'JSONPath' QueryLanguage at /States/Only"
            ) in found


@pytest.mark.parametrize(
    ("state", "finding"),
    [
        ({"Type": "Task"}, "These fields are required: [Resource] at /States/Only"),
        ({"Type": "Choice"}, "These fields are required: [Choices] at /States/Only"),
        ({"Type": "Choice", "Choices": []}, "Value cannot be empty at /States/Only/Choices"),
        (
            {"Type": "Map", "Items": []},
            (
                "This object should have only one of the following fields: [ItemProcessor,"
                " Iterator] at /States/Only"
            ),
        ),
    ],
)
def test_what_a_type_cannot_do_without_is_required(state: dict[str, Any], finding: str) -> None:
    assert finding in of_state(state)


@pytest.mark.parametrize(
    ("field", "value", "finding"),
    [
        ("Comment", 1, "Expected value of type [STRING] at /States/Only/Comment"),
        ("Assign", [], "Expected value of type [OBJECT] at /States/Only/Assign"),
        ("Assign", "{% {} %}", "Expected value of type [OBJECT] at /States/Only/Assign"),
        ("Retry", {}, "Expected value of type [ARRAY] at /States/Only/Retry"),
        ("Catch", {}, "Expected value of type [ARRAY] at /States/Only/Catch"),
        ("TimeoutSeconds", 0, "Minimum value is 1 at /States/Only/TimeoutSeconds"),
        ("TimeoutSeconds", 1e9, "Maximum value is 99999999 at /States/Only/TimeoutSeconds"),
        ("TimeoutSeconds", 1.5, "Expected value of type Integer at /States/Only/TimeoutSeconds"),
        ("TimeoutSeconds", "5", "Expected value of type Integer at /States/Only/TimeoutSeconds"),
        ("HeartbeatSeconds", True, "Expected value of type Integer at /States/Only/Heartbeat"),
        ("Credentials", "x", "Expected value of type [OBJECT] at /States/Only/Credentials"),
    ],
)
def test_fields_have_their_kinds(field: str, value: Any, finding: str) -> None:
    found = of_state({**TASK, field: value})
    assert any(line.startswith(finding) for line in found), found


@pytest.mark.parametrize("field", ["TimeoutSeconds", "HeartbeatSeconds"])
def test_seconds_may_be_an_expression(field: str) -> None:
    assert of_state({**TASK, field: "{% $states.input.s %}"}) == []


# Choice


@pytest.mark.parametrize(
    ("rule", "finding"),
    [
        (1, "Expected value of type [OBJECT] at /States/Only/Choices[0]"),
        ({"Condition": True}, "These fields are required: [Next] at /States/Only/Choices[0]"),
        (
            {"Next": "A"},
            (
                "The object must have only one of the following fields, [And, Or, Not, Variable,"
                " Condition] at /States/Only/Choices[0]"
            ),
        ),
        (
            {"Condition": "true", "Next": "A"},
            (
                "JSONata string must start with {% and end with %} at"
                " /States/Only/Choices[0]/Condition"
            ),
        ),
        (
            {"Variable": "$.x", "StringEquals": "y", "Next": "A"},
            (
                "The QueryLanguage is set to 'JSONata', but field 'Variable' is only supported for"
                " the 'JSONPath' QueryLanguage at /States/Only/Choices[0]"
            ),
        ),
        (
            {"Condition": True, "Next": 1},
            "Expected value of type [STRING] at /States/Only/Choices[0]/Next",
        ),
        (
            {"Condition": True, "Next": "A", "Assign": 1},
            "Expected value of type [OBJECT] at /States/Only/Choices[0]/Assign",
        ),
    ],
)
def test_a_rule_of_a_choice_has_a_condition_and_a_way(rule: Any, finding: str) -> None:
    assert finding in of_state({"Type": "Choice", "Choices": [rule]})


@pytest.mark.parametrize("condition", [True, False, "{% $states.input.ok %}"])
def test_a_condition_is_an_expression_or_a_truth(condition: Any) -> None:
    rule = {"Condition": condition, "Next": "A", "Output": 1, "Assign": {"x": 1}, "Comment": "c"}
    assert of_state({"Type": "Choice", "Choices": [rule], "Default": "B"}) == []


# Wait


@pytest.mark.parametrize(
    "time",
    [
        {"Seconds": 0},
        {"Seconds": "{% 1 %}"},
        {"Timestamp": "2026-11-21T05:00:00Z"},
        {"Timestamp": "2026-11-21T05:00:00.5+01:00"},
        {"Timestamp": "{% $now() %}"},
    ],
)
def test_a_wait_has_a_time(time: dict[str, Any]) -> None:
    assert of_state({"Type": "Wait", **time}) == []


@pytest.mark.parametrize("text", ["2026-11-21", "2026-11-21T05:00:00", "tomorrow", ""])
def test_a_literal_timestamp_is_one_of_rfc_3339(text: str) -> None:
    assert of_state({"Type": "Wait", "Timestamp": text}) == [
        "String does not match RFC3339 timestamp at /States/Only/Timestamp"
    ]


def test_a_wait_has_one_time() -> None:
    fields = "[SecondsPath, Seconds, TimestampPath, Timestamp] at /States/Only"
    none = of_state({"Type": "Wait"})
    two = of_state({"Type": "Wait", "Seconds": 1, "Timestamp": "{% $now() %}"})
    assert none == [f"This object should have only one of the following fields: {fields}"]
    assert two == [f"There should only be one of the following fields: {fields}"]


@pytest.mark.parametrize("seconds", [-1, 100_000_000])
def test_seconds_have_a_range(seconds: int) -> None:
    (finding,) = of_state({"Type": "Wait", "Seconds": seconds})
    assert finding.endswith(" at /States/Only/Seconds")


# Retry and Catch


def test_a_retrier_can_say_all_this() -> None:
    retrier = {
        "ErrorEquals": ["A", "B"],
        "IntervalSeconds": 1,
        "MaxAttempts": 0,
        "BackoffRate": 1.5,
        "MaxDelaySeconds": 60,
        "JitterStrategy": "FULL",
        "Comment": "c",
    }
    assert of_state({**TASK, "Retry": [retrier, {"ErrorEquals": ["States.ALL"]}]}) == []


@pytest.mark.parametrize(
    ("retrier", "finding"),
    [
        (1, "Expected value of type [OBJECT] at Retry[0]"),
        ({}, "These fields are required: [ErrorEquals] at Retry[0]"),
        ({"ErrorEquals": []}, "Value cannot be empty at Retry[0]/ErrorEquals"),
        ({"ErrorEquals": "A"}, "Expected value of type [ARRAY] at Retry[0]/ErrorEquals"),
        ({"ErrorEquals": [1]}, "Expected value of type [STRING] at Retry[0]/ErrorEquals[0]"),
        ({"Attempts": 1}, "Field 'Attempts' is not supported at Retry[0]"),
        ({"IntervalSeconds": -1}, "Minimum value is 0 at Retry[0]/IntervalSeconds"),
        ({"IntervalSeconds": 0.5}, "Expected value of type Integer at Retry[0]/IntervalSeconds"),
        ({"MaxAttempts": 1e8}, "Maximum value is 99999999 at Retry[0]/MaxAttempts"),
        ({"BackoffRate": 0.5}, "Minimum value is 1 at Retry[0]/BackoffRate"),
        ({"BackoffRate": "2"}, "Expected value of type Number at Retry[0]/BackoffRate"),
        ({"BackoffRate": "{% 2 %}"}, "Expected value of type Number at Retry[0]/BackoffRate"),
        ({"MaxDelaySeconds": 0}, "Minimum value is 1 at Retry[0]/MaxDelaySeconds"),
        ({"MaxDelaySeconds": 31_622_401}, "Maximum value is 31622400 at Retry[0]/MaxDelaySeconds"),
        (
            {"JitterStrategy": "SOME"},
            "Value should be one of the following: [NONE, FULL] at Retry[0]/JitterStrategy",
        ),
    ],
)
def test_a_retrier_keeps_to_its_fields_and_ranges(retrier: Any, finding: str) -> None:
    if isinstance(retrier, dict) and retrier and "ErrorEquals" not in retrier:
        retrier = {"ErrorEquals": ["A"], **retrier}
    found = of_state({**TASK, "Retry": [retrier]})
    assert finding.replace(" at ", " at /States/Only/") in found


@pytest.mark.parametrize(
    ("catcher", "finding"),
    [
        (1, "Expected value of type [OBJECT] at Catch[0]"),
        ({"ErrorEquals": ["A"]}, "These fields are required: [Next] at Catch[0]"),
        ({"Next": "A"}, "These fields are required: [ErrorEquals] at Catch[0]"),
        (
            {"ErrorEquals": ["A"], "Next": "A", "ResultPath": "$.e"},
            (
                "The QueryLanguage is set to 'JSONata', but field 'ResultPath' is only supported"
                " for the 'JSONPath' QueryLanguage at Catch[0]"
            ),
        ),
        (
            {"ErrorEquals": ["A"], "Next": "A", "End": True},
            "Field 'End' is not supported at Catch[0]",
        ),
        (
            {"ErrorEquals": ["A"], "Next": "A", "Assign": 1},
            "Expected value of type [OBJECT] at Catch[0]/Assign",
        ),
    ],
)
def test_a_catcher_keeps_to_its_fields(catcher: Any, finding: str) -> None:
    found = of_state({**TASK, "Catch": [catcher]})
    assert finding.replace(" at Catch", " at /States/Only/Catch") in found


@pytest.mark.parametrize("field", ["Retry", "Catch"])
def test_states_all_stands_alone_and_last(field: str) -> None:
    everything = {"ErrorEquals": ["States.ALL"], "Next": "A"}
    mixed = {"ErrorEquals": ["X", "States.ALL"], "Next": "A"}
    other = {"ErrorEquals": ["X"], "Next": "A"}
    message = "States.ALL must appear alone and at end of list at /States/Only/"
    for entries, place in (
        ([everything, other], f"{field}[0]"),
        ([mixed], f"{field}[0]"),
        ([other, mixed], f"{field}[1]"),
    ):
        assert f"{message}{place}/ErrorEquals" in of_state({**TASK, field: entries})
    assert not any(message in line for line in of_state({**TASK, field: [other, everything]}))
