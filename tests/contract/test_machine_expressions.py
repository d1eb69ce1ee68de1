"""Every JSONata expression parses, and reads only variables that are there on every way to it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from penstock_local.asl import jsonata, template

from . import machine
from .machine import State

EXPRESSIONS = [
    pytest.param(text, id=f"{state.name}{place}")
    for state in machine.states()
    for place, text in machine.expressions(state.body)
]


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_every_expression_parses(text: str) -> None:
    jsonata.parse(text)


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_no_expression_uses_what_step_functions_does_not_know(text: str) -> None:
    bare = re.sub(r"'(?:[^'\\]|\\.)*'", "''", text)
    assert "$eval" not in bare
    assert not re.search(r"\$(?![A-Za-z_])", bare)  # $ and $$ alone are refused there


def test_texts_are_expressions_or_have_no_expression_in_them() -> None:
    def texts(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [text for member in value.values() for text in texts(member)]
        if isinstance(value, list):
            return [text for member in value for text in texts(member)]
        return [value] if isinstance(value, str) else []

    for text in texts(machine.definition()):
        assert ("{%" in text or "%}" in text) == template.is_expression(text), text


@pytest.mark.parametrize("scope", ["", "Run Jobs"])
def test_every_variable_is_assigned_on_every_way_to_where_it_is_read(scope: str) -> None:
    known = _assigned_before(scope)
    for state in machine.states():
        if state.scope != scope or state.name not in known:
            continue
        for place, text in machine.expressions(state.body):
            missing = machine.variables_read(text) - known[state.name]
            assert not missing, f"{state.name}{place} reads {missing}"


@pytest.mark.parametrize("state", [pytest.param(s, id=s.name) for s in machine.states()])
def test_every_state_can_be_reached(state: State) -> None:
    assert state.name in _assigned_before(state.scope)


def test_jobs_and_the_run_share_no_variable() -> None:
    # Children of a Distributed Map are executions of their own.
    assigned = {
        scope: {
            name
            for state in machine.states()
            if state.scope == scope
            for way in machine.transitions(state)
            for name in way.assign
        }
        for scope in ("", "Run Jobs")
    }
    assert not assigned[""] & assigned["Run Jobs"]


def _assigned_before(scope: str) -> dict[str, frozenset[str]]:
    """The variables that are assigned on every way to each state that can be reached."""
    start = machine.start_of(scope)
    known = {start: frozenset[str]()}
    open_states = [start]
    while open_states:
        state = machine.state(open_states.pop())
        for way in machine.transitions(state):
            arriving = known[state.name] | frozenset(way.assign)
            common = arriving & known.get(way.to, arriving)
            if known.get(way.to) != common:
                known[way.to] = common
                open_states.append(way.to)
    return known
