"""TestState: one state by itself, its work done or mocked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.local.asl.state_tester import ERROR, INVOKE, MAP, PARALLEL, StateTester, mocked, out
from tests.local.asl.world import CALLBACK, GLUE, LAMBDA, ROLE, World

from penstock_local.asl.api import ApiError
from penstock_local.asl.errors import StateError


@pytest.fixture
def tester(asl: World) -> StateTester:
    return StateTester(asl)


# States that do their work at once


def test_a_pass_state_hands_its_input_on_and_names_the_next_state(tester: StateTester) -> None:
    answer = tester({"Type": "Pass", "Next": "Other"}, {"a": 1})
    assert answer == {"status": "SUCCEEDED", "output": '{"a":1}', "nextState": "Other"}


def test_the_input_is_an_empty_object_when_none_is_given(tester: StateTester) -> None:
    definition = json.dumps({"Type": "Succeed", "QueryLanguage": "JSONata"})
    assert tester.tests.test({"definition": definition})["output"] == "{}"


def test_a_choice_state_names_the_state_its_rule_leads_to(tester: StateTester) -> None:
    choices = [
        {"Condition": "{% $states.input.cost < 10 %}", "Next": "Cheap", "Output": "low"},
        {"Condition": "{% $states.input.cost < 100 %}", "Next": "Dear"},
    ]
    state = {"Type": "Choice", "Choices": choices, "Default": "Beyond"}
    assert tester(state, {"cost": 5}) == {
        "status": "SUCCEEDED",
        "output": '"low"',
        "nextState": "Cheap",
    }
    assert tester(state, {"cost": 500})["nextState"] == "Beyond"


def test_a_choice_state_without_a_fitting_rule_fails(tester: StateTester) -> None:
    state = {"Type": "Choice", "Choices": [{"Condition": False, "Next": "Never"}]}
    answer = tester(state)
    assert (answer["status"], answer["error"]) == ("FAILED", "States.NoChoiceMatched")


def test_a_wait_state_waits_and_goes_on(tester: StateTester) -> None:
    assert tester({"Type": "Wait", "Seconds": 3, "Next": "Later"})["nextState"] == "Later"


def test_a_fail_state_gives_error_and_cause(tester: StateTester) -> None:
    state = {"Type": "Fail", "Error": "{% $states.input.e %}", "Cause": "why"}
    assert tester(state, {"e": "Oops"}) == {"status": "FAILED", "error": "Oops", "cause": "why"}


def test_a_fail_state_with_neither_gives_neither(tester: StateTester) -> None:
    assert tester({"Type": "Fail"}) == {"status": "FAILED"}


def test_an_expression_that_fails_fails_the_state(tester: StateTester) -> None:
    answer = tester({"Type": "Pass", "Output": "{% $states.input.none %}", "End": True})
    assert answer["status"] == "FAILED"
    assert answer["error"] == "States.QueryEvaluationError"
    assert answer["cause"].endswith(
        "The JSONata expression '$states.input.none' specified for the field 'Output' returned"
        " nothing (undefined)."
    )


# Tasks


def test_a_task_really_calls_its_service_in_the_name_of_the_role(tester: StateTester) -> None:
    tester.world.services.answers[LAMBDA] = lambda call: {"Payload": call.arguments["Payload"]}
    state = {**INVOKE, "Output": "{% $states.result.Payload.n + 1 %}"}
    assert out(tester(state, {"n": 1}, roleArn=ROLE)) == 2
    assert tester.world.services.calls[0].role_arn == ROLE


def test_a_task_that_fails_without_handlers_has_failed(tester: StateTester) -> None:
    def fail(_: Any) -> Any:
        raise StateError("Lambda.Unknown", "gone")

    tester.world.services.answers[LAMBDA] = fail
    answer = tester(INVOKE, roleArn=ROLE)
    assert answer == {"status": "FAILED", "error": "Lambda.Unknown", "cause": "gone"}


def test_the_arguments_of_a_real_call_are_shown_as_they_were_sent(tester: StateTester) -> None:
    tester.world.services.answers[LAMBDA] = lambda _: {"Payload": 1}
    state = {**INVOKE, "Arguments": {"FunctionName": "{% $uuid() %}"}}
    data = tester.inspected(state, roleArn=ROLE)
    sent = tester.world.services.calls[0].arguments
    assert json.loads(data["afterArguments"]) == sent
    assert data["result"] == '{"Payload":1}'


def test_a_real_task_needs_a_role(tester: StateTester) -> None:
    assert tester.invalid(INVOKE) == "RoleArn must be specified when testing a Task state"


@pytest.mark.parametrize(
    "resource",
    [GLUE, CALLBACK, "arn:aws:states:eu-central-1:123456789012:activity:desk"],
)
def test_a_task_that_waits_needs_a_mock(tester: StateTester, resource: str) -> None:
    arguments = {"JobName": "j"} if resource == GLUE else {"FunctionName": "f"}
    state = {**INVOKE, "Resource": resource, "Arguments": arguments}
    assert "only when a mock is specified" in tester.invalid(state, roleArn=ROLE)


@pytest.mark.parametrize("state", [{**MAP, "Items": [1]}, PARALLEL])
def test_map_and_parallel_states_need_a_mock(tester: StateTester, state: Any) -> None:
    assert tester.refused(state, roleArn=ROLE) == (
        "InvalidDefinition",
        (
            "TestState API does not support Map or Parallel states. Supported state types include:"
            " [Task, Wait, Pass, Succeed, Fail, Choice]"
        ),
    )


# Retry and Catch


def test_an_error_that_a_retrier_covers_is_retriable(tester: StateTester) -> None:
    retry = [{"ErrorEquals": ["Other"]}, {"ErrorEquals": ["Bad"], "IntervalSeconds": 2}]
    state = {**INVOKE, "Retry": retry}
    assert tester(state, mock=ERROR) == {
        "status": "RETRIABLE",
        "error": "Bad",
        "cause": "because",
    }
    data = tester.inspected(state, mock=ERROR, stateConfiguration={"retrierRetryCount": 1})
    assert data["errorDetails"] == {"retryIndex": 1, "retryBackoffIntervalSeconds": 4}


def test_retries_that_are_used_up_end_in_failure(tester: StateTester) -> None:
    retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 5, "BackoffRate": 2}]
    state = {**INVOKE, "Retry": retry}
    last = {"retrierRetryCount": 4}
    answer = tester(state, mock=ERROR, stateConfiguration=last, inspectionLevel="DEBUG")
    assert answer["status"] == "RETRIABLE"
    assert answer["inspectionData"]["errorDetails"]["retryBackoffIntervalSeconds"] == 16
    over = {"retrierRetryCount": 5}
    answer = tester(state, mock=ERROR, stateConfiguration=over, inspectionLevel="DEBUG")
    assert answer["status"] == "FAILED"
    assert answer["inspectionData"]["errorDetails"] == {"retryIndex": 0}


def test_an_error_that_a_catcher_covers_is_caught(tester: StateTester) -> None:
    catch = [
        {"ErrorEquals": ["Other"], "Next": "Elsewhere"},
        {"ErrorEquals": ["Bad"], "Next": "Repair", "Output": "{% $states.errorOutput %}"},
    ]
    state = {**INVOKE, "Catch": catch}
    answer = tester(state, mock=ERROR, inspectionLevel="DEBUG")
    assert answer["status"] == "CAUGHT_ERROR"
    assert answer["nextState"] == "Repair"
    assert (answer["error"], answer["cause"]) == ("Bad", "because")
    assert json.loads(answer["output"]) == {"Error": "Bad", "Cause": "because"}
    assert answer["inspectionData"]["errorDetails"] == {"catchIndex": 1}


def test_a_used_up_retrier_gives_way_to_the_catcher(tester: StateTester) -> None:
    state = {
        **INVOKE,
        "Retry": [{"ErrorEquals": ["Bad"], "MaxAttempts": 0}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Repair"}],
    }
    answer = tester(state, mock=ERROR)
    assert (answer["status"], answer["nextState"]) == ("CAUGHT_ERROR", "Repair")


def test_a_catcher_whose_output_cannot_be_evaluated_fails_the_state(tester: StateTester) -> None:
    catch = [{"ErrorEquals": ["Bad"], "Next": "Repair", "Output": "{% $none %}"}]
    answer = tester({**INVOKE, "Catch": catch}, mock=ERROR)
    assert (answer["status"], answer["error"]) == ("FAILED", "States.QueryEvaluationError")
    assert "'Catch[0]/Output'" in answer["cause"]


def test_an_output_that_fails_is_caught_like_any_error(tester: StateTester) -> None:
    state = {
        **INVOKE,
        "Output": "{% $states.result.none %}",
        "Catch": [{"ErrorEquals": ["States.QueryEvaluationError"], "Next": "Repair"}],
    }
    assert tester(state, mock=mocked({}))["status"] == "CAUGHT_ERROR"


# Inspection


def test_the_level_info_shows_nothing_on_the_way(tester: StateTester) -> None:
    assert "inspectionData" not in tester(INVOKE, mock=mocked({}))


@pytest.mark.parametrize("level", ["DEBUG", "TRACE"])
def test_the_other_levels_show_input_arguments_and_result(tester: StateTester, level: str) -> None:
    answer = tester(INVOKE, {"a": 1}, mock=mocked({"Payload": 2}), inspectionLevel=level)
    assert answer["inspectionData"] == {
        "input": '{"a":1}',
        "afterArguments": '{"FunctionName":"f","Payload":{"a":1}}',
        "result": '{"Payload":2}',
    }


def test_a_state_that_fails_shows_what_came_before(tester: StateTester) -> None:
    data = tester.inspected(INVOKE, mock=ERROR)
    assert data == {"input": "{}", "afterArguments": '{"FunctionName":"f","Payload":{}}'}


def test_a_pass_state_shows_its_input_only(tester: StateTester) -> None:
    assert tester.inspected({"Type": "Pass", "End": True}, 1) == {"input": "1"}


def test_variables_are_shown_with_those_that_the_state_assigns(tester: StateTester) -> None:
    state = {"Type": "Pass", "Assign": {"b": "{% $a + 1 %}"}, "Output": "{% $a %}", "End": True}
    answer = tester(state, variables={"a": 1}, inspectionLevel="DEBUG")
    assert out(answer) == 1
    assert json.loads(answer["inspectionData"]["variables"]) == {"a": 1, "b": 2}
    assert "variables" not in tester.inspected({"Type": "Succeed"}, variables={})


# Definitions, inputs, variables


def test_a_definition_that_is_no_state_is_refused(tester: StateTester) -> None:
    code, message = tester.refused({"Type": "Tusk"})
    assert code == "InvalidDefinition"
    assert message == (
        "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: The field 'Type' should have"
        " one of these values: [Task, Wait, Pass, Succeed, Fail, Choice, Parallel, Map] at"
        " /States/StateName/Type'"
    )


@pytest.mark.parametrize("text", ["{", "[]", "null", '"x"'])
def test_a_definition_that_is_no_object_is_refused(tester: StateTester, text: str) -> None:
    with pytest.raises(ApiError, match="InvalidDefinition: Invalid State Machine Definition: '"):
        tester.tests.test({"definition": text})


def test_a_state_in_jsonpath_is_refused_with_a_clear_word(tester: StateTester) -> None:
    definition = json.dumps({"Type": "Pass", "End": True})
    with pytest.raises(ApiError, match="QueryLanguage is 'JSONata', and this one's is 'JSONPath'"):
        tester.tests.test({"definition": definition})


def test_a_state_name_needs_a_whole_machine(tester: StateTester) -> None:
    code, message = tester.refused({"Type": "Pass", "End": True}, stateName="Any")
    assert code == "InvalidDefinition"
    assert "StartAt" in message


def test_input_that_is_not_json_is_refused(tester: StateTester) -> None:
    code, _ = tester.refused({"Type": "Succeed"}, input="{")
    assert code == "InvalidExecutionInput"


@pytest.mark.parametrize("variables", ["{", "[]"])
def test_variables_must_be_a_json_object(tester: StateTester, variables: str) -> None:
    message = tester.invalid({"Type": "Succeed"}, variables=variables)
    assert message.startswith("Invalid variables provided: ")
