"""What each planned job has to wait for, and which jobs can never have their turn."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from penstock.domain import dependency_graph
from penstock.domain.outcome import Outcome
from penstock.domain.upstream import Standing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from penstock.domain.control_row import ControlRow
    from penstock.domain.decision import Day, Decision


class Waits:
    """Looks through jobs that are left out, and blocks those whose upstream will never succeed."""

    def __init__(
        self, decisions: dict[str, Decision], day: Day, in_cycle: AbstractSet[str]
    ) -> None:
        self._decisions = decisions
        self._day = day
        self._in_cycle = in_cycle
        self._known = decisions.keys() | day.outside.keys()
        self._waits: dict[str, dict[str, None]] = {}

    def settle(self) -> None:
        """Give each planned job what it waits on, or make it BLOCKED or SKIPPED with the reason."""
        graph = {
            name: [n for n in self._needed(decision.row) if n in self._decisions]
            for name, decision in self._decisions.items()
        }
        for name in dependency_graph.in_order(graph, lambda name: (0, name)):
            decision = self._decisions[name]
            self._waits[name] = {
                other: None for upstream in self._needed(decision.row)
                for other in self._waits_for(upstream)
            }  # fmt: skip
            if decision.is_planned:
                self._decisions[name] = self._settled(decision)

    def _needed(self, row: ControlRow) -> Iterable[str]:
        if row.job_name in self._in_cycle:
            return ()
        return [name for name in row.depends_on if name in self._known]

    def _waits_for(self, upstream: str) -> Iterable[str]:
        """Return what stands between a job and its upstream: the upstream, or what is behind it."""
        outside = self._day.outside.get(upstream)
        if upstream not in self._decisions:
            waits = outside and outside.standing in (Standing.PENDING, Standing.UNSUCCESSFUL)
            return [upstream] if waits else ()
        is_left_out = self._decisions[upstream].state is Outcome.SKIPPED
        return self._waits[upstream] if is_left_out else [upstream]

    def _settled(self, decision: Decision) -> Decision:
        row = decision.row
        for upstream in self._needed(row):
            reason = self._lacks(row, upstream)
            if reason:
                return replace(decision, state=Outcome.SKIPPED, reason=reason)
        for upstream in (*self._needed(row), *self._waits[row.job_name]):
            reason = self._hopeless(upstream)
            if reason:
                return replace(decision, state=Outcome.BLOCKED, reason=reason)
        return replace(decision, waits_on=tuple(self._waits[row.job_name]))

    def _lacks(self, row: ControlRow, upstream: str) -> str:
        """Return why a job is left out with a required upstream job that is left out."""
        if upstream not in row.required:
            return ""
        why = ""
        if upstream not in self._decisions:
            outside = self._day.outside[upstream]
            why = outside.why if outside.standing is Standing.LEFT_OUT else ""
        elif self._day.rerun is None and self._decisions[upstream].state is Outcome.SKIPPED:
            why = self._decisions[upstream].reason
        return f"required upstream {upstream} is left out: {why}" if why else ""

    def _hopeless(self, upstream: str) -> str:
        """Return why an upstream job will not succeed, or nothing if it may."""
        if upstream not in self._decisions:
            outside = self._day.outside[upstream]
            is_over = outside.standing is Standing.UNSUCCESSFUL
            return f"upstream {upstream} of {outside.category}: {outside.why}" if is_over else ""
        decision, rerun = self._decisions[upstream], self._day.rerun
        if decision.is_planned:
            return ""
        if decision.state is not Outcome.SKIPPED:
            return f"upstream {upstream} is {decision.state}"
        if rerun is not None and rerun.is_unsuccessful(upstream):
            return f"upstream {upstream} did not succeed and is not run again; name it, too"
        return ""
