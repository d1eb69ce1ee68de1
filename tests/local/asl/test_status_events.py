"""The events that EventBridge gets when the status of an execution changes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ministack.core.responses import get_account_id, get_region
from ministack.services import eventbridge
from tests.local.asl.api_world import ACCOUNT, REGION, Api
from tests.local.asl.world import one, until

KEYS = {
    "executionArn",
    "stateMachineArn",
    "name",
    "status",
    "startDate",
    "stopDate",
    "input",
    "inputDetails",
    "output",
    "outputDetails",
    "stateMachineVersionArn",
    "stateMachineAliasArn",
    "redriveCount",
    "redriveDate",
    "redriveStatus",
    "redriveStatusReason",
    "error",
    "cause",
}


class Bus:
    """What reached the default event bus."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []

    def put(self, data: dict[str, Any], *, allow_aws_source: bool) -> None:
        assert allow_aws_source
        assert (get_account_id(), get_region()) == (ACCOUNT, REGION)
        self.entries += data["Entries"]

    def details(self, number: int) -> list[dict[str, Any]]:
        until(lambda: len(self.entries) >= number)
        return [json.loads(entry["Detail"]) for entry in self.entries]


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Bus:
    made = Bus()
    monkeypatch.setattr(eventbridge, "_put_events", made.put)
    return made


def test_a_start_and_an_end_are_told(bus: Bus, sfn: Api) -> None:
    arn = sfn.start(sfn.create(one({"Type": "Pass"})), input='{"a": 1}')
    shown = sfn.ended(arn)
    started, ended = bus.details(2)
    assert set(started) == set(ended) == KEYS
    assert (started["status"], ended["status"]) == ("RUNNING", "SUCCEEDED")
    assert started["stopDate"] is None
    assert started["output"] is None
    assert started["outputDetails"] is None
    assert started["redriveStatusReason"] == "Execution is RUNNING and cannot be redriven"
    assert ended["input"] == '{"a": 1}'
    assert ended["inputDetails"] == ended["outputDetails"] == {"included": True}
    assert ended["output"] == '{"a":1}'
    assert ended["startDate"] == pytest.approx(shown["startDate"] * 1000, abs=1)
    assert ended["stopDate"] == pytest.approx(shown["stopDate"] * 1000, abs=1)
    [entry, _] = bus.entries
    assert entry["Source"] == "aws.states"
    assert entry["DetailType"] == "Step Functions Execution Status Change"
    assert entry["Resources"] == [arn]


def test_a_failure_has_error_and_cause(bus: Bus, sfn: Api) -> None:
    sfn.start(sfn.create(one({"Type": "Fail", "Error": "Bad", "Cause": "because"})))
    _, ended = bus.details(2)
    assert (ended["error"], ended["cause"]) == ("Bad", "because")
    assert (ended["redriveStatus"], ended["redriveStatusReason"]) == ("REDRIVABLE", None)


def test_large_data_is_left_out(bus: Bus, sfn: Api) -> None:
    sfn.start(sfn.create(one({"Type": "Pass", "Output": 1})), input=f'"{"x" * 250_000}"')
    started, _ = bus.details(2)
    assert started["input"] is not None
    sfn.start(sfn.create(one({"Type": "Pass", "Output": 1})), input=f'"{"x" * 260_000}"')
    *_, ended = bus.details(4)
    assert ended["input"] is None
    assert ended["inputDetails"] == {"included": False}


def test_express_executions_tell_nothing(bus: Bus, sfn: Api) -> None:
    sfn("StartSyncExecution", stateMachineArn=sfn.create(one({"Type": "Pass"}), kind="EXPRESS"))
    sfn.service.close()
    assert bus.entries == []


def test_a_bus_that_breaks_does_not_break_the_execution(
    sfn: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(eventbridge, "_put_events", broken)
    arn = sfn.start(sfn.create(one({"Type": "Pass"})))
    assert sfn.ended(arn)["status"] == "SUCCEEDED"
    until(lambda: "EventBridge did not take" in caplog.text)
