"""Writes etl.sql, the tables of the run log, from the code that fills them."""

from __future__ import annotations

from pathlib import Path

from penstock.domain.run_log import definition

FILE = Path(__file__).parent / "etl.sql"

if __name__ == "__main__":
    FILE.write_text(definition())
