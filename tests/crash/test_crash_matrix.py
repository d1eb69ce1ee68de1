"""Kill an extract anywhere and rerun it: the sink equals a full reload."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.crash.matrix import Row, crash, page
from tests.crash.points import POINTS, Point
from tests.crash.world import World

PAGE = Path(__file__).parents[2] / "docs" / "crash-matrix.md"
rows: list[Row] = []


@pytest.mark.parametrize("point", POINTS, ids=lambda point: f"{point.step}, {point.moment}")
def test_after_a_crash_and_a_rerun_the_sink_equals_a_full_reload(
    point: Point, world: World
) -> None:
    row = crash(world, point)
    rows.append(row)
    assert row.same_run
    assert row.next_run


def test_the_page_says_what_was_found() -> None:
    if len(rows) < len(POINTS):
        pytest.skip("only a part of the matrix was run")
    if os.environ.get("PENSTOCK_WRITE_PAGES"):
        PAGE.write_text(page(rows))
    assert PAGE.read_text() == page(rows), "stale: make generate"
