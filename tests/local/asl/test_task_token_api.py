"""SendTaskSuccess, SendTaskFailure, SendTaskHeartbeat and GetActivityTask."""

from __future__ import annotations

import asyncio
import json

import pytest
from ministack.core.responses import request_scope
from ministack.services import stepfunctions as sf
from tests.local.asl.api_world import ACCOUNT, REGION, STATES, Api, RefusedError
from tests.local.asl.world import CALLBACK, one, types, until

from penstock_local.asl import task_tokens
from penstock_local.asl.callbacks import new_token

WAITING = one({"Type": "Task", "Resource": CALLBACK})
ACTIVITY = f"{STATES}:activity:work"


@pytest.fixture
def arn(sfn: Api) -> str:
    """An execution that waits for its token."""
    arn = sfn.start(sfn.create(WAITING))
    until(lambda: "TaskSubmitted" in types(sfn.execution(arn)))
    return arn


def token(sfn: Api) -> str:
    [call] = sfn.services.calls
    assert call.token is not None
    return call.token


def test_success(sfn: Api, arn: str) -> None:
    assert sfn("SendTaskSuccess", taskToken=token(sfn), output='{"done":true}') == {}
    assert sfn.ended(arn)["output"] == '{"done":true}'


def test_failure(sfn: Api, arn: str) -> None:
    sfn("SendTaskFailure", taskToken=token(sfn), error="JobBlocked", cause="upstream failed")
    shown = sfn.ended(arn)
    assert (shown["error"], shown["cause"]) == ("JobBlocked", "upstream failed")


def test_failure_without_a_word(sfn: Api, arn: str) -> None:
    sfn("SendTaskFailure", taskToken=token(sfn))
    shown = sfn.ended(arn)
    assert "error" not in shown
    assert "cause" not in shown


def test_heartbeat(sfn: Api, arn: str) -> None:
    assert sfn("SendTaskHeartbeat", taskToken=token(sfn)) == {}
    assert sfn("DescribeExecution", executionArn=arn)["status"] == "RUNNING"


@pytest.mark.parametrize("action", ["SendTaskFailure", "SendTaskHeartbeat"])
def test_a_token_works_once(sfn: Api, arn: str, action: str) -> None:
    used = token(sfn)
    sfn("SendTaskSuccess", taskToken=used, output="{}")
    with pytest.raises(RefusedError) as refused:
        sfn(action, taskToken=used)
    assert refused.value.code == "TaskTimedOut"
    assert refused.value.message == "Task Timed Out: 'Provided task does not exist anymore'"
    assert sfn.ended(arn)["status"] == "SUCCEEDED"


def test_the_token_of_a_stopped_execution_is_dead(sfn: Api, arn: str) -> None:
    sfn("StopExecution", executionArn=arn)
    sfn.ended(arn)
    with pytest.raises(RefusedError) as refused:
        sfn("SendTaskSuccess", taskToken=token(sfn), output="{}")
    assert refused.value.code == "TaskTimedOut"


@pytest.mark.parametrize(
    "text",
    ["nonsense", "bm9uc2Vuc2U=", pytest.param(new_token()[:-8] + "!", id="a token cut short")],
)
def test_what_is_no_token(sfn: Api, text: str) -> None:
    with pytest.raises(RefusedError) as refused:
        sfn("SendTaskSuccess", taskToken=text, output="{}")
    assert refused.value.code == "InvalidToken"


def test_an_output_must_be_json(sfn: Api, arn: str) -> None:
    with pytest.raises(RefusedError) as refused:
        sfn("SendTaskSuccess", taskToken=token(sfn), output="nonsense")
    assert refused.value.code == "InvalidOutput"
    assert sfn("DescribeExecution", executionArn=arn)["status"] == "RUNNING"


def test_an_activity_worker_gets_its_work(sfn: Api) -> None:
    with request_scope(ACCOUNT, REGION):
        sf._activities[ACTIVITY] = {"activityArn": ACTIVITY, "name": "work"}
    definition = one({"Type": "Task", "Resource": ACTIVITY})
    arn = sfn.start(sfn.create(definition), input='{"n":1}')
    work = sfn("GetActivityTask", activityArn=ACTIVITY, workerName="me")
    assert json.loads(work["input"]) == {"n": 1}
    until(lambda: sfn.engine.callbacks.find(work["taskToken"]) is not None)
    sfn("SendTaskSuccess", taskToken=work["taskToken"], output="2")
    assert sfn.ended(arn)["output"] == "2"


def test_a_worker_that_waits_gets_work_that_comes_later(sfn: Api) -> None:
    with request_scope(ACCOUNT, REGION):
        sf._activities[ACTIVITY] = {"activityArn": ACTIVITY, "name": "work"}
    machine = sfn.create(one({"Type": "Task", "Resource": ACTIVITY}))

    async def wait_then_start() -> str:
        asking = asyncio.create_task(
            sfn.service.perform("GetActivityTask", {"activityArn": ACTIVITY})
        )
        await asyncio.sleep(0.05)
        await sfn.service.perform("StartExecution", {"stateMachineArn": machine})
        _, _, body = await asking
        found: str = json.loads(body)["taskToken"]
        return found

    assert asyncio.run(wait_then_start())


def test_no_work_makes_an_empty_answer(sfn: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_tokens, "ACTIVITY_PATIENCE_SECONDS", 0.05)
    with request_scope(ACCOUNT, REGION):
        sf._activities[ACTIVITY] = {"activityArn": ACTIVITY, "name": "work"}
    assert sfn("GetActivityTask", activityArn=ACTIVITY) == {}


def test_an_activity_that_does_not_exist(sfn: Api) -> None:
    with pytest.raises(RefusedError) as refused:
        sfn("GetActivityTask", activityArn=f"{STATES}:activity:nobody")
    assert refused.value.code == "ActivityDoesNotExist"
