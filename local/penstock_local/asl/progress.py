"""How far one scope of an execution has come: what a redrive resumes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from penstock_local.asl.map_run import MapRun
    from penstock_local.asl.values import Json


class Progress:
    """Where one scope is: a machine, one iteration of a Map or one branch of a Parallel state.

    `state` is the name of the state that runs, or that ended badly, with its `input`, the
    `variables` it found and the id of its Entered event, `entered`. A fan-out state keeps one
    Progress per branch in `branches`, or the `map_run` it started. `finished` scopes keep only
    their `output`.
    """

    __slots__ = (
        "branches",
        "entered",
        "finished",
        "input",
        "map_run",
        "output",
        "state",
        "variables",
    )

    def __init__(self) -> None:
        self.state: str | None = None
        self.entered = 0
        self.input: Json = None
        self.variables: dict[str, Any] = {}
        self.branches: dict[int, Progress] | None = None
        self.map_run: MapRun | None = None
        self.finished = False
        self.output: Json = None

    def enter(self, state: str, value: Json, variables: dict[str, Any]) -> None:
        """The scope goes into a state: what the state before left behind is forgotten."""
        self.state = state
        self.input = value
        self.variables = variables
        self.forget_branches()

    def forget_branches(self) -> None:
        """A new attempt of a fan-out state starts all its branches anew."""
        self.branches = None
        self.map_run = None

    def branch(self, index: int) -> Progress:
        """The progress of one branch, new if the branch has not run before."""
        if self.branches is None:
            self.branches = {}
        return self.branches.setdefault(index, Progress())

    def finish(self, output: Json) -> None:
        """The scope has its output; the rest is no longer needed."""
        self.finished = True
        self.output = output
        self.input = None
        self.variables = {}
        self.forget_branches()
