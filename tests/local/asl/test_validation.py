"""Definitions as a whole: their form, their states, and the ways between them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.local.asl.diagnosed import findings, of_state
from tests.local.asl.world import LAMBDA, machine, one

from penstock_local.asl import validation

REPOSITORY = Path(__file__).parents[3]
PASS = {"Type": "Pass", "End": True}
END = {"Type": "Succeed"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["Type", "Next", "End", "Choices", "Catch", "Retry", "Branches", "ItemProcessor", "Assign"]
)


def refusal(text: str, kind: str = "STANDARD") -> str:
    """The message of what must be refused."""
    with pytest.raises(validation.InvalidDefinitionError) as refused:
        validation.parse(text, kind)
    return str(refused.value)


# The text


def test_a_definition_is_parsed() -> None:
    definition = {"QueryLanguage": "JSONata", **one({"Type": "Pass"})}
    assert validation.parse(json.dumps(definition)) == definition


def test_the_machine_of_the_pipeline_has_no_faults() -> None:
    text = (REPOSITORY / "statemachine" / "pipeline.asl.yaml").read_text()
    assert validation.diagnose(yaml.safe_load(text)) == []


def test_what_is_wrong_is_worded_as_the_service_does() -> None:
    definition = {"QueryLanguage": "JSONata", "States": {"A": {"Type": "Pass", "End": True}}}
    assert refusal(json.dumps(definition)) == (
        "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: These fields are required:"
        " [StartAt] at /'"
    )


def test_several_faults_are_joined() -> None:
    message = refusal(json.dumps({"QueryLanguage": "JSONata", "StartAt": 1, "States": {}}))
    assert message == (
        "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: Expected value of type"
        " [STRING] at /StartAt, SCHEMA_VALIDATION_FAILED: Value cannot be empty at /States'"
    )


def test_text_that_is_not_json_is_shown_with_the_place_of_the_fault() -> None:
    assert refusal("nope").startswith(
        "Invalid State Machine Definition: 'INVALID_JSON_DESCRIPTION: Unrecognized token 'nope':"
        " was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')\n"
        ' at [Source: (String)"nope"; line: 1, column: 5]'
    )


@pytest.mark.parametrize("text", ["", "  ", "null", "[]", "1", '"x"'])
def test_a_definition_must_be_an_object(text: str) -> None:
    assert refusal(text) == (
        "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: Definition must be a valid"
        " JSON object at null'"
    )


@pytest.mark.parametrize("language", [{}, {"QueryLanguage": "JSONPath"}])
def test_a_machine_in_jsonpath_is_refused_with_a_clear_word(language: dict[str, str]) -> None:
    assert refusal(json.dumps({**language, **one({"Type": "Pass"})})) == (
        "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: Penstock Local runs state"
        " machines whose QueryLanguage is 'JSONata', and this one's is 'JSONPath' at"
        " /QueryLanguage'"
    )


def test_an_unknown_query_language_is_refused() -> None:
    assert findings({"QueryLanguage": "SQL", **one({"Type": "Pass"})}) == [
        "Value should be one of the following: [JSONPath, JSONata] at /QueryLanguage"
    ]


@given(JSON)
def test_any_json_is_diagnosed_without_a_crash(value: Any) -> None:
    validation.diagnose(value)
    validation.diagnose_text(json.dumps(value))


@given(st.dictionaries(FIELDS, JSON))
def test_any_fields_of_a_state_are_diagnosed_without_a_crash(state: dict[str, Any]) -> None:
    findings({"StartAt": "A", "States": {"A": state}})
    findings({"StartAt": "A", "States": {"A": {**state, "Type": "Map"}}})
    findings({"StartAt": "A", "States": {"A": {**state, "Type": "Choice"}}})


# The machine


def test_a_machine_needs_states_and_a_start() -> None:
    assert "These fields are required: [States, StartAt] at /" in findings({})


def test_a_machine_has_no_other_fields_than_its_own() -> None:
    assert findings({**one(PASS), "Timeout": 5}) == ["Field 'Timeout' is not supported at /"]


@pytest.mark.parametrize(
    ("fields", "finding"),
    [
        ({"Comment": 1}, "Expected value of type [STRING] at /Comment"),
        ({"Version": "2.0"}, "Value should be one of the following: [1.0] at /Version"),
        ({"TimeoutSeconds": -1}, "Minimum value is 0 at /TimeoutSeconds"),
        ({"TimeoutSeconds": "{% 1 %}"}, "Expected value of type Integer at /TimeoutSeconds"),
        ({"States": []}, "Expected value of type [OBJECT] at /States"),
        ({"States": {}}, "Value cannot be empty at /States"),
    ],
)
def test_the_fields_of_a_machine_have_their_kinds(fields: dict[str, Any], finding: str) -> None:
    assert finding in findings({**one(PASS), **fields})


# States


def test_a_state_must_be_an_object() -> None:
    found = findings({"StartAt": "A", "States": {"A": 1}})
    assert found == ["Expected value of type [OBJECT] at /States/A"]


def test_a_state_needs_a_type() -> None:
    found = findings({"StartAt": "A", "States": {"A": {"End": True}}})
    assert found == ["These fields are required: [Type] at /States/A"]


@pytest.mark.parametrize("kind", ["Tusk", 1, None])
def test_a_type_must_be_known(kind: Any) -> None:
    assert findings({"StartAt": "A", "States": {"A": {"Type": kind}}}) == [
        (
            "The field 'Type' should have one of these values: [Task, Wait, Pass, Succeed, Fail,"
            " Choice, Parallel, Map] at /States/A/Type"
        )
    ]


def test_a_name_has_eighty_characters_at_most() -> None:
    assert findings(one(PASS, name="x" * 80)) == []
    assert findings(one(PASS, name="x" * 81)) == [
        (
            f"INVALID_STATE_NAME: Invalid State name: {'x' * 81} exceeds the 80-character limit"
            f" allowed by the service at /States/{'x' * 81}"
        )
    ]


def test_a_name_occurs_once_in_the_whole_machine() -> None:
    inner = {"StartAt": "First", "States": {"First": PASS}}
    both = {"Type": "Parallel", "Branches": [inner], "End": True}
    found = findings(machine("First", First={"Type": "Pass", "Next": "Both"}, Both=both))
    assert found == [
        "DUPLICATE_STATE_NAME: Duplicate State name: First at /States/Both/Branches[0]/States/First"
    ]


def test_a_state_says_its_query_language_only_to_repeat_it() -> None:
    assert of_state({"Type": "Pass", "QueryLanguage": "JSONata"}) == []
    assert of_state({"Type": "Pass", "QueryLanguage": "JSONPath"}) == [
        (
            "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine at"
            " /States/Only"
        )
    ]
    inner = {**one(PASS, name="Inner"), "QueryLanguage": "JSONata"}
    assert of_state({"Type": "Parallel", "Branches": [inner]}) == [
        "Field 'QueryLanguage' is not supported at /States/Only/Branches[0]"
    ]


def test_the_branches_of_a_parallel_state_are_machines_themselves() -> None:
    assert of_state({"Type": "Parallel"}) == [
        "These fields are required: [Branches] at /States/Only"
    ]
    assert of_state({"Type": "Parallel", "Branches": []}) == [
        "Value cannot be empty at /States/Only/Branches"
    ]
    assert of_state({"Type": "Parallel", "Branches": [{"States": {"In": END}}, 1]}) == [
        "These fields are required: [StartAt] at /States/Only/Branches[0]",
        "Expected value of type [OBJECT] at /States/Only/Branches[1]",
    ]


# Ways


@pytest.mark.parametrize("kind", ["Pass", "Task", "Wait", "Parallel", "Map"])
def test_a_state_goes_on_or_ends_and_not_both(kind: str) -> None:
    ways = "[Next, End] at /States/A"
    state = {"Type": kind}
    neither = findings(machine("A", A=state, B=END))
    both = findings(machine("A", A={**state, "Next": "B", "End": True}, B=END))
    assert f"This object should have only one of the following fields: {ways}" in neither
    assert f"There should only be one of the following fields: {ways}" in both


def test_an_end_that_is_false_is_none() -> None:
    assert findings(machine("A", A={"Type": "Pass", "End": False, "Next": "B"}, B=END)) == []


@pytest.mark.parametrize("kind", ["Succeed", "Fail", "Choice"])
def test_some_states_never_go_on_by_themselves(kind: str) -> None:
    for field, value in (("Next", "B"), ("End", True)):
        found = findings(machine("A", A={"Type": kind, field: value}, B=END))
        assert f"Field '{field}' is not supported at /States/A" in found


def test_the_start_must_exist() -> None:
    found = findings({"StartAt": "Nowhere", "States": {"A": PASS}})
    assert "MISSING_TRANSITION_TARGET: Missing 'Next' target: Nowhere at /StartAt" in found


@pytest.mark.parametrize(
    ("state", "location"),
    [
        ({"Type": "Pass", "Next": "Gone"}, "Next"),
        (
            {"Type": "Choice", "Choices": [{"Condition": True, "Next": "Gone"}], "Default": "B"},
            "Choices[0]/Next",
        ),
        (
            {"Type": "Choice", "Choices": [{"Condition": True, "Next": "B"}], "Default": "Gone"},
            "Default",
        ),
        (
            {
                "Type": "Task",
                "Resource": LAMBDA,
                "Arguments": {"FunctionName": "f"},
                "Next": "B",
                "Catch": [{"ErrorEquals": ["X"], "Next": "Gone"}],
            },
            "Catch[0]/Next",
        ),
    ],
)
def test_every_way_must_lead_somewhere(state: dict[str, Any], location: str) -> None:
    found = findings(machine("A", A=state, B=END))
    assert (
        f"MISSING_TRANSITION_TARGET: Missing 'Next' target: Gone at /States/A/{location}" in found
    )


def test_a_way_does_not_lead_out_of_its_scope() -> None:
    inner = {"StartAt": "In", "States": {"In": {"Type": "Pass", "Next": "Out"}}}
    both = {"Type": "Parallel", "Branches": [inner], "Next": "Out"}
    assert findings(machine("Both", Both=both, Out=END)) == [
        (
            "MISSING_TRANSITION_TARGET: Missing 'Next' target: Out at"
            " /States/Both/Branches[0]/States/In/Next"
        )
    ]


def test_every_state_must_be_in_reach() -> None:
    found = findings(machine("A", A=PASS, B={"Type": "Pass", "Next": "C"}, C=END))
    assert found == [
        'MISSING_TRANSITION_TARGET: State "B" is not reachable. at /States/B',
        'MISSING_TRANSITION_TARGET: State "C" is not reachable. at /States/C',
    ]


def test_a_state_inside_a_branch_must_be_in_reach_too() -> None:
    inner = {"StartAt": "In", "States": {"In": PASS, "Lost": END}}
    both = {"Type": "Parallel", "Branches": [inner], "End": True}
    (finding,) = findings(machine("Both", Both=both))
    assert finding.endswith(
        'State "Lost" is not reachable. at /States/Both/Branches[0]/States/Lost'
    )


def test_a_machine_needs_an_end() -> None:
    around = {"Type": "Pass", "Next": "A"}
    assert findings(machine("A", A=around)) == [
        "MISSING_END_STATE: Workflow has no terminal state at null"
    ]


def test_an_end_is_true_or_false() -> None:
    found = findings(machine("A", A={"Type": "Pass", "End": "yes"}, B=END))
    assert "Expected value of type [BOOLEAN] at /States/A/End" in found


def test_a_machine_may_go_round_if_it_can_end() -> None:
    choice = {"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Next": "B"}]}
    assert findings(machine("A", A={**choice, "Default": "A"}, B=END)) == []
