"""GetExecutionHistory: pages, order, and histories without their data."""

from __future__ import annotations

from typing import Any

import pytest
from tests.local.asl.api_world import Api, RefusedError
from tests.local.asl.world import CALLBACK, machine, one, types, until

FIVE_STATES = machine(
    "A",
    A={"Type": "Pass", "Next": "B"},
    B={"Type": "Pass", "Next": "C"},
    C={"Type": "Pass", "Next": "D"},
    D={"Type": "Pass", "Next": "E"},
    E={"Type": "Succeed"},
)
EVENTS = 12


def pages(sfn: Api, arn: str, **request: Any) -> list[list[dict[str, Any]]]:
    found: list[Any] = []
    token: dict[str, str] = {}
    while True:
        page = sfn("GetExecutionHistory", executionArn=arn, **request, **token)
        found.append(page["events"])
        if "nextToken" not in page:
            return found
        token = {"nextToken": page["nextToken"]}


@pytest.fixture
def arn(sfn: Api) -> str:
    arn = sfn.start(sfn.create(FIVE_STATES), input='{"secret": 1}')
    sfn.ended(arn)
    return arn


def test_one_page_is_enough_for_a_hundred_events(sfn: Api, arn: str) -> None:
    [events] = pages(sfn, arn)
    assert [event["id"] for event in events] == list(range(1, EVENTS + 1))
    assert events[0]["executionStartedEventDetails"]["input"] == '{"secret": 1}'
    assert events[0]["timestamp"] <= events[-1]["timestamp"]


@pytest.mark.parametrize("size", [1, 5, 12])
@pytest.mark.parametrize("reverse", [False, True])
def test_pages_together_are_the_history(sfn: Api, arn: str, size: int, reverse: bool) -> None:
    found = pages(sfn, arn, maxResults=size, reverseOrder=reverse)
    ids = [event["id"] for page in found for event in page]
    assert ids == sorted(range(1, EVENTS + 1), reverse=reverse)
    assert all(len(page) <= size for page in found)


def test_events_that_happen_meanwhile_do_not_shift_the_pages(sfn: Api) -> None:
    arn = sfn.start(sfn.create(one({"Type": "Task", "Resource": CALLBACK})))
    until(lambda: "TaskSubmitted" in types(sfn.execution(arn)))
    first = sfn("GetExecutionHistory", executionArn=arn, maxResults=3, reverseOrder=True)
    sfn("StopExecution", executionArn=arn)
    second = sfn(
        "GetExecutionHistory",
        executionArn=arn,
        maxResults=3,
        reverseOrder=True,
        nextToken=first["nextToken"],
    )
    ids = [event["id"] for event in first["events"] + second["events"]]
    assert ids == [5, 4, 3, 2, 1]


def test_a_history_without_data(sfn: Api, arn: str) -> None:
    [events] = pages(sfn, arn, includeExecutionData=False)
    assert "secret" not in str(events)
    assert events[1]["stateEnteredEventDetails"] == {"name": "A"}


def test_a_token_fits_its_own_history_only(sfn: Api, arn: str) -> None:
    token = sfn("GetExecutionHistory", executionArn=arn, maxResults=1)["nextToken"]
    other = sfn.start(sfn.create(FIVE_STATES))
    for wrong in (
        {"executionArn": other, "nextToken": token},
        {"executionArn": arn, "nextToken": token, "reverseOrder": True},
        {"executionArn": arn, "nextToken": "nonsense"},
    ):
        with pytest.raises(RefusedError) as refused:
            sfn("GetExecutionHistory", maxResults=1, **wrong)
        assert refused.value.code == "InvalidToken"
