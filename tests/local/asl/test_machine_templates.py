"""State machines in templates: what CloudFormation makes of their definitions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ministack import app
from ministack.core.responses import request_scope
from ministack.services import stepfunctions as sf
from ministack.services.cloudformation import provisioners
from tests.local.asl.api_world import ACCOUNT, REGION, STATES
from tests.local.asl.world import ROLE, one

from penstock_local.asl import machine_templates
from penstock_local.asl.machines import Machines
from penstock_local.settings import LocalSettings

ARN = f"{STATES}:stateMachine:pipeline"
PASS = {"QueryLanguage": "JSONata", **one({"Type": "Pass"})}
OTHER = {"QueryLanguage": "JSONata", **one({"Type": "Succeed"})}
BROKEN = {"QueryLanguage": "JSONata", **one({"Type": "Tusk"})}


@pytest.fixture(autouse=True)
def stores(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """ministack's stores, empty after a test; roles need not exist."""
    monkeypatch.setattr(app, "AUTH", False)  # a platform of other tests may still enforce IAM
    yield
    for store in (sf._state_machines, sf._tags):
        store._data.clear()


def describe() -> dict[str, Any]:
    with request_scope(ACCOUNT, REGION):
        return Machines().describe({"stateMachineArn": ARN})


class Template:
    """The handlers of CloudFormation for state machines."""

    def __init__(self, handlers: dict[str, Any]) -> None:
        self._handlers = handlers

    def create(self, definition: Any, **more: Any) -> str:
        props = self.props(definition, **more)
        with request_scope(ACCOUNT, REGION):
            arn: str = self._handlers["create"]("Machine", props, "stack")[0]
        return arn

    def update(self, arn: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        with request_scope(ACCOUNT, REGION):
            self._handlers["update"](arn, old, new, "stack", logical_id="Machine")

    def props(self, definition: Any, **more: Any) -> dict[str, Any]:
        field = "Definition" if isinstance(definition, dict) else "DefinitionString"
        return {"StateMachineName": "pipeline", "RoleArn": ROLE, field: definition, **more}


@pytest.fixture
def template(monkeypatch: pytest.MonkeyPatch) -> Template:
    """The handlers, mended for one test."""
    monkeypatch.setattr(provisioners, "_sfn_definition", provisioners._sfn_definition)
    handlers = machine_templates._handlers(provisioners)
    for name in ("create", "update"):
        monkeypatch.setitem(handlers, name, handlers[name])
    machine_templates.repair(provisioners)
    return Template(handlers)


def test_a_template_may_define_its_machine_in_yaml(template: Template) -> None:
    text = yaml.safe_dump({**PASS, "Comment": "2026-11-21"}).replace("'2026-11-21'", "2026-11-21")
    assert template.create(text) == ARN
    assert json.loads(describe()["definition"]) == {**PASS, "Comment": "2026-11-21"}


def test_a_definition_in_json_stays_the_text_it_is(template: Template) -> None:
    text = json.dumps(PASS, indent=7)
    template.create(text)
    assert describe()["definition"] == text


def test_substitutions_reach_the_definition(template: Template) -> None:
    state = {"Type": "Pass", "Output": "${Greeting}"}
    definition = {"QueryLanguage": "JSONata", **one(state)}
    template.create(definition, DefinitionSubstitutions={"Greeting": "hello"})
    described = json.loads(describe()["definition"])
    assert described["States"]["Only"]["Output"] == "hello"


@pytest.mark.parametrize("definition", [BROKEN, yaml.safe_dump(BROKEN), "{", "just words"])
def test_a_template_with_a_broken_machine_is_refused(template: Template, definition: Any) -> None:
    with pytest.raises(ValueError, match="Invalid State Machine Definition") as refusal:
        template.create(definition)
    assert 'Resource handler returned message: "Invalid State' in str(refusal.value)
    assert "(Service: Sfn, Status Code: 400" in str(refusal.value)
    assert len(sf._state_machines._data) == 0


def test_a_template_with_too_large_a_machine_is_refused(template: Template) -> None:
    with pytest.raises(ValueError, match="'definition' failed to satisfy constraint"):
        template.create({**PASS, "Comment": "x" * 1024 * 1024})


def test_a_template_that_breaks_its_machine_leaves_the_old_one(template: Template) -> None:
    arn = template.create(PASS)
    with pytest.raises(ValueError, match="Invalid State Machine Definition"):
        template.update(arn, template.props(PASS), template.props(BROKEN))
    assert json.loads(describe()["definition"]) == PASS


def test_a_template_can_change_its_machine(template: Template) -> None:
    arn = template.create(PASS)
    template.update(arn, template.props(PASS), template.props(yaml.safe_dump(OTHER)))
    assert json.loads(describe()["definition"]) == OTHER


def test_an_express_machine_of_a_template_is_judged_as_one(template: Template) -> None:
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}
    processor = {**one({"Type": "Pass"}), "ProcessorConfig": config}
    state = {"Type": "Map", "Items": [1], "ItemProcessor": processor}
    definition = {"QueryLanguage": "JSONata", **one(state)}
    with pytest.raises(ValueError, match="'DISTRIBUTED' is not supported inside 'EXPRESS'"):
        template.create(definition, StateMachineType="EXPRESS")


def test_logging_and_tracing_of_a_template_are_described(template: Template) -> None:
    group = "arn:aws:logs:eu-central-1:123456789012:log-group:pipeline:*"
    logging = {
        "Level": "ERROR",
        "IncludeExecutionData": "true",
        "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": group}}],
    }
    more = {"LoggingConfiguration": logging, "TracingConfiguration": {"Enabled": "true"}}
    arn = template.create(PASS, **more)
    described = describe()
    assert described["loggingConfiguration"] == {
        "level": "ERROR",
        "includeExecutionData": True,
        "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}],
    }
    assert described["tracingConfiguration"] == {"enabled": True}
    template.update(arn, template.props(PASS, **more), template.props(PASS))
    described = describe()
    assert described["loggingConfiguration"]["level"] == "OFF"
    assert described["tracingConfiguration"] == {"enabled": False}


def test_cloudformation_is_mended_when_it_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mended: list[Any] = []
    monkeypatch.setattr(machine_templates, "repair", mended.append)
    machine_templates.install(LocalSettings(home=tmp_path, runtimes=tmp_path))
    assert mended == [provisioners]
