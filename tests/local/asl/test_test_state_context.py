"""TestState: the context object, given or made up."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from tests.local.asl.api_world import ACCOUNT, REGION
from tests.local.asl.state_tester import INVOKE, StateTester, mocked, out
from tests.local.asl.world import CALLBACK, ROLE, World


@pytest.fixture
def tester(asl: World) -> StateTester:
    return StateTester(asl)


def test_the_context_of_a_state_names_an_express_execution(tester: StateTester) -> None:
    state = {**INVOKE, "Output": "{% $states.context %}"}
    context = out(tester(state, {"a": 1}, mock=mocked({}), roleArn=ROLE))
    execution = context["Execution"]
    assert re.fullmatch(
        rf"arn:aws:states:{REGION}:{ACCOUNT}:express:[0-9a-f-]+:{execution['Name']}",
        execution["Id"],
    )
    assert list(execution) == ["Id", "Input", "Name", "RoleArn", "StartTime"]
    assert (execution["Input"], execution["RoleArn"]) == ({"a": 1}, ROLE)
    assert context["StateMachine"]["Id"].endswith(context["StateMachine"]["Name"])
    assert list(context["State"]) == ["Name", "EnteredTime", "RetryCount"]
    assert context["State"]["Name"] == "StateName"
    assert context["State"]["RetryCount"] == 0


def test_a_state_without_retries_has_no_retry_count_and_maybe_no_role(tester: StateTester) -> None:
    context = out(tester({"Type": "Pass", "Output": "{% $states.context %}", "End": True}))
    assert list(context["State"]) == ["Name", "EnteredTime"]
    assert context["Execution"]["RoleArn"] is None


def test_a_given_context_is_taken_as_it_is(tester: StateTester) -> None:
    state = {**INVOKE, "Output": "{% $states.context %}"}
    for context in ({}, {"Execution": {"Id": "e"}, "State": {}}):
        assert out(tester(state, mock=mocked({}), context=context)) == context


def test_the_token_of_a_task_that_waits_can_be_given(tester: StateTester) -> None:
    arguments = {"FunctionName": "f", "Payload": "{% $states.context.Task.Token %}"}
    state = {**INVOKE, "Resource": CALLBACK, "Arguments": arguments}
    data = tester.inspected(state, mock=mocked({}), context={"Task": {"Token": "mine"}})
    assert json.loads(data["afterArguments"])["Payload"] == "mine"


@pytest.mark.parametrize(
    ("context", "problem"),
    [
        ({"Execution": {"Id": 1}}, "Execution.Id must be a string"),
        ({"State": {"RetryCount": "1"}}, "State.RetryCount must be a number"),
        ({"State": "s"}, "State must be an object"),
        ({"Map": {}}, "'Map' field is not supported when mocking a Context object"),
        ({"pokemon": 1}, "Field 'pokemon' is not allowed"),
        ({"Execution": {"pokemon": 1}}, "Field 'pokemon' is not allowed"),
        (
            {"Task": {"Token": "t"}},
            (
                "Context object contains 'Task' when state is not a Task state with a '.sync' or"
                " '.waitForTaskToken' service integration pattern"
            ),
        ),
        ([], "Context object must be a JSON object"),
        ("{", "Expecting property name"),
    ],
)
def test_a_context_that_is_none_is_refused(tester: StateTester, context: Any, problem: str) -> None:
    message = tester.invalid(INVOKE, mock=mocked({}), context=context)
    assert message.startswith(f"Invalid Context object provided: {problem}")


def test_a_context_needs_a_mock(tester: StateTester) -> None:
    tester.invalid({"Type": "Succeed"}, context={})
