"""Draws the state machine from its definition: docs/state-machine.svg and docs/state-machine.md.

`python docs/diagram.py` writes both; with `--check` it says whether they are up to date.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import yaml

DOCS = Path(__file__).parent
DEFINITION = DOCS.parent / "statemachine" / "pipeline.asl.yaml"
PICTURE = DOCS / "state-machine.svg"
PAGE = DOCS / "state-machine.md"

WIDTH, HEIGHT = 200, 46
COLUMN, GAP = 228, 30
LANE, MARGIN, HEADER, CORNER = 18, 22, 34, 9

STYLE = """
text { font: 13px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
.caption { font-size: 10.5px; fill: #59636e } .box { fill: #ffffff; stroke-width: 1.2 }
.task { stroke: #bc6c25 } .choice { stroke: #8250df } .wait { stroke: #59636e }
.succeed { stroke: #1a7f37; fill: #dafbe1 } .fail { stroke: #cf222e; fill: #ffebe9 }
.map { fill: #f6f8fa; stroke: #0969da; stroke-dasharray: 5 3 } #arrow path { fill: #59636e }
.way { fill: none; stroke: #59636e; stroke-width: 1.3; marker-end: url(#arrow) }
.caught { stroke: #cf222e; stroke-dasharray: 4 3; marker-end: url(#alarm) }
#alarm path { fill: #cf222e }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc } .caption { fill: #9198a1 } .box { fill: #0d1117 } .map { fill: #151b23 }
  .succeed { fill: #12261e } .fail { fill: #25171c } .way { stroke: #9198a1 }
  .caught { stroke: #f85149 } #arrow path { fill: #9198a1 } #alarm path { fill: #f85149 }
}
""".strip()


@dataclass
class Box:
    """One state, with its place in the picture."""

    name: str
    body: dict[str, Any]
    inner: Graph | None = None
    row: int = 0
    column: int = 0
    x: float = 0
    y: float = 0
    width: float = WIDTH
    height: float = HEIGHT

    @property
    def kind(self) -> str:
        return str(self.body["Type"]).lower()

    @property
    def caption(self) -> str:
        return str(self.body.get("Resource", "")).split(":::")[-1].removeprefix("aws-sdk:")

    @property
    def middle(self) -> float:
        return self.y + (HEADER / 2 if self.inner else self.height / 2)


@dataclass(frozen=True)
class Way:
    """One transition."""

    source: Box
    target: Box
    label: str
    is_caught: bool

    @property
    def goes_along_the_side(self) -> bool:
        return self.is_caught or self.target.row != self.source.row + 1

    @property
    def lane(self) -> tuple[str, str]:
        """Its side, and the target: ways to one target share a lane."""
        is_right = self.is_caught or self.source.column > 0
        return ("right" if is_right else "left", self.target.name)


@dataclass
class Graph:
    """The states of one scope."""

    boxes: dict[str, Box]
    ways: list[Way]
    lanes: dict[str, list[str]] = field(default_factory=dict)
    width: float = 0
    height: float = 0


def graph_of(machine: dict[str, Any]) -> Graph:
    """The states of a machine, or of what a Map runs, laid out."""
    boxes = {name: _box(name, body) for name, body in machine["States"].items()}
    ways = [way for box in boxes.values() for way in _ways(box, boxes)]
    graph = Graph(boxes, ways)
    _place_in_rows(graph, machine["StartAt"])
    _place_on_paper(graph)
    return graph


def _box(name: str, body: dict[str, Any]) -> Box:
    if "ItemProcessor" not in body:
        return Box(name, body)
    inner = graph_of(body["ItemProcessor"])
    return Box(name, body, inner, width=inner.width, height=inner.height + HEADER)


def _ways(source: Box, boxes: dict[str, Box]) -> Iterator[Way]:
    body = source.body
    if "Next" in body:
        yield Way(source, boxes[body["Next"]], "", is_caught=False)
    for rule in body.get("Choices", []):
        yield Way(source, boxes[rule["Next"]], rule["Comment"].rstrip("."), is_caught=False)
    if "Default" in body:
        yield Way(source, boxes[body["Default"]], "otherwise", is_caught=False)
    for catcher in body.get("Catch", []):
        errors = " ".join(catcher["ErrorEquals"])
        label = "any error" if errors == "States.ALL" else errors
        yield Way(source, boxes[catcher["Next"]], label, is_caught=True)


def _place_in_rows(graph: Graph, start: str) -> None:
    """Each state below all that lead to it (a loop's way back aside), side by side if need be."""
    order: list[str] = []
    forward: list[Way] = []

    def visit(name: str, above: tuple[str, ...]) -> None:
        order.append(name)
        for way in graph.ways:
            if way.source.name == name and way.target.name not in (*above, name):
                forward.append(way)
                if way.target.name not in order:
                    visit(way.target.name, (*above, name))

    visit(start, ())
    for _ in graph.boxes:  # long enough for the longest path
        for way in forward:
            way.target.row = max(way.target.row, way.source.row + 1)
    filled: dict[int, int] = {}
    for name in order:
        box = graph.boxes[name]
        box.column = filled.get(box.row, 0)
        filled[box.row] = box.column + 1


def _place_on_paper(graph: Graph) -> None:
    for side in ("left", "right"):
        targets = [w.lane[1] for w in graph.ways if w.goes_along_the_side and w.lane[0] == side]
        graph.lanes[side] = sorted(set(targets), key=targets.index)
    left = MARGIN + LANE * len(graph.lanes["left"])
    widest = max((box.width for box in graph.boxes.values() if box.inner), default=WIDTH)
    top = float(MARGIN)
    for row in range(max(box.row for box in graph.boxes.values()) + 1):
        boxes = [box for box in graph.boxes.values() if box.row == row]
        for box in boxes:
            # The first column stands over the middle of a Map.
            box.x = left + box.column * COLUMN + (0 if box.inner else (widest - WIDTH) / 2)
            box.y = top
        top += max(box.height for box in boxes) + GAP
    right = max(box.x + box.width for box in graph.boxes.values())
    graph.width = right + LANE * len(graph.lanes["right"]) + MARGIN
    graph.height = top - GAP + MARGIN


def picture(graph: Graph) -> str:
    """The SVG of a laid-out machine."""
    width, height = f"{graph.width:g}", f"{graph.height:g}"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}">\n'
        f"<title>The state machine of Penstock</title>\n<style>\n{STYLE}\n</style>\n"
    )
    markers = "".join(
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
        f'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 8 4 0 8z"/></marker>\n'
        for name in ("arrow", "alarm")
    )
    return f"{head}<defs>\n{markers}</defs>\n{''.join(_drawn(graph))}</svg>\n"


def _drawn(graph: Graph) -> Iterator[str]:
    yield from (_drawn_box(box) for box in graph.boxes.values() if box.inner)
    yield from dict.fromkeys(_drawn_way(graph, way) for way in graph.ways)
    yield from (_drawn_box(box) for box in graph.boxes.values() if not box.inner)
    for box in graph.boxes.values():
        if box.inner:
            yield f'<g transform="translate({box.x:g} {box.y + HEADER:g})">\n'
            yield from _drawn(box.inner)
            yield "</g>\n"


def _drawn_box(box: Box) -> str:
    radius = box.height / 2 if box.kind == "choice" else 6
    shape = (
        f'<rect class="box {box.kind}" x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" '
        f'height="{box.height:g}" rx="{radius:g}"/>'
    )
    name = escape(box.name + (", one execution for each line of the plan" if box.inner else ""))
    x, y = f"{box.x + box.width / 2:g}", box.middle
    text = f'<text x="{x}" y="{y + (0 if box.caption else 5):g}" text-anchor="middle">{name}</text>'
    if box.caption:
        text += f'<text class="caption" x="{x}" y="{y + 15:g}" text-anchor="middle">'
        text += f"{escape(box.caption)}</text>"
    return f"<g><title>{escape(str(box.body['Comment']))}</title>{shape}{text}</g>\n"


def _drawn_way(graph: Graph, way: Way) -> str:
    style = "way caught" if way.is_caught else "way"
    return f'<path class="{style}" d="{_path(graph, way)}"/>\n'


def _path(graph: Graph, way: Way) -> str:
    source, target = way.source, way.target
    if not way.goes_along_the_side:
        x, y = source.x + source.width / 2, source.y + source.height
        end = target.x + target.width / 2
        bend = (target.y - y) / 2
        return f"M{x:g} {y:g}C{x:g} {y + bend:g} {end:g} {target.y - bend:g} {end:g} {target.y:g}"
    side, name = way.lane
    number = graph.lanes[side].index(name) + 1
    if side == "left":
        lane = MARGIN + LANE * (len(graph.lanes["left"]) - number) + LANE / 2
        begin, end = source.x, target.x
    else:
        lane = graph.width - MARGIN - LANE * (len(graph.lanes["right"]) - number) - LANE / 2
        begin, end = source.x + source.width, target.x + target.width
    out = CORNER if lane > begin else -CORNER
    down = CORNER if target.middle > source.middle else -CORNER
    leave, arrive = source.middle, target.middle + (10 if way.is_caught else -10)
    return (
        f"M{begin:g} {leave:g}H{lane - out:g}Q{lane:g} {leave:g} {lane:g} {leave + down:g}"
        f"V{arrive - down:g}Q{lane:g} {arrive:g} {lane - out:g} {arrive:g}H{end:g}"
    )


def page(graph: Graph) -> str:
    """The Markdown page: the picture, the same as Mermaid text, and what each state does."""
    mermaid = "\n".join(_mermaid(graph, "    "))
    rows = "\n".join(f"| {box.name} | {box.body['Comment']} |" for box in _all(graph))
    return f"""# The state machine

Made from `statemachine/pipeline.asl.yaml` by `python docs/diagram.py`; do not edit. Dashed red ways
are taken after an error.

![The state machine]({PICTURE.name})

| state | what it does |
|---|---|
{rows}

The same as text:

```mermaid
flowchart TD
{mermaid}
```
"""


def _all(graph: Graph | None) -> Iterator[Box]:
    for box in graph.boxes.values() if graph else ():
        yield box
        yield from _all(box.inner)


def _mermaid(graph: Graph, indent: str) -> Iterator[str]:
    for box in graph.boxes.values():
        if box.inner:
            yield f'{indent}subgraph {_key(box)}["{box.name}"]'
            yield from _mermaid(box.inner, indent + "    ")
            yield f"{indent}end"
        elif box.kind == "choice":
            yield f'{indent}{_key(box)}{{"{box.name}"}}'
        else:
            yield f'{indent}{_key(box)}["{box.name}"]'
    for way in graph.ways:
        arrow = "-.->" if way.is_caught else "-->"
        label = f'|"{way.label}"|' if way.label else ""
        yield f"{indent}{_key(way.source)} {arrow}{label} {_key(way.target)}"


def _key(box: Box) -> str:
    return re.sub(r"\W+", "_", box.name).strip("_").lower()


def stale() -> list[Path]:
    """Those of the two files that are not as the definition is."""
    graph = graph_of(yaml.safe_load(DEFINITION.read_text()))
    made: list[tuple[Path, Callable[[Graph], str]]] = [(PICTURE, picture), (PAGE, page)]
    return [path for path, make in made if not path.exists() or path.read_text() != make(graph)]


def main(arguments: Sequence[str]) -> int:
    """Write the files, or with --check say which are stale; the exit status is 1 if one is."""
    if list(arguments) == ["--check"]:
        old = stale()
        sys.stderr.writelines(f"{path} is stale: run python docs/diagram.py\n" for path in old)
        return 1 if old else 0
    graph = graph_of(yaml.safe_load(DEFINITION.read_text()))
    PICTURE.write_text(picture(graph))
    PAGE.write_text(page(graph))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
