"""The template, as it is written and as CloudFormation gets it."""

from __future__ import annotations

import copy
import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import yaml
from samtranslator.translator.transform import transform

from .machine import ROOT

PATH = ROOT / "template.yaml"
REGION = "eu-central-1"


class _CloudFormationLoader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags, read into their long forms."""


def _long_form(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    name = tag if tag in {"Ref", "Condition"} else f"Fn::{tag}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        if tag == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {name: value}


_CloudFormationLoader.add_multi_constructor("!", _long_form)


@functools.cache
def source() -> dict[str, Any]:
    """The template as it is written, with long forms of its functions."""
    document: dict[str, Any] = yaml.load(PATH.read_text(), _CloudFormationLoader)
    return document


@functools.cache
def expanded() -> dict[str, Any]:
    """What SAM makes of the template: plain CloudFormation."""
    packaged = copy.deepcopy(source())
    packaged["Globals"]["Function"]["CodeUri"] = "s3://bucket/functions.zip"
    for resource in packaged["Resources"].values():
        if "DefinitionUri" in resource.get("Properties", {}):
            resource["Properties"]["DefinitionUri"] = "s3://bucket/pipeline.asl.yaml"
    before = os.environ.get("AWS_DEFAULT_REGION")
    os.environ["AWS_DEFAULT_REGION"] = REGION  # samtranslator names a partition by it
    try:
        result: dict[str, Any] = transform(packaged, {}, SimpleNamespace(load=dict))
    finally:
        if before is None:
            del os.environ["AWS_DEFAULT_REGION"]
        else:
            os.environ["AWS_DEFAULT_REGION"] = before
    return result


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """The expanded resources of a type, by logical ID."""
    found = expanded()["Resources"].items()
    return {name: resource for name, resource in found if resource["Type"] == kind}


@dataclass(frozen=True)
class Grant:
    """One statement of a role's policies. `origin` is the SAM policy template, or ""."""

    role: str
    effect: str
    actions: tuple[str, ...]
    resources: tuple[Any, ...]
    condition: Any
    origin: str


def grants(role: str) -> list[Grant]:
    """All statements of a role, with both sides of every Fn::If."""
    found = list(_of_role(role))
    for policy in resources("AWS::IAM::Policy").values():
        if {"Ref": role} in policy["Properties"]["Roles"]:
            found += _of_document(role, policy["Properties"]["PolicyDocument"], "")
    return found


def _of_role(role: str) -> Iterator[Grant]:
    properties = expanded()["Resources"][role]["Properties"]
    templates = _policy_templates(role)
    for policy in properties.get("Policies", []):
        number = policy["PolicyName"].removeprefix(f"{role}Policy")
        origin = templates[int(number)] if number.isdigit() else ""
        yield from _of_document(role, policy["PolicyDocument"], origin)


def _policy_templates(role: str) -> list[str]:
    """For each policy that SAM made for a role: the name of its policy template, or ""."""
    owner = source()["Resources"].get(role.removesuffix("Role"), {})
    policies = owner.get("Properties", {}).get("Policies", [])
    return ["" if "Statement" in policy else next(iter(policy)) for policy in policies]


def _of_document(role: str, document: dict[str, Any], origin: str) -> Iterator[Grant]:
    for statement in _flat(document["Statement"]):
        yield Grant(
            role,
            statement["Effect"],
            tuple(_flat(statement["Action"])),
            tuple(_flat(statement["Resource"])),
            statement.get("Condition"),
            origin,
        )


def _flat(value: Any) -> Iterator[Any]:
    """The members of lists and of both sides of Fn::If, without AWS::NoValue."""
    if isinstance(value, list):
        for member in value:
            yield from _flat(member)
    elif isinstance(value, dict) and "Fn::If" in value:
        yield from _flat(value["Fn::If"][1:])
    elif value != {"Ref": "AWS::NoValue"}:
        yield value
