"""The crash matrix: where an extract is killed, what is left, and what the rerun makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.crash.points import POINTS, Point, kill
from tests.crash.world import World

HEAD = """# What is left when an extract is killed

Made by the tests (`tests/crash`): a table of a real PostgreSQL is extracted by the shipped job, its
watermark is committed by what Settle Job does, and the shipped load puts the state of the table
into DynamoDB. Before the run that dies, and again before the next, rows are inserted and updated:
after the last watermark, exactly at it, and before it within the `lookback`. The step that dies is
a process that is ended by `SIGKILL` (before the same run again: an exception that nothing catches).
Where a job dies, Settle Job records its failure; where Settle Job dies, nobody does. *Equal* means:
every row of the sink is what a full reload would put there, and no other.

| killed | at the moment | published | watermark | the same run again | the next run |
|---|---|---|---|---|---|
"""
FOOT = """
Whatever is left, the next run begins at the committed watermark, reads what came since, and
publishes it as one more layer; of rows that are in several layers, the one with the highest cursor
counts. The same run again finds what it has published, and does not read it twice. A load is by
key.
"""


@dataclass(frozen=True)
class Row:
    """What one crash left and what became of it."""

    point: Point
    published: bool
    committed: bool
    same_run: bool
    next_run: bool

    def line(self) -> str:
        """The row of the page."""
        cells = [
            self.point.step,
            self.point.moment,
            "yes" if self.published else "no",
            "moved" if self.committed else "as before",
            "equal" if self.same_run else "**DIFFERENT**",
            "equal" if self.next_run else "**DIFFERENT**",
        ]
        return f"| {' | '.join(cells)} |\n"


def crash(world: World, point: Point) -> Row:
    """Kill a run at a moment and take it to its end again; kill another and go on with the next."""
    world.change()
    world.run(point)
    world.retry()
    same_run = world.sink_rows == world.source_rows

    world.change()
    before: Any = world.watermark
    world.run(point, kill)
    published = f"run-{world.runs:03d}" in world.layers
    committed = world.watermark != before
    world.change()
    world.run()
    return Row(
        point=point,
        published=published,
        committed=committed,
        same_run=same_run,
        next_run=world.sink_rows == world.source_rows,
    )


def page(rows: list[Row]) -> str:
    """The page of the documentation."""
    assert [row.point for row in rows] == list(POINTS)
    return HEAD + "".join(row.line() for row in rows) + FOOT
