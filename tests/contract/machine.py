"""The state machine's definition as the contract tests look at it."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from penstock_local.asl import template

ROOT = Path(__file__).parents[2]
PATH = ROOT / "statemachine" / "pipeline.asl.yaml"
SUBSTITUTION = re.compile(r"\$\{(\w+)\}")

_TEXT_LITERAL = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_LAMBDA_PARAMETERS = re.compile(r"function\s*\(([^)]*)\)")
_VARIABLE = re.compile(r"\$([A-Za-z_]\w*)(?!\w*\s*\()")


@dataclass(frozen=True)
class State:
    """One state; `scope` is "" for the run's own states and "Run Jobs" for those of a job."""

    name: str
    scope: str
    body: dict[str, Any]

    @property
    def type(self) -> str:
        return str(self.body["Type"])

    @property
    def catchers(self) -> list[dict[str, Any]]:
        return list(self.body.get("Catch", []))

    @property
    def retriers(self) -> list[dict[str, Any]]:
        return list(self.body.get("Retry", []))


@dataclass(frozen=True)
class Transition:
    """One way from a state to the next, and what it assigns."""

    to: str
    assign: dict[str, Any]
    kind: str  # next, choice, default or catch


@functools.cache
def definition() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(PATH.read_text())
    return document


@functools.cache
def states() -> tuple[State, ...]:
    return tuple(_states(definition(), ""))


def _states(machine: dict[str, Any], scope: str) -> Iterator[State]:
    for name, body in machine["States"].items():
        yield State(name, scope, body)
        if "ItemProcessor" in body:
            yield from _states(body["ItemProcessor"], name)


def state(name: str) -> State:
    return next(each for each in states() if each.name == name)


def tasks() -> list[State]:
    return [each for each in states() if each.type == "Task"]


def start_of(scope: str) -> str:
    machine = state(scope).body["ItemProcessor"] if scope else definition()
    return str(machine["StartAt"])


def transitions(of: State) -> list[Transition]:
    body = of.body
    found = [Transition(c["Next"], c.get("Assign", {}), "catch") for c in of.catchers]
    found += [Transition(c["Next"], c.get("Assign", {}), "choice") for c in body.get("Choices", [])]
    if "Default" in body:
        found.append(Transition(body["Default"], body.get("Assign", {}), "default"))
    if "Next" in body:
        found.append(Transition(body["Next"], body.get("Assign", {}), "next"))
    return found


def expressions(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Every JSONata expression in a value, with its place; nested states are not entered."""
    if template.is_expression(value):
        yield place, template.expression_of(value)
    elif isinstance(value, dict):
        for key, member in value.items():
            if key != "ItemProcessor":
                yield from expressions(member, f"{place}/{key}")
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from expressions(member, f"{place}/{number}")


def variables_read(expression: str) -> set[str]:
    """Names of workflow variables in an expression; `$states` and lambda parameters are none."""
    bare = _TEXT_LITERAL.sub("''", expression)
    parameters = {
        name.strip().lstrip("$")
        for group in _LAMBDA_PARAMETERS.findall(bare)
        for name in group.split(",")
    }
    return set(_VARIABLE.findall(bare)) - parameters - {"states"}
