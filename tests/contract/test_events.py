"""The sample events are what the functions and the state machine take."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from penstock.domain.messages import RunRequest

from . import machine, stack

EVENTS = sorted((machine.ROOT / "events").glob("*.json"))
STARTS = [path for path in EVENTS if path.name.startswith("start_")]
HANDLERS = sorted(
    body["Properties"]["Handler"].split(".")[-2]
    for body in stack.source()["Resources"].values()
    if body["Type"] == "AWS::Serverless::Function"
)


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_every_event_is_json(path: Path) -> None:
    assert isinstance(json.loads(path.read_text()), dict)


@pytest.mark.parametrize("path", STARTS, ids=lambda path: path.stem)
def test_a_start_is_a_request_for_a_run(path: Path) -> None:
    request = json.loads(path.read_text())
    assert set(request) <= set(RunRequest.__annotations__)
    assert len({"category", "rerun_of", "tables_to_extract"} & set(request)) == 1


def test_there_is_a_start_for_every_way_to_start() -> None:
    assert {path.stem for path in STARTS} >= {
        "start_scheduled",
        "start_manual",
        "start_for_date",
        "start_rerun",
        "start_backfill",
        "start_extract",
    }


@pytest.mark.parametrize("handler", HANDLERS)
def test_every_function_has_a_sample_event(handler: str) -> None:
    assert any(path.stem.startswith(handler) for path in EVENTS)
