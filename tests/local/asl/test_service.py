"""The engine in the place of ministack's own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ministack.core import iam_actions
from ministack.core.responses import request_scope
from ministack.services import eventbridge
from ministack.services import stepfunctions as sf
from tests.local.asl.api_world import ACCOUNT, REGION, STATES
from tests.local.asl.world import ROLE, one, until

from penstock_local.asl import service
from penstock_local.asl.execution import Status
from penstock_local.settings import LocalSettings

MACHINE = f"{STATES}:stateMachine:machine"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[service.StepFunctions]:
    """The engine, installed for one test."""
    for name in ("handle_request", "_start_execution", "reset"):
        monkeypatch.setattr(sf, name, getattr(sf, name))  # put back when the test is over
    monkeypatch.setattr(iam_actions, "extract_resource_arn", iam_actions.extract_resource_arn)
    made = service.install(LocalSettings(home=tmp_path, runtimes=tmp_path))
    with request_scope(ACCOUNT, REGION):
        sf._state_machines[MACHINE] = {
            "stateMachineArn": MACHINE,
            "name": "machine",
            "definition": json.dumps({"QueryLanguage": "JSONata", **one({"Type": "Pass"})}),
            "roleArn": ROLE,
            "type": "STANDARD",
            "creationDate": "2026-11-21T05:00:00.000Z",
        }
    yield made
    made.close()
    sf._state_machines._data.clear()
    sf._tags._data.clear()


def ask(action: str, request: Any) -> tuple[int, dict[str, Any]]:
    headers = {"x-amz-target": f"AWSStepFunctions.{action}"}
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    with request_scope(ACCOUNT, REGION):
        status, _, answer = asyncio.run(sf.handle_request("POST", "/", headers, body, {}))
    return status, json.loads(answer)


def test_executions_are_the_engines(installed: service.StepFunctions) -> None:
    status, answer = ask("StartExecution", {"stateMachineArn": MACHINE})
    assert status == 200
    execution = installed.engine.executions[answer["executionArn"]]
    until(lambda: execution.status is Status.SUCCEEDED)
    assert service.installed() is installed


@pytest.mark.parametrize(
    ("request_", "constraint"),
    [
        ({"maxResults": 1001}, "value less than or equal to 1000"),
        ({"nextToken": "x" * 1025}, "length less than or equal to 1024"),
    ],
)
def test_ministacks_actions_keep_the_constraints_of_the_api(
    installed: service.StepFunctions, request_: Any, constraint: str
) -> None:
    status, answer = ask("ListStateMachines", request_)
    assert (status, answer["__type"]) == (400, "ValidationException")
    assert answer["message"].endswith(
        f"failed to satisfy constraint: Member must have {constraint}"
    )


@pytest.mark.parametrize(("updated", "revision"), [({}, None), ({"updateDate": 1}, "r")])
def test_an_execution_names_the_revision_of_a_machine_that_was_updated(
    installed: service.StepFunctions, updated: Any, revision: str | None
) -> None:
    with request_scope(ACCOUNT, REGION):
        sf._state_machines[MACHINE].update(revisionId="r", **updated)
    _, started = ask("StartExecution", {"stateMachineArn": MACHINE})
    _, machine = ask("DescribeStateMachineForExecution", {"executionArn": started["executionArn"]})
    assert machine.get("revisionId") == revision


def test_a_task_whose_activity_was_deleted_is_never_scheduled(
    installed: service.StepFunctions,
) -> None:
    arn = f"{STATES}:activity:gone"
    state = one({"Type": "Task", "Resource": arn}, "Work")
    with request_scope(ACCOUNT, REGION):
        text = json.dumps({"QueryLanguage": "JSONata", **state})
        sf._state_machines[MACHINE]["definition"] = text
    _, started = ask("StartExecution", {"stateMachineArn": MACHINE})
    execution = installed.engine.executions[started["executionArn"]]
    until(lambda: execution.status is Status.FAILED)
    assert (execution.error, execution.cause) == (
        "States.Runtime",
        (
            "An error occurred while executing the state 'Work' (entered at the event id #2). "
            f"The activity {arn} does not exist."
        ),
    )
    kinds = [event.type for event in execution.history.events]
    assert kinds == ["ExecutionStarted", "TaskStateEntered", "ExecutionFailed"]


def test_errors_have_code_and_message(installed: service.StepFunctions) -> None:
    arn = f"{STATES}:execution:machine:nobody"
    status, answer = ask("DescribeExecution", {"executionArn": arn})
    assert status == 400
    assert answer == {
        "__type": "ExecutionDoesNotExist",
        "message": f"Execution Does Not Exist: '{arn}'",
    }


def test_the_rest_stays_with_ministack(installed: service.StepFunctions) -> None:
    tags = [{"key": "a", "value": "b"}]
    assert ask("TagResource", {"resourceArn": MACHINE, "tags": tags}) == (200, {})
    assert ask("ListTagsForResource", {"resourceArn": MACHINE}) == (200, {"tags": tags})


def test_a_body_that_is_not_json(installed: service.StepFunctions) -> None:
    status, answer = ask("StartExecution", b"{")
    assert (status, answer["__type"]) == (400, "SerializationException")


def test_event_targets_start_executions_of_the_engine(installed: service.StepFunctions) -> None:
    with request_scope(ACCOUNT, REGION):
        eventbridge._dispatch_to_stepfunctions(MACHINE, '{"from":"a rule"}')
    [execution] = installed.engine.executions.values()
    until(lambda: execution.status is Status.SUCCEEDED)
    assert execution.input_text == '{"from":"a rule"}'


def test_a_reset_forgets_the_executions(installed: service.StepFunctions) -> None:
    ask("StartExecution", {"stateMachineArn": MACHINE})
    sf.reset()
    assert installed.engine.executions == {}
    assert ask("ListStateMachines", {})[1] == {"stateMachines": []}


@pytest.mark.parametrize("field", ["mapRunArn", "executionArn", "stateMachineArn"])
def test_policies_judge_a_request_by_the_arn_in_it(
    installed: service.StepFunctions, field: str
) -> None:
    arn = f"{STATES}:mapRun:machine/jobs:1"
    headers = {"x-amz-target": "AWSStepFunctions.DescribeMapRun"}
    body = json.dumps({field: arn}).encode()
    extract = iam_actions.extract_resource_arn
    assert extract("states", "POST", "/", headers, body, {}, ACCOUNT, REGION) == arn
