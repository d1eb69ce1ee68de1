"""The states that work at once, and what every state does with its output."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from tests.local.asl.world import World, details, machine, one, output, types, world

from penstock_local.asl.execution import Status

KIB = 1024


@pytest.mark.parametrize("value", [None, 0, 0.5, True, "text", [], {}, [None], {"a": {"b": []}}])
def test_every_json_value_is_a_legal_output(asl: World, value: object) -> None:
    assert output(asl.run(one({"Type": "Pass", "Output": value}), 1)) == value


def test_a_pass_without_output_hands_its_input_on(asl: World) -> None:
    assert output(asl.run(one({"Type": "Pass"}), {"a": 1})) == {"a": 1}


def test_a_succeed_has_an_output(asl: World) -> None:
    assert (
        output(asl.run(one({"Type": "Succeed", "Output": "{% $states.input.a %}"}), {"a": 1})) == 1
    )


def test_blanks_around_an_expression_make_it_a_text(asl: World) -> None:
    assert output(asl.run(one({"Type": "Pass", "Output": [" {% 1 %} ", "{% 1 %}"]}))) == [
        " {% 1 %} ",
        1,
    ]


CHOICE = {
    "Type": "Choice",
    "Choices": [
        {"Condition": "{% $states.input < 10 %}", "Next": "End", "Output": "small"},
        {
            "Condition": "{% $states.input < 100 %}",
            "Next": "Show",
            "Assign": {"size": "medium"},
        },
    ],
    "Default": "Show",
    "Output": "default",
    "Assign": {"size": "large"},
}


@pytest.mark.parametrize(
    ("value", "expected"), [(5, "small"), (50, "50 medium"), (500, "default large")]
)
def test_a_rule_brings_its_own_output_and_variables(asl: World, value: int, expected: str) -> None:
    show = {"Type": "Pass", "Output": "{% $states.input & ' ' & $size %}", "Next": "End"}
    definition = machine("Ask", Ask=CHOICE, Show=show, End={"Type": "Succeed"})
    assert output(asl.run(definition, value)) == expected


def test_no_rule_and_no_default_is_an_error(asl: World) -> None:
    choice = {"Type": "Choice", "Choices": [{"Condition": False, "Next": "End"}]}
    run = asl.run(machine("Ask", Ask=choice, End={"Type": "Succeed"}))
    assert run.error == "States.NoChoiceMatched"
    assert types(run)[1:] == ["ChoiceStateEntered", "ExecutionFailed"]


def test_a_condition_must_be_a_boolean(asl: World) -> None:
    choice = {"Type": "Choice", "Choices": [{"Condition": "{% 1 %}", "Next": "End"}]}
    run = asl.run(machine("Ask", Ask=choice, End={"Type": "Succeed"}))
    failed = details(run, "EvaluationFailed")
    assert failed["location"] == "Choices/0/Condition"
    assert failed["cause"].endswith(
        "returned an unexpected result type. Expected 'boolean', but was 'number' for value: 1"
    )


@pytest.mark.parametrize("seconds", [0.1, "{% $states.input.pause %}"])
def test_a_wait_takes_its_seconds(seconds: object) -> None:
    with world(wait_scale=1.0) as asl:
        before = time.monotonic()
        asl.run(one({"Type": "Wait", "Seconds": seconds}), {"pause": 0.1})
        assert 0.1 <= time.monotonic() - before < 2


def test_a_wait_ends_at_its_timestamp() -> None:
    moment = (datetime.now(UTC) + timedelta(seconds=0.2)).isoformat().replace("+00:00", "Z")
    with world(wait_scale=1.0) as asl:
        run = asl.run(one({"Type": "Wait", "Timestamp": "{% $states.input %}"}), moment)
        assert run.stopped is not None
        assert run.stopped - run.started >= 0.15


def test_a_wait_for_the_past_is_over_at_once() -> None:
    with world(wait_scale=1.0) as asl:
        asl.run(one({"Type": "Wait", "Timestamp": "2020-01-01T00:00:00+01:00"}))


def test_waits_are_scaled_for_tests() -> None:
    with world(wait_scale=0.001) as asl:
        before = time.monotonic()
        asl.run(one({"Type": "Wait", "Seconds": 60}))
        assert time.monotonic() - before < 5


def test_error_and_cause_of_a_fail_may_be_expressions(asl: World) -> None:
    run = asl.run(
        one({"Type": "Fail", "Error": "{% $states.input.e %}", "Cause": "{% 'so ' & 1 %}"}),
        {"e": "Mine"},
    )
    assert (run.status, run.error, run.cause) == (Status.FAILED, "Mine", "so 1")


def test_an_output_beyond_256_kib_is_refused(asl: World) -> None:
    run = asl.run(one({"Type": "Pass", "Output": "x" * (256 * KIB - 1)}, "Make Much"))
    assert run.error == "States.DataLimitExceeded"
    assert run.cause == (
        "The state/task 'Make Much' returned a result with a size exceeding the maximum number of"
        " bytes service limit."
    )
    assert types(run)[1:] == ["PassStateEntered", "ExecutionFailed"]


def test_256_kib_are_allowed(asl: World) -> None:
    run = asl.run(one({"Type": "Pass", "Output": "x" * (256 * KIB - 2)}))
    assert run.status is Status.SUCCEEDED


def test_the_limit_counts_bytes_of_utf_8(asl: World) -> None:
    run = asl.run(one({"Type": "Pass", "Output": "ä" * (128 * KIB)}))
    assert run.error == "States.DataLimitExceeded"


def test_a_state_that_does_not_exist_fails_the_execution(asl: World) -> None:
    run = asl.run(machine("First", First={"Type": "Pass", "Next": "Nowhere"}))
    assert (run.status, run.error) == (Status.FAILED, "States.Runtime")
