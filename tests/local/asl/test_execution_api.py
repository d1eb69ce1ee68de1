"""StartExecution, StopExecution, RedriveExecution, Describe and List, as a client sees them."""

from __future__ import annotations

import time
from typing import Any

import pytest
from tests.local.asl.api_world import STATES, Api, RefusedError
from tests.local.asl.world import CALLBACK, LAMBDA, ROLE, one, types, until

from penstock_local.asl.errors import StateError

PASS = one({"Type": "Pass"})
WAITING = one({"Type": "Task", "Resource": CALLBACK})


def test_an_execution_is_started_and_described(sfn: Api) -> None:
    machine = sfn.create(PASS)
    before = time.time()
    arn = sfn.start(machine, name="mine", input='{"a": 1}', traceHeader="trace")
    assert arn == f"{STATES}:execution:machine:mine"
    shown = sfn.ended(arn)
    assert before - 1 < shown.pop("startDate") <= shown.pop("stopDate")
    assert shown == {
        "executionArn": arn,
        "stateMachineArn": machine,
        "name": "mine",
        "status": "SUCCEEDED",
        "input": '{"a": 1}',
        "inputDetails": {"included": True},
        "output": '{"a":1}',
        "outputDetails": {"included": True},
        "traceHeader": "trace",
        "redriveCount": 0,
        "redriveStatus": "NOT_REDRIVABLE",
        "redriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
    }


def test_name_and_input_are_optional(sfn: Api) -> None:
    arn = sfn.start(sfn.create(PASS))
    assert len(arn.rpartition(":")[2]) == 36
    assert sfn.ended(arn)["input"] == "{}"


def test_a_failed_execution_shows_error_and_cause_and_no_output(sfn: Api) -> None:
    arn = sfn.start(sfn.create(one({"Type": "Fail", "Error": "Bad", "Cause": "because"})))
    shown = sfn.ended(arn)
    assert (shown["error"], shown["cause"]) == ("Bad", "because")
    assert shown["redriveStatus"] == "REDRIVABLE"
    assert "redriveStatusReason" not in shown
    assert "output" not in shown
    assert "outputDetails" not in shown


def test_metadata_only(sfn: Api) -> None:
    arn = sfn.start(sfn.create(PASS))
    sfn.ended(arn)
    shown = sfn("DescribeExecution", executionArn=arn, includedData="METADATA_ONLY")
    assert "input" not in shown
    assert shown["inputDetails"] == shown["outputDetails"] == {"included": False}


def test_starting_a_running_execution_again_is_harmless(sfn: Api) -> None:
    machine = sfn.create(WAITING)
    request = {"stateMachineArn": machine, "name": "once", "input": '{"a":1}'}
    assert sfn("StartExecution", **request) == sfn("StartExecution", **request)
    assert len(sfn.engine.executions) == 1


def test_a_name_is_not_taken_twice_with_another_input(sfn: Api) -> None:
    machine = sfn.create(WAITING)
    arn = sfn.start(machine, name="once", input='{"a":1}')
    with pytest.raises(RefusedError) as refused:
        sfn.start(machine, name="once", input='{"a":2}')
    assert refused.value.code == "ExecutionAlreadyExists"
    assert refused.value.message == f"Execution Already Exists: '{arn}'"


def test_the_name_of_an_ended_execution_is_taken(sfn: Api) -> None:
    machine = sfn.create(PASS)
    sfn.ended(sfn.start(machine, name="once"))
    with pytest.raises(RefusedError) as refused:
        sfn.start(machine, name="once")
    assert refused.value.code == "ExecutionAlreadyExists"


@pytest.mark.parametrize("name", ["a b", "a/b", "a:b", "a<b", "a?", "a*", 'a"', "a#", "a\n"])
def test_characters_that_names_must_not_have(sfn: Api, name: str) -> None:
    with pytest.raises(RefusedError) as refused:
        sfn.start(sfn.create(PASS), name=name)
    assert refused.value.code == "InvalidName"


