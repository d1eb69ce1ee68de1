"""The template as CloudFormation sees it with given parameters: conditions decided."""

from __future__ import annotations

import re
from typing import Any

from . import stack

ABSENT = {"Ref": "AWS::NoValue"}


class Deployed:
    """The resources that a stack with these parameters has; others have their defaults."""

    def __init__(self, **parameters: str) -> None:
        source = stack.source()
        self._conditions: dict[str, Any] = source["Conditions"]
        defaults = {name: str(each["Default"]) for name, each in source["Parameters"].items()}
        assert parameters.keys() <= defaults.keys()
        self._parameters = {**defaults, **parameters}
        self.resources: dict[str, Any] = {
            name: self._resolved(resource)
            for name, resource in stack.expanded()["Resources"].items()
            if self.holds(resource.get("Condition"))
        }

    def holds(self, condition: str | None) -> bool:
        """Whether a named condition holds; without a name it does."""
        return condition is None or self._is_true(self._conditions[condition])

    def statements(self) -> list[dict[str, Any]]:
        """What all roles of the stack allow."""
        found: list[dict[str, Any]] = []
        for resource in self.resources.values():
            properties = resource["Properties"]
            if resource["Type"] == "AWS::IAM::Role":
                documents = [each["PolicyDocument"] for each in properties.get("Policies", [])]
            elif resource["Type"] == "AWS::IAM::Policy":
                documents = [properties["PolicyDocument"]]
            else:
                continue
            for document in documents:
                statement = document["Statement"]
                found += statement if isinstance(statement, list) else [statement]
        return found

    def actions(self) -> set[str]:
        """Every action that some role may do."""
        stated = [each["Action"] for each in self.statements()]
        return {a for one in stated for a in (one if isinstance(one, list) else [one])}

    def _is_true(self, condition: Any) -> bool:
        ((function, operands),) = condition.items()
        if function == "Condition":
            return self.holds(operands)
        if function == "Fn::Not":
            return not self._is_true(operands[0])
        if function == "Fn::And":
            return all(map(self._is_true, operands))
        assert function == "Fn::Equals", function
        one, other = map(self._text, operands)
        return one == other

    def _text(self, value: Any) -> str:
        if isinstance(value, str):
            return value
        ((function, operand),) = value.items()
        if function == "Ref":
            return self._parameters[operand]
        assert function == "Fn::Sub", function
        return re.sub(r"\$\{(\w+)\}", lambda found: self._parameters[found[1]], operand)

    def _resolved(self, value: Any) -> Any:
        """The value without Fn::If and without what is AWS::NoValue."""
        if isinstance(value, list):
            members = [self._resolved(member) for member in value]
            return [member for member in members if member != ABSENT]
        if not isinstance(value, dict):
            return value
        if value.keys() == {"Fn::If"}:
            condition, then, otherwise = value["Fn::If"]
            return self._resolved(then if self.holds(condition) else otherwise)
        members_by_name = {name: self._resolved(member) for name, member in value.items()}
        return {name: member for name, member in members_by_name.items() if member != ABSENT}
