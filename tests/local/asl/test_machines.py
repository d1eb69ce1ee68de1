"""State machines: created, updated, described and validated."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ministack import app
from ministack.core import iam_actions
from ministack.core.responses import request_scope
from ministack.services import stepfunctions as sf
from tests.local.asl.api_world import ACCOUNT, REGION, STATES
from tests.local.asl.world import ROLE, one

from penstock_local.asl import machine_templates, machines, service, test_state
from penstock_local.settings import LocalSettings

ARN = f"{STATES}:stateMachine:pipeline"
PASS = {"QueryLanguage": "JSONata", **one({"Type": "Pass"})}
OTHER = {"QueryLanguage": "JSONata", **one({"Type": "Succeed"})}
BROKEN = {"QueryLanguage": "JSONata", **one({"Type": "Tusk"})}
REPLACED = (
    "_create_state_machine",
    "_describe_state_machine",
    "_publish_state_machine_version",
    "_start_execution",
    "_test_state",
    "_update_state_machine",
    "_validate_definition_jsonata",
    "_validate_state_machine_definition",
    "handle_request",
    "reset",
)


@pytest.fixture
def settings(tmp_path: Path) -> LocalSettings:
    return LocalSettings(home=tmp_path, runtimes=tmp_path)


@pytest.fixture(autouse=True)
def stores(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """ministack's stores, empty before and after a test; roles need not exist."""
    monkeypatch.setattr(app, "AUTH", False)  # a platform of other tests may still enforce IAM
    used = (sf._state_machines, sf._state_machine_versions, sf._state_machine_aliases, sf._tags)
    yield
    for store in used:
        store._data.clear()