@pytest.mark.parametrize("name", ["a.b-c_d", "ä", "a" * 80])
def test_characters_that_names_may_have(sfn: Api, name: str) -> None:
    assert sfn.start(sfn.create(PASS), name=name).endswith(name)


def test_a_name_has_at_most_80_characters(sfn: Api) -> None:
    with pytest.raises(RefusedError) as refused:
        sfn.start(sfn.create(PASS), name="a" * 81)
    assert refused.value.code == "ValidationException"
    assert refused.value.message == (
        f"1 validation error detected: Value '{'a' * 81}' at 'name' failed to satisfy constraint:"
        " Member must have length less than or equal to 80"
    )


@pytest.mark.parametrize(
    ("text", "explained"),
    [
        (
            "not json",
            (
                "Unrecognized token 'not': was expecting (JSON String, Number, Array, Object or"
                " token 'null', 'true' or 'false')"
            ),
        ),
        (
            "{'a': 1}",
            "Unexpected character (''' (code 39)): was expecting double-quote to start field name",
        ),
        ("", "Invalid execution input."),
    ],
)
def test_input_that_is_not_json(sfn: Api, text: str, explained: str) -> None:
    with pytest.raises(RefusedError) as refused:
        sfn.start(sfn.create(PASS), input=text)
    assert refused.value.code == "InvalidExecutionInput"
    assert refused.value.message == f"Invalid State Machine Execution Input: '{explained}'"


@pytest.mark.parametrize("text", ["1", '"text"', "null", "[1]"])
def test_input_may_be_any_json(sfn: Api, text: str) -> None:
    assert sfn.ended(sfn.start(sfn.create(PASS), input=text))["output"] == text


def test_input_beyond_256_kib_is_refused(sfn: Api) -> None:
    with pytest.raises(RefusedError) as refused:
        sfn.start(sfn.create(PASS), input=f'"{"ä" * 131_072}"')
    assert refused.value.code == "ValidationException"
    assert "less than or equal to 262144" in refused.value.message


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        (f"{STATES}:stateMachine:nobody", "StateMachineDoesNotExist"),
        (f"{STATES}:activity:machine", "InvalidArn"),
        ("machine", "InvalidArn"),
        ("arn:aws:lambda:eu-central-1:123456789012:function:f", "InvalidArn"),
    ],
)
def test_machines_that_cannot_be_started(sfn: Api, arn: str, code: str) -> None:
    with pytest.raises(RefusedError) as refused:
        sfn.start(arn)
    assert refused.value.code == code


def test_a_required_member_is_missing(sfn: Api) -> None:
    with pytest.raises(RefusedError) as refused:
        sfn("DescribeExecution")
    assert refused.value.message == (
        "1 validation error detected: Value null at 'executionArn' failed to satisfy constraint:"
        " Member must not be null"
    )


def test_versions_and_aliases(sfn: Api) -> None:
    machine = sfn.create(PASS)
    version, alias = sfn.publish(machine, 1), sfn.publish(machine, 1, "live")
    sfn.create(one({"Type": "Pass", "Output": "newer"}))
    shown = sfn.ended(sfn.start(alias))
    assert shown["output"] == "{}"
    assert shown["stateMachineArn"] == machine
    assert shown["stateMachineVersionArn"] == version
    assert shown["stateMachineAliasArn"] == alias
    [listed] = sfn("ListExecutions", stateMachineArn=version)["executions"]
    assert listed["executionArn"] == shown["executionArn"]


def test_an_execution_keeps_the_definition_it_started_with(sfn: Api) -> None:
    machine = sfn.create(WAITING)
    arn = sfn.start(machine)
    sfn.create(PASS)
    shown = sfn("DescribeStateMachineForExecution", executionArn=arn)
    assert CALLBACK in shown["definition"]
    assert shown["stateMachineArn"] == machine
    assert shown["roleArn"] == ROLE
    assert shown["name"] == "machine"
    assert shown["encryptionConfiguration"] == {"type": "AWS_OWNED_KEY"}


