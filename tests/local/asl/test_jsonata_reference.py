"""JSONata as its reference implementation evaluates it.

`data/jsonata_reference.json` holds what the npm package jsonata 2.0.6 answered, expression by
expression, and separately the expressions that are answered otherwise here, with the reason.
"""

from __future__ import annotations

import json
import math
import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from penstock_local.asl import jsonata

REFERENCE = json.loads((Path(__file__).parent / "data" / "jsonata_reference.json").read_text())
BINDINGS = jsonata.Bindings(REFERENCE["bindings"])


@pytest.fixture(autouse=True)
def _on_the_day_of_the_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A time without a date is a time of today: today has to be the day of the answers."""
    asked = datetime.fromisoformat(REFERENCE["asked_on"]).replace(tzinfo=UTC).timestamp()
    clock = SimpleNamespace(time=lambda: asked, thread_time=time.thread_time)
    monkeypatch.setattr("penstock_local.asl.jsonata.evaluator.time", clock)


def outcome(expression: str) -> dict[str, Any]:
    """What an expression comes to, in the form of the reference's answers."""
    try:
        value = jsonata.evaluate(expression, BINDINGS)
    except jsonata.UnsupportedResultError:
        return {"function": True}
    except jsonata.JsonataError as error:
        return {"error": [error.code, error.message]}
    return {"undefined": True} if value is jsonata.UNDEFINED else {"value": value}


def same(first: Any, second: Any) -> bool:
    """Whether two values are the same JSON: 1 is 1.0, but true is not 1."""
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(same(first[k], second[k]) for k in first)
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, bool) or isinstance(second, bool):
        return first is second
    if isinstance(first, (int, float)) and isinstance(second, (int, float)):
        return math.isclose(first, second, rel_tol=0.0)
    return bool(first == second)


@pytest.mark.parametrize("case", REFERENCE["cases"], ids=lambda case: case["expression"])
def test_an_expression_comes_to_what_the_reference_says(case: dict[str, Any]) -> None:
    expected = {key: value for key, value in case.items() if key != "expression"}
    found = outcome(case["expression"])
    assert same(found, expected), found


@pytest.mark.parametrize("case", REFERENCE["differences"], ids=lambda case: case["expression"])
def test_where_the_reference_is_left_there_is_a_reason(case: dict[str, Any]) -> None:
    expected = {key: value for key, value in case.items() if key not in ("expression", "why")}
    assert case["why"]
    found = outcome(case["expression"])
    assert same(found, expected), found
