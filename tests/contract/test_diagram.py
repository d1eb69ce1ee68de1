"""The drawings of the state machine in docs/ are those of the definition as it is."""

from __future__ import annotations

import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from . import machine

DOCS = machine.ROOT / "docs"


def check(script: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )


def test_the_diagram_is_not_stale() -> None:
    answer = check(DOCS / "diagram.py")
    assert (answer.stderr, answer.returncode) == ("", 0)


def test_a_changed_definition_makes_the_diagram_stale(tmp_path: Path) -> None:
    for name in ("docs/diagram.py", "docs/state-machine.svg", "docs/state-machine.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(machine.ROOT / name, tmp_path / name)
    changed = machine.PATH.read_text().replace("Job Failed", "Job Lost")
    (tmp_path / "statemachine").mkdir()
    (tmp_path / "statemachine" / machine.PATH.name).write_text(changed)
    answer = check(tmp_path / "docs" / "diagram.py")
    assert answer.returncode == 1
    assert "state-machine.svg is stale" in answer.stderr
    assert "state-machine.md is stale" in answer.stderr


def test_the_picture_names_every_state_and_carries_its_comment() -> None:
    root = ElementTree.parse(DOCS / "state-machine.svg").getroot()
    texts = {element.text for element in root.iter() if element.text}
    for state in machine.states():
        assert state.name in texts or state.type == "Map"
        assert state.body["Comment"] in texts


def test_the_picture_loads_nothing_from_elsewhere() -> None:
    text = (DOCS / "state-machine.svg").read_text()
    assert "<script" not in text
    assert "href" not in text