def test_a_stop_answers_at_once(sfn: Api) -> None:
    arn = sfn.start(sfn.create(WAITING))
    until(lambda: "TaskSubmitted" in types(sfn.execution(arn)))
    stopped = sfn("StopExecution", executionArn=arn, error="Mine", cause="enough")
    shown = sfn("DescribeExecution", executionArn=arn)
    assert (shown["status"], shown["error"], shown["cause"]) == ("ABORTED", "Mine", "enough")
    assert stopped == {"stopDate": shown["stopDate"]}
    assert sfn("StopExecution", executionArn=arn) == stopped


def test_a_stop_leaves_an_ended_execution_alone(sfn: Api) -> None:
    arn = sfn.start(sfn.create(PASS))
    shown = sfn.ended(arn)
    assert sfn("StopExecution", executionArn=arn) == {"stopDate": shown["stopDate"]}
    assert sfn("DescribeExecution", executionArn=arn) == shown


def test_a_failed_execution_is_redriven(sfn: Api) -> None:
    errors = [StateError("Bad")]

    def answer(_: object) -> str:
        if errors:
            raise errors.pop()
        return "done"

    sfn.services.answers[LAMBDA] = answer
    arn = sfn.start(sfn.create(one({"Type": "Task", "Resource": LAMBDA})))
    sfn.ended(arn)
    first = sfn("RedriveExecution", executionArn=arn, clientToken="t")
    shown = sfn.ended(arn)
    assert (shown["status"], shown["redriveCount"]) == ("SUCCEEDED", 1)
    assert first == {"redriveDate": shown["redriveDate"]}
    assert sfn("RedriveExecution", executionArn=arn, clientToken="t") == first


@pytest.mark.parametrize("definition", [PASS, WAITING], ids=["SUCCEEDED", "RUNNING"])
def test_what_runs_or_has_succeeded_cannot_be_redriven(
    sfn: Api, definition: dict[str, Any]
) -> None:
    arn = sfn.start(sfn.create(definition))
    if definition is PASS:
        sfn.ended(arn)
    status = "SUCCEEDED" if definition is PASS else "RUNNING"
    with pytest.raises(RefusedError) as refused:
        sfn("RedriveExecution", executionArn=arn)
    assert refused.value.code == "ExecutionNotRedrivable"
    assert refused.value.message == f"Execution is {status} and cannot be redriven"


@pytest.mark.parametrize("action", ["DescribeExecution", "StopExecution", "GetExecutionHistory"])
def test_an_execution_that_does_not_exist(sfn: Api, action: str) -> None:
    arn = f"{STATES}:execution:machine:nobody"
    with pytest.raises(RefusedError) as refused:
        sfn(action, executionArn=arn)
    assert refused.value.code == "ExecutionDoesNotExist"
    assert refused.value.message == f"Execution Does Not Exist: '{arn}'"


def test_lists_show_the_newest_first(sfn: Api) -> None:
    machine = sfn.create(PASS)
    arns = [sfn.start(machine, name=f"n{number}") for number in range(5)]
    shown = sfn("ListExecutions", stateMachineArn=machine)["executions"]
    assert [entry["executionArn"] for entry in shown] == arns[::-1]


def test_lists_have_pages(sfn: Api) -> None:
    machine = sfn.create(PASS)
    arns = [sfn.start(machine) for _ in range(5)]
    found: list[Any] = []
    token: dict[str, str] = {}
    while True:
        page = sfn("ListExecutions", stateMachineArn=machine, maxResults=2, **token)
        found += [entry["executionArn"] for entry in page["executions"]]
        sfn.start(machine)  # what starts meanwhile does not shift the pages
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert found == arns[::-1]


def test_a_token_fits_its_own_list_only(sfn: Api) -> None:
    machine = sfn.create(PASS)
    for _ in range(2):
        sfn.start(machine)
    token = sfn("ListExecutions", stateMachineArn=machine, maxResults=1)["nextToken"]
    for wrong in ({"nextToken": "x"}, {"nextToken": token, "statusFilter": "RUNNING"}):
        with pytest.raises(RefusedError) as refused:
            sfn("ListExecutions", stateMachineArn=machine, maxResults=1, **wrong)
        assert refused.value.code == "InvalidToken"