@pytest.fixture
def installed(settings: LocalSettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All of Step Functions, installed for one test."""
    for name in REPLACED:
        monkeypatch.setattr(sf, name, getattr(sf, name))  # put back when the test is over
    monkeypatch.setattr(iam_actions, "extract_resource_arn", iam_actions.extract_resource_arn)
    monkeypatch.setattr(machine_templates, "install", lambda _: None)
    made = service.install(settings)
    machines.install(settings)
    test_state.install(settings)
    yield
    made.close()


def ask(action: str, **request: Any) -> dict[str, Any]:
    """The answer of an action, which must not be refused."""
    status, answer = send(action, **request)
    assert status == 200, answer
    return answer


def refused(action: str, **request: Any) -> tuple[str, str]:
    """Code and message of what must be a refusal."""
    status, answer = send(action, **request)
    assert status == 400, answer
    return answer["__type"], answer["message"]


def send(action: str, **request: Any) -> tuple[int, dict[str, Any]]:
    definition = request.get("definition")
    if isinstance(definition, dict):
        request["definition"] = json.dumps(definition)
    headers = {"x-amz-target": f"AWSStepFunctions.{action}"}
    body = json.dumps(request).encode()
    with request_scope(ACCOUNT, REGION):
        status, _, answer = asyncio.run(sf.handle_request("POST", "/", headers, body, {}))
    return status, json.loads(answer)


def create(definition: Any = PASS, **more: Any) -> dict[str, Any]:
    return ask("CreateStateMachine", name="pipeline", roleArn=ROLE, definition=definition, **more)


def describe(**more: Any) -> dict[str, Any]:
    return ask("DescribeStateMachine", stateMachineArn=ARN, **more)


pytestmark = pytest.mark.usefixtures("installed")

# CreateStateMachine


def test_a_created_machine_is_described_as_it_was_made() -> None:
    made = create()
    assert made["stateMachineArn"] == ARN
    described = describe()
    assert json.loads(described["definition"]) == PASS
    assert described["roleArn"] == ROLE
    assert described["type"] == "STANDARD"
    assert described["status"] == "ACTIVE"
    assert described["loggingConfiguration"] == {"level": "OFF", "includeExecutionData": False}
    assert described["tracingConfiguration"] == {"enabled": False}
    assert described["encryptionConfiguration"] == {"type": "AWS_OWNED_KEY"}
    assert "revisionId" not in described
    assert "description" not in described


def test_a_machine_that_is_none_is_refused_and_not_made() -> None:
    code, message = refused("CreateStateMachine", name="pipeline", roleArn=ROLE, definition=BROKEN)
    assert code == "InvalidDefinition"
    assert message.startswith(
        "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: The field 'Type' should have"
    )
    assert message.endswith(" at /States/Only/Type'")
    assert refused("DescribeStateMachine", stateMachineArn=ARN)[0] == "StateMachineDoesNotExist"


def test_the_same_machine_again_is_no_error() -> None:
    assert create() == create()


def test_another_machine_of_the_same_name_is_refused() -> None:
    create()
    assert refused("CreateStateMachine", name="pipeline", roleArn=ROLE, definition=OTHER) == (
        "StateMachineAlreadyExists",
        f"State Machine Already Exists: '{ARN}'",
    )


def test_an_express_machine_is_judged_as_one() -> None:
    sync = "arn:aws:states:::glue:startJobRun.sync"
    state = {"Type": "Task", "Resource": sync, "Arguments": {"JobName": "j"}}
    definition = {"QueryLanguage": "JSONata", **one(state)}
    create(definition)
    code, message = refused(
        "CreateStateMachine", name="quick", roleArn=ROLE, definition=definition, type="EXPRESS"
    )
    assert code == "InvalidDefinition"
    assert "Express state machine does not support '.sync' service integration" in message


@pytest.mark.parametrize(
    ("change", "code", "part"),
    [
        ({"name": "a b"}, "InvalidName", "Invalid Name: 'a b'"),
        ({"name": ""}, "ValidationException", "'name' failed to satisfy constraint"),
        ({"roleArn": "arn:aws:s3:::bucket"}, "InvalidArn", "Invalid Role Arn"),
        ({"type": "FAST"}, "ValidationException", "Member must satisfy enum value set"),
        (
            {"versionDescription": "first"},
            "ValidationException",
            "Version description can only be set when publish is true",
        ),
        ({"definition": ""}, "ValidationException", "'definition' failed to satisfy constraint"),
        ({"definition": " "}, "InvalidDefinition", "Invalid State Machine Definition"),
        ({"definition": "{"}, "InvalidDefinition", "INVALID_JSON_DESCRIPTION"),
    ],
)
def test_a_request_that_breaks_a_rule_is_refused(change: Any, code: str, part: str) -> None:
    request = {"name": "pipeline", "roleArn": ROLE, "definition": PASS, **change}
    found, message = refused("CreateStateMachine", **request)
    assert found == code
    assert part in message


def test_a_definition_can_have_a_mebibyte_and_no_more() -> None:
    large = {**PASS, "Comment": "x" * (1024 * 1024 - len(json.dumps(PASS)) - 15)}
    create(large)
    larger = {**large, "Comment": large["Comment"] + "xx"}
    code, _ = refused("CreateStateMachine", name="b", roleArn=ROLE, definition=larger)
    assert code == "ValidationException"


def test_a_version_can_be_published_with_the_machine() -> None:
    made = create(publish=True, versionDescription="first")
    assert made["stateMachineVersionArn"] == f"{ARN}:1"
    version = ask("DescribeStateMachine", stateMachineArn=f"{ARN}:1")
    assert json.loads(version["definition"]) == PASS
    assert version["description"] == "first"


def test_what_ministack_cannot_parse_is_no_longer_its_affair() -> None:
    output = "{% $replace('a/b', /\\//, '-') ~> $uppercase() %}"
    create({"QueryLanguage": "JSONata", **one({"Type": "Pass", "Output": output})})


# UpdateStateMachine


def test_an_update_changes_what_it_names_and_nothing_else() -> None:
    create()
    answer = ask("UpdateStateMachine", stateMachineArn=ARN, definition=OTHER)
    described = describe()
    assert json.loads(described["definition"]) == OTHER
    assert described["roleArn"] == ROLE
    assert answer["revisionId"] == described["revisionId"]
    assert "updateDate" in answer


def test_each_update_has_a_revision_of_its_own() -> None:
    create()
    first = ask("UpdateStateMachine", stateMachineArn=ARN, definition=OTHER)
    second = ask("UpdateStateMachine", stateMachineArn=ARN, definition=PASS)
    assert first["revisionId"] != second["revisionId"]


def test_an_update_to_what_is_no_machine_changes_nothing() -> None:
    create()
    code, _ = refused("UpdateStateMachine", stateMachineArn=ARN, definition=BROKEN)
    assert code == "InvalidDefinition"
    assert json.loads(describe()["definition"]) == PASS


def test_an_update_with_nothing_to_change_is_refused() -> None:
    create()
    code, message = refused("UpdateStateMachine", stateMachineArn=ARN)
    assert code == "MissingRequiredParameter"
    assert message.startswith("Either the definition, the role ARN")


def test_a_machine_that_does_not_exist_cannot_be_updated() -> None:
    assert refused("UpdateStateMachine", stateMachineArn=ARN, definition=PASS) == (
        "StateMachineDoesNotExist",
        f"State Machine Does Not Exist: '{ARN}'",
    )


@pytest.mark.parametrize("action", ["UpdateStateMachine", "DescribeStateMachine"])
def test_an_arn_that_is_none_is_refused(action: str) -> None:
    assert refused(action, stateMachineArn="pipeline", definition=PASS) == (
        "InvalidArn",
        "Invalid Arn: 'Invalid ARN prefix: pipeline'",
    )


def test_tracing_and_logging_are_kept() -> None:
    create(tracingConfiguration={"enabled": True})
    assert describe()["tracingConfiguration"] == {"enabled": True}
    logging = {"level": "ALL", "includeExecutionData": True}
    ask(
        "UpdateStateMachine",
        stateMachineArn=ARN,
        loggingConfiguration=logging,
        tracingConfiguration={"enabled": False},
    )
    described = describe()
    assert described["loggingConfiguration"] == logging
    assert described["tracingConfiguration"] == {"enabled": False}


# DescribeStateMachine


def test_the_variables_that_states_read_are_described() -> None:
    states = {
        "First": {"Type": "Pass", "Assign": {"run": 1, "who": "x"}, "Next": "Second"},
        "Second": {"Type": "Pass", "Output": "{% [$run, $who, $run] %}", "End": True},
    }
    create({"QueryLanguage": "JSONata", "StartAt": "First", "States": states})
    assert describe()["variableReferences"] == {"Second": ["run", "who"]}


def test_a_machine_without_variables_has_no_references() -> None:
    create()
    assert "variableReferences" not in describe()


def test_the_definition_can_be_left_out_of_the_description() -> None:
    create()
    assert "definition" not in describe(includedData="METADATA_ONLY")
    assert "definition" in describe(includedData="ALL_DATA")


def test_a_record_in_jsonpath_can_still_be_described() -> None:
    create()
    with request_scope(ACCOUNT, REGION):
        sf._state_machines[ARN]["definition"] = json.dumps({"StartAt": "A", "States": {}})
    assert describe()["definition"]


# ValidateStateMachineDefinition


def test_a_good_definition_has_no_findings() -> None:
    assert ask("ValidateStateMachineDefinition", definition=PASS) == {
        "result": "OK",
        "diagnostics": [],
        "truncated": False,
    }


def test_findings_are_listed_with_code_message_and_location() -> None:
    answer = ask("ValidateStateMachineDefinition", definition=BROKEN)
    assert answer["result"] == "FAIL"
    assert answer["truncated"] is False
    (finding,) = answer["diagnostics"]
    assert finding["severity"] == "ERROR"
    assert finding["code"] == "SCHEMA_VALIDATION_FAILED"
    assert finding["location"] == "/States/Only/Type"


def test_no_more_findings_are_listed_than_asked_for() -> None:
    states = {name: {"Type": "Tusk"} for name in "abcd"}
    definition = {"QueryLanguage": "JSONata", "StartAt": "a", "States": states}
    answer = ask("ValidateStateMachineDefinition", definition=definition, maxResults=2)
    assert len(answer["diagnostics"]) == 2
    assert answer["truncated"] is True


def test_text_that_is_not_json_is_a_finding() -> None:
    answer = ask("ValidateStateMachineDefinition", definition="nope")
    (finding,) = answer["diagnostics"]
    assert finding["code"] == "INVALID_JSON_DESCRIPTION"
    assert finding["message"].startswith("Unrecognized token 'nope': was expecting (JSON String")


def test_validation_makes_no_machine() -> None:
    ask("ValidateStateMachineDefinition", definition=PASS)
    assert ask("ListStateMachines")["stateMachines"] == []


# What stays ministack's own


def test_versions_aliases_and_tags_go_on_working() -> None:
    create(tags=[{"key": "team", "value": "data"}])
    version = ask("PublishStateMachineVersion", stateMachineArn=ARN)["stateMachineVersionArn"]
    routes = [{"stateMachineVersionArn": version, "weight": 100}]
    alias = ask("CreateStateMachineAlias", name="live", routingConfiguration=routes)
    ask("UpdateStateMachine", stateMachineArn=ARN, definition=OTHER)
    frozen = ask("DescribeStateMachine", stateMachineArn=version)
    assert json.loads(frozen["definition"]) == PASS
    assert alias["stateMachineAliasArn"] == f"{ARN}:live"
    assert ask("DescribeStateMachine", stateMachineArn=f"{ARN}:live")["name"] == "pipeline"
    tags = ask("ListTagsForResource", resourceArn=ARN)["tags"]
    assert tags == [{"key": "team", "value": "data"}]


def test_a_deleted_machine_is_gone() -> None:
    create()
    ask("DeleteStateMachine", stateMachineArn=ARN)
    assert refused("DescribeStateMachine", stateMachineArn=ARN)[0] == "StateMachineDoesNotExist"


# TestState


def test_single_states_are_tested_through_the_same_door() -> None:
    state = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% 1 + 1 %}", "End": True}
    assert ask("TestState", definition=state) == {"status": "SUCCEEDED", "output": "2"}
    code, message = refused("TestState", definition={**state, "Type": "Map"})
    assert code == "InvalidDefinition"
    assert "ItemProcessor" in message
