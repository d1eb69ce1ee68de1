"""The committed bundles of the Glue jobs are those of the sources."""

from __future__ import annotations

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_no_bundle_is_stale(tmp_path: Path) -> None:
    runpy.run_path(str(ROOT / "glue" / "bundle.py"))["main"]([str(tmp_path)])
    made = {file.relative_to(tmp_path): file.read_text() for file in tmp_path.rglob("*.py")}
    committed = ROOT / "glue" / "bundles"
    found = {file.relative_to(committed): file.read_text() for file in committed.rglob("*.py")}

    assert found.keys() == made.keys()
    stale = [str(name) for name, text in made.items() if found[name] != text]
    assert stale == [], "run `make generate` and commit what it makes"
