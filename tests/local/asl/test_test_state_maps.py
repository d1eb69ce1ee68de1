"""TestState: Map and Parallel states, and the states inside them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.local.asl.state_tester import (
    DISTRIBUTED,
    ERROR,
    INNER,
    INVOKE,
    MAP,
    PARALLEL,
    StateTester,
    mocked,
    out,
)
from tests.local.asl.world import World


@pytest.fixture
def tester(asl: World) -> StateTester:
    return StateTester(asl)


# Map and Parallel


def test_the_mock_of_a_map_is_the_list_of_its_results(tester: StateTester) -> None:
    state = {**MAP, "Items": "{% $states.input.v %}", "Output": "{% $sum($states.result) %}"}
    assert out(tester(state, {"v": [1, 2]}, mock=mocked([10, 20]))) == 30
    assert tester.invalid(state, mock=mocked({})) == "Mocked result must be an array."


def test_the_mock_of_a_map_with_a_result_writer_is_an_object(tester: StateTester) -> None:
    writer = {"Resource": "arn:aws:states:::s3:putObject", "Arguments": {"Bucket": "b"}}
    state = {**MAP, "Items": [1], "ResultWriter": writer}
    details = {"ResultWriterDetails": {"Bucket": "b", "Key": "k"}}
    assert out(tester(state, mock=mocked(details))) == details
    assert tester.invalid(state, mock=mocked([])) == "Mocked result must be a JSON object."


def test_a_map_shows_its_limits(tester: StateTester) -> None:
    state = {**MAP, "Items": [1, 2]}
    assert tester.inspected(state, mock=mocked([1])) == {"input": "{}", "maxConcurrency": 0}
    limits = {
        "MaxConcurrency": "{% 3 %}",
        "ToleratedFailureCount": 1,
        "ToleratedFailurePercentage": 1,
    }
    data = tester.inspected({**state, **limits}, mock=mocked([1]))
    assert data["maxConcurrency"] == 3
    assert data["toleratedFailureCount"] == 1
    assert isinstance(data["toleratedFailurePercentage"], float)


def test_a_map_shows_what_selector_and_batcher_make_of_the_items(tester: StateTester) -> None:
    state = {
        **MAP,
        "Items": [5, 6, 7],
        "ItemSelector": {
            "i": "{% $states.context.Map.Item.Index %}",
            "v": "{% $states.context.Map.Item.Value %}",
            "s": "{% $states.context.Map.Item.Source %}",
        },
        "ItemBatcher": {"MaxItemsPerBatch": 2, "BatchInput": {"k": 1}},
    }
    data = tester.inspected(state, mock=mocked([]))
    selected = [{"i": i, "v": i + 5, "s": "STATE_DATA"} for i in range(3)]
    assert json.loads(data["afterItemSelector"]) == selected
    assert json.loads(data["afterItemBatcher"]) == [
        {"BatchInput": {"k": 1}, "Items": selected[:2]},
        {"BatchInput": {"k": 1}, "Items": selected[2:]},
    ]


def test_a_map_whose_items_are_no_list_fails(tester: StateTester) -> None:
    answer = tester({**MAP, "Items": "{% 1 %}"}, mock=mocked([]))
    assert (answer["status"], answer["error"]) == ("FAILED", "States.QueryEvaluationError")


READER = {
    "ItemReader": {
        "Resource": "arn:aws:states:::s3:getObject",
        "Arguments": {"Bucket": "b", "Key": "k"},
        "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
    }
}


def test_the_data_of_an_item_reader_are_given_as_they_lie_in_their_source(
    tester: StateTester,
) -> None:
    state = {**MAP, **READER, "ItemSelector": "{% $states.context.Map.Item.Value.n %}"}
    configuration = {"mapItemReaderData": "n,m\n1,2\n3,4\n"}
    data = tester.inspected(state, mock=mocked([]), stateConfiguration=configuration)
    assert json.loads(data["afterItemSelector"]) == ["1", "3"]


def test_what_an_items_pointer_finds_is_shown(tester: StateTester) -> None:
    reader = {
        **READER["ItemReader"],
        "ReaderConfig": {"InputType": "JSON", "ItemsPointer": "/a/b"},
    }
    configuration = {"mapItemReaderData": '{"a":{"b":[1,2]}}'}
    state = {**MAP, "ItemReader": reader}
    data = tester.inspected(state, mock=mocked([]), stateConfiguration=configuration)
    assert data["afterItemsPointer"] == "[1,2]"


def test_reader_data_that_cannot_be_read_fail_the_state(tester: StateTester) -> None:
    reader = {**READER["ItemReader"], "ReaderConfig": {"InputType": "JSON"}}
    answer = tester(
        {**MAP, "ItemReader": reader},
        mock=mocked([]),
        stateConfiguration={"mapItemReaderData": "{}"},
    )
    assert answer["error"] == "States.ItemReaderFailed"


def test_a_map_with_a_reader_can_be_tested_without_its_data(tester: StateTester) -> None:
    assert out(tester({**MAP, **READER}, mock=mocked([7]))) == [7]


def test_more_failures_than_tolerated_fail_the_map(tester: StateTester) -> None:
    state = {
        **MAP,
        "Items": [1, 2, 3],
        "ToleratedFailureCount": 1,
        "Catch": [
            {"ErrorEquals": ["Bad"], "Next": "A"},
            {"ErrorEquals": ["States.ExceedToleratedFailureThreshold"], "Next": "B"},
        ],
    }
    mock = mocked([0, 0, 1])
    one = {"mapIterationFailureCount": 1}
    assert out(tester(state, mock=mock, stateConfiguration=one)) == [0, 0, 1]
    answer = tester(state, mock=mock, stateConfiguration={"mapIterationFailureCount": 2})
    assert (answer["status"], answer["nextState"]) == ("CAUGHT_ERROR", "B")
    assert answer["cause"] == "The specified tolerated failure threshold was exceeded"


def test_a_share_of_failures_above_the_tolerated_one_fails_the_map(tester: StateTester) -> None:
    state = {**MAP, "Items": [1, 2, 3, 4], "ToleratedFailurePercentage": 50}
    for failed, status in ((2, "SUCCEEDED"), (3, "FAILED")):
        configuration = {"mapIterationFailureCount": failed}
        answer = tester(state, mock=mocked([]), stateConfiguration=configuration)
        assert answer["status"] == status


def test_failures_do_not_fail_a_map_that_says_nothing_of_tolerance(tester: StateTester) -> None:
    state = {**MAP, "Items": [1, 2, 3]}
    configuration = {"mapIterationFailureCount": 2}
    assert out(tester(state, mock=mocked([1]), stateConfiguration=configuration)) == [1]


def test_no_more_items_can_fail_than_there_are(tester: StateTester) -> None:
    configuration = {"mapIterationFailureCount": 2}
    state = {**MAP, "Items": [1]}
    message = tester.invalid(state, mock=mocked([]), stateConfiguration=configuration)
    assert "exceeds the number of items" in message


def test_a_mocked_error_goes_before_failed_items(tester: StateTester) -> None:
    state = {**MAP, "Items": [1, 2, 3], "ToleratedFailureCount": 1}
    configuration = {"mapIterationFailureCount": 2, "errorCausedByState": "Inner"}
    answer = tester(state, mock=ERROR, stateConfiguration=configuration)
    assert (answer["status"], answer["error"]) == ("FAILED", "Bad")


def test_the_mock_of_a_parallel_state_has_one_result_for_each_branch(tester: StateTester) -> None:
    state = {
        **PARALLEL,
        "Branches": [INNER, {"StartAt": "B", "States": {"B": {"Type": "Succeed"}}}],
        "Arguments": "{% $states.input.p %}",
        "Output": {"in": "{% $states.input.p %}", "out": "{% $states.result %}"},
    }
    answer = tester(state, {"p": 1}, mock=mocked(["a", "b"]), inspectionLevel="DEBUG")
    assert out(answer) == {"in": 1, "out": ["a", "b"]}
    assert answer["inspectionData"] == {"input": '{"p":1}', "afterArguments": "1"}
    assert tester.invalid(state, mock=mocked(["a"])) == (
        "Mocked result must contain the same number of items as number of Parallel branches."
    )
    assert tester.invalid(state, mock=mocked("a")) == "Mocked result must be an array."


@pytest.mark.parametrize(
    ("state", "configuration"),
    [
        ({**MAP, "Items": [1]}, {"errorCausedByState": "Nobody"}),
        (INVOKE, {"errorCausedByState": "Inner"}),
        (INVOKE, {"mapIterationFailureCount": 1}),
        ({**MAP, "Items": [1]}, {"mapItemReaderData": "[]"}),
    ],
)
def test_a_configuration_that_has_nothing_to_act_on_is_refused(
    tester: StateTester, state: Any, configuration: Any
) -> None:
    tester.invalid(state, mock=ERROR, stateConfiguration=configuration)


# A state inside a state machine


def machine_around(catch: str, **limits: Any) -> dict[str, Any]:
    task = {**INVOKE, "Catch": [{"ErrorEquals": ["Minor"], "Next": "Aside"}]}
    inner = {"StartAt": "Work", "States": {"Work": task, "Aside": {"Type": "Succeed"}}}
    outer = {
        **MAP,
        **limits,
        "Items": [1],
        "ItemProcessor": {**DISTRIBUTED, **inner},
        "Catch": [{"ErrorEquals": [catch], "Next": "Repair"}],
        "Next": "Repair",
    }
    del outer["End"]
    states = {"Loop": outer, "Repair": {"Type": "Succeed"}}
    return {"QueryLanguage": "JSONata", "StartAt": "Loop", "States": states}


def test_a_state_of_a_machine_is_tested_by_its_name(tester: StateTester) -> None:
    first = {"Type": "Pass", "Next": "Second"}
    states = {"First": first, "Second": {"Type": "Fail", "Error": "E"}}
    machine = {"QueryLanguage": "JSONata", "StartAt": "First", "States": states}
    assert tester(machine, stateName="First")["nextState"] == "Second"
    assert tester(machine, stateName="Second")["error"] == "E"
    assert tester.invalid(machine, stateName="dne") == "State not found in definition"


def test_a_state_inside_a_map_is_tested_with_the_first_item(tester: StateTester) -> None:
    machine = machine_around("States.ALL")
    work = machine["States"]["Loop"]["ItemProcessor"]["States"]["Work"]
    work["Output"] = "{% $states.context.Map.Item %}"
    answer = tester(machine, {"a": 1}, stateName="Work", mock=mocked({}))
    assert out(answer) == {"Index": 0, "Value": {"a": 1}, "Source": "STATE_DATA"}


def test_an_error_goes_on_to_the_states_around(tester: StateTester) -> None:
    threshold = "States.ExceedToleratedFailureThreshold"
    answer = tester(machine_around(threshold), stateName="Work", mock=ERROR)
    assert answer["status"] == "CAUGHT_ERROR"
    assert (answer["error"], answer["nextState"]) == (threshold, "Repair")


def test_an_error_that_its_map_tolerates_stays_inside(tester: StateTester) -> None:
    machine = machine_around("States.ALL", ToleratedFailureCount=2)
    answer = tester(machine, stateName="Work", mock=ERROR)
    assert (answer["status"], answer["error"]) == ("FAILED", "Bad")
    configuration = {"mapIterationFailureCount": 2}
    answer = tester(machine, stateName="Work", mock=ERROR, stateConfiguration=configuration)
    assert answer["status"] == "CAUGHT_ERROR"


def test_an_error_that_nobody_catches_keeps_its_name(tester: StateTester) -> None:
    answer = tester(machine_around("Other"), stateName="Work", mock=ERROR)
    assert (answer["status"], answer["error"]) == ("FAILED", "Bad")


def test_an_error_of_a_branch_reaches_the_parallel_state_as_it_is(tester: StateTester) -> None:
    branch = {"StartAt": "Work", "States": {"Work": INVOKE}}
    catch = [{"ErrorEquals": ["Bad"], "Next": "End"}]
    both = {"Type": "Parallel", "Branches": [branch], "Catch": catch, "Next": "End"}
    states = {"Both": both, "End": {"Type": "Succeed"}}
    machine = {"QueryLanguage": "JSONata", "StartAt": "Both", "States": states}
    answer = tester(machine, stateName="Work", mock=ERROR)
    assert (answer["status"], answer["nextState"]) == ("CAUGHT_ERROR", "End")
