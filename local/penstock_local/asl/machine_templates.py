"""State machines in CloudFormation templates: definitions in YAML, and broken ones refused."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import yaml
from ministack.services import stepfunctions as sf

from penstock_local import pins
from penstock_local.asl import validation
from penstock_local.asl.api import ApiError, require_constraints
from penstock_local.late_import import after_import
from penstock_local.settings import LocalSettings

PROVISIONERS = "ministack.services.cloudformation.provisioners"
MACHINE_TYPE = "AWS::StepFunctions::StateMachine"


def install(_: LocalSettings) -> None:
    """Mend the handlers of state machines, once CloudFormation is imported."""
    after_import(PROVISIONERS, repair)


def repair(provisioners: Any) -> None:
    """Mend the handlers in ministack's module."""
    for name in ("_sfn_handler_error", "_sdk_error"):
        pins.require(hasattr(provisioners, name), f"provisioners.{name}")
    text_of = pins.replace(provisioners, "_sfn_definition", None)

    def definition(props: dict[str, Any]) -> str:
        return _checked(provisioners, text_of(props), props.get("StateMachineType", "STANDARD"))

    provisioners._sfn_definition = definition
    handlers = _handlers(provisioners)
    create, update = handlers["create"], handlers["update"]

    def create_machine(logical_id: str, props: dict[str, Any], *rest: Any, **more: Any) -> Any:
        made = create(logical_id, props, *rest, **more)
        _configure(made[0], props)
        return made

    def update_machine(
        physical_id: str, old: dict[str, Any], new: dict[str, Any], *rest: Any, **more: Any
    ) -> Any:
        updated = update(physical_id, old, new, *rest, **more)
        _configure(updated[0], new)
        return updated

    handlers["create"], handlers["update"] = create_machine, update_machine


def _handlers(provisioners: ModuleType) -> dict[str, Any]:
    for value in vars(provisioners).values():
        if isinstance(value, dict) and "create" in (value.get(MACHINE_TYPE) or {}):
            handlers: dict[str, Any] = value[MACHINE_TYPE]
            return handlers
    pins.require(condition=False, what=f"the handlers of {MACHINE_TYPE}")
    raise AssertionError


def _checked(provisioners: Any, text: str, machine_type: str) -> str:
    """The definition as JSON text; the handler's own error, which fails the stack, otherwise."""
    try:
        definition = as_json(text)
        require_constraints("ValidateStateMachineDefinition", {"definition": definition})
        validation.parse(definition, machine_type)
    except (ApiError, validation.InvalidDefinitionError) as error:
        text = error.message if isinstance(error, ApiError) else str(error)
        message = provisioners._sdk_error(text, "Sfn", 400)
        raise provisioners._sfn_handler_error(message) from None
    return definition


def as_json(text: str) -> str:
    """The definition's text as JSON: as it is, or translated from YAML."""
    try:
        json.loads(text)
    except ValueError:
        pass
    else:
        return text
    try:
        value = yaml.load(text, _PlainLoader)  # noqa: S506 - a safe loader without dates
    except yaml.YAMLError:
        return text
    return json.dumps(value, indent=2, ensure_ascii=False) if isinstance(value, dict) else text


class _PlainLoader(yaml.SafeLoader):
    """Reads YAML into what JSON has: a timestamp stays the text it is."""


_PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _configure(arn: str, props: dict[str, Any]) -> None:
    """Write into the record what the template says in its own spelling (`Level`, `Enabled`)."""
    record = sf._state_machines.get(arn)
    if record is None:
        return
    record.pop("tracingConfiguration", None)  # a template that drops it switches it off
    for name in ("LoggingConfiguration", "TracingConfiguration"):
        if props.get(name) is not None:
            record[_uncapitalised(name)] = _as_request(props[name])


def _as_request(value: Any) -> Any:
    """The value as an API request has it: names in small letters, booleans no longer texts."""
    if isinstance(value, dict):
        return {_uncapitalised(name): _as_request(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_as_request(member) for member in value]
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _uncapitalised(name: str) -> str:
    return name[:1].lower() + name[1:]
