"""Every error that a Retry or a Catch names is one that can happen."""

from __future__ import annotations

import ast

import pytest

from . import machine, sdk

NAMED = sorted(
    {
        error
        for state in machine.states()
        for handler in state.retriers + state.catchers
        for error in handler["ErrorEquals"]
    }
)


def errors_of_the_functions() -> set[str]:
    return {
        node.name
        for path in (machine.ROOT / "functions" / "penstock").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and node.name.endswith("Error")
    }


@pytest.mark.parametrize("name", NAMED)
def test_every_named_error_exists(name: str) -> None:
    assert sdk.is_error(name) or name in errors_of_the_functions()


def test_states_all_stands_alone_and_last() -> None:
    for state in machine.states():
        for handlers in (state.retriers, state.catchers):
            for handler in handlers:
                if "States.ALL" in handler["ErrorEquals"]:
                    assert handler is handlers[-1]
                    assert handler["ErrorEquals"] == ["States.ALL"]


def test_an_invented_error_would_be_found() -> None:
    assert not sdk.is_error("Glue.ConcurrentRunExceededException")
    assert not sdk.is_error("States.Timedout")
    assert not sdk.is_error("glue.EntityNotFoundException")
