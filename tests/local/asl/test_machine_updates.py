"""What an update of a state machine leaves, and what the validation keeps to itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ministack import app
from ministack.core.responses import request_scope
from ministack.services import stepfunctions as sf
from tests.local.asl.api_world import ACCOUNT, REGION
from tests.local.asl.world import ROLE, one

from penstock_local.asl.api import ApiError
from penstock_local.asl.machine_store import MachineStore
from penstock_local.asl.machines import Machines
from penstock_local.asl.validation import diagnose


def definition(output: int) -> str:
    state = one({"Type": "Pass", "Output": output})
    return json.dumps({"QueryLanguage": "JSONata", **state})


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Machines]:
    monkeypatch.setattr(app, "AUTH", False)  # the role need not exist
    with request_scope(ACCOUNT, REGION):
        yield Machines()
        sf._state_machines._data.clear()
        sf._state_machine_versions._data.clear()


@pytest.fixture
def machine(machines: Machines) -> str:
    request = {"name": "updated", "definition": definition(0), "roleArn": ROLE}
    arn: str = machines.create(request)["stateMachineArn"]
    return arn


@pytest.mark.parametrize(
    ("changes", "is_new"),
    [
        ({"definition": definition(1)}, False),
        ({"definition": definition(2)}, True),
        ({"roleArn": ROLE}, False),
        ({"roleArn": f"{ROLE}-2"}, True),
        ({"tracingConfiguration": {"enabled": True}}, True),
    ],
    ids=str,
)
def test_an_update_that_changes_nothing_keeps_the_revision(
    machines: Machines, machine: str, changes: dict[str, Any], is_new: bool
) -> None:
    first = machines.update({"stateMachineArn": machine, "definition": definition(1)})
    second = machines.update({"stateMachineArn": machine, **changes})
    assert (second["revisionId"] != first["revisionId"]) is is_new
    assert machines.describe({"stateMachineArn": machine})["revisionId"] == second["revisionId"]


def test_a_version_from_before_the_first_update_shows_no_revision(machines: Machines) -> None:
    request = {"name": "versions", "definition": definition(0), "roleArn": ROLE, "publish": True}
    arn = machines.create(request)["stateMachineArn"]
    revision = machines.update({"stateMachineArn": arn, "definition": definition(1)})["revisionId"]
    machines.publish({"stateMachineArn": arn})
    shown = [machines.describe({"stateMachineArn": f"{arn}:{n}"}).get("revisionId") for n in (1, 2)]
    assert shown == [None, revision]
    assert MachineStore().find(f"{arn}:1").revision_id is None


def test_a_version_of_a_revision_that_has_passed_is_not_published(
    machines: Machines, machine: str
) -> None:
    first = machines.update({"stateMachineArn": machine, "definition": definition(1)})
    second = machines.update({"stateMachineArn": machine, "definition": definition(2)})
    with pytest.raises(ApiError) as refused:
        machines.publish({"stateMachineArn": machine, "revisionId": first["revisionId"]})
    assert refused.value.code == "ConflictException"
    assert refused.value.message == (
        f"Failed to publish the State Machine version for revision {first['revisionId']}."
        f" The current State Machine revision is {second['revisionId']}."
    )


def test_without_a_start_no_state_is_said_to_be_out_of_reach() -> None:
    states = one({"Type": "Pass"})["States"]
    found = diagnose({"QueryLanguage": "JSONata", "States": states})
    assert [diagnostic.message for diagnostic in found] == ["These fields are required: [StartAt]"]


def test_credentials_without_a_role_are_told_that_alone() -> None:
    resource, arguments = "arn:aws:states:::sqs:sendMessage", {"QueueUrl": "u", "MessageBody": "m"}
    state = {"Type": "Task", "Resource": resource, "Arguments": arguments}
    state = one({**state, "Credentials": {"InvalidField": "r"}}, "Call")
    found = diagnose({"QueryLanguage": "JSONata", **state})
    assert [(one.message, one.location) for one in found] == [
        ("The field 'RoleArn' is required but was missing", "/States/Call/Credentials")
    ]