def test_lists_can_be_filtered(sfn: Api) -> None:
    machine = sfn.create(WAITING)
    running, stopped = sfn.start(machine), sfn.start(machine)
    sfn("StopExecution", executionArn=stopped)
    for status, arn in (("RUNNING", running), ("ABORTED", stopped)):
        page = sfn("ListExecutions", stateMachineArn=machine, statusFilter=status)
        assert [entry["executionArn"] for entry in page["executions"]] == [arn]
    assert "stopDate" not in sfn("DescribeExecution", executionArn=running)
    sfn("RedriveExecution", executionArn=stopped)
    page = sfn("ListExecutions", stateMachineArn=machine, redriveFilter="REDRIVEN")
    assert [entry["executionArn"] for entry in page["executions"]] == [stopped]


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [
        ({"statusFilter": "succeeded"}, "Member must satisfy enum value set: [RUNNING, SUCCEEDED,"),
        ({"maxResults": 1001}, "Member must have value less than or equal to 1000"),
        ({"nextToken": "x" * 3097}, "Member must have length less than or equal to 3096"),
    ],
    ids=["statusFilter", "maxResults", "nextToken"],
)
def test_constraints_of_a_list(sfn: Api, wrong: dict[str, Any], constraint: str) -> None:
    with pytest.raises(RefusedError) as refused:
        sfn("ListExecutions", stateMachineArn=sfn.create(PASS), **wrong)
    assert refused.value.code == "ValidationException"
    assert constraint in refused.value.message


@pytest.mark.parametrize(
    "selector",
    [{}, {"stateMachineArn": f"{STATES}:stateMachine:a", "mapRunArn": f"{STATES}:mapRun:a/b:c"}],
    ids=["neither", "both"],
)
def test_a_list_is_of_a_machine_or_of_a_map_run(sfn: Api, selector: dict[str, str]) -> None:
    with pytest.raises(RefusedError) as refused:
        sfn("ListExecutions", **selector)
    assert refused.value.code == "ValidationException"


def test_an_express_execution_answers_at_its_end(sfn: Api) -> None:
    machine = sfn.create(PASS, kind="EXPRESS")
    shown = sfn("StartSyncExecution", stateMachineArn=machine, name="mine", input="[1]")
    prefix = f"{STATES}:express:machine:mine:"
    assert shown["executionArn"].startswith(prefix)
    assert shown["status"] == "SUCCEEDED"
    assert shown["output"] == "[1]"
    assert shown["billingDetails"]["billedMemoryUsedInMB"] == 64
    assert shown["billingDetails"]["billedDurationInMilliseconds"] % 100 == 0


def test_an_express_execution_that_fails(sfn: Api) -> None:
    machine = sfn.create(one({"Type": "Fail", "Error": "Bad"}), kind="EXPRESS")
    shown = sfn("StartSyncExecution", stateMachineArn=machine)
    assert (shown["status"], shown["error"]) == ("FAILED", "Bad")
    assert "output" not in shown


def test_a_standard_machine_does_not_run_synchronously(sfn: Api) -> None:
    with pytest.raises(RefusedError) as refused:
        sfn("StartSyncExecution", stateMachineArn=sfn.create(PASS))
    assert refused.value.code == "StateMachineTypeNotSupported"
    assert refused.value.message == "This operation is not supported by this type of state machine"


@pytest.mark.parametrize("action", ["DescribeExecution", "GetExecutionHistory", "StopExecution"])
def test_an_express_execution_tells_nothing(sfn: Api, action: str) -> None:
    arn = sfn.start(sfn.create(PASS, kind="EXPRESS"))
    with pytest.raises(RefusedError) as refused:
        sfn(action, executionArn=arn)
    assert refused.value.code == "InvalidArn"
    assert refused.value.message == (
        "Invalid Arn: 'Resource type not valid in this context: express'"
    )


def test_express_executions_are_not_listed(sfn: Api) -> None:
    with pytest.raises(RefusedError) as refused:
        sfn("ListExecutions", stateMachineArn=sfn.create(PASS, kind="EXPRESS"))
    assert refused.value.code == "StateMachineTypeNotSupported"
