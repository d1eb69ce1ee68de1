"""The tables of the run log and of the loads as a file."""

from __future__ import annotations

from pathlib import Path

from schema.generate import definition

FILE = Path(__file__).parents[2] / "schema" / "etl.sql"


def test_the_file_is_what_the_code_creates() -> None:
    assert FILE.read_text() == definition(), "stale: make generate"
