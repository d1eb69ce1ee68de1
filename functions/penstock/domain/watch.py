"""The two checks of Reconcile Runs: of what is open, and of what should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from penstock.domain.errors import InvalidRequestError

if TYPE_CHECKING:
    from datetime import datetime

    from penstock.domain.open_run import OpenRun
    from penstock.domain.reconciler import Reconciler
    from penstock.domain.silence_watch import SilenceWatch


class OpenRuns(Protocol):
    """The leases."""

    def open_runs(self) -> list[OpenRun]:
        """Return the runs that hold one."""


class Rule(Protocol):
    """What calls the check of open runs every few minutes."""

    def enable(self) -> None:
        """Switch the rule on."""

    def disable(self) -> None:
        """Switch the rule off."""


class Watch:
    """Looks after open runs, and goes to sleep when there are none."""

    def __init__(
        self, leases: OpenRuns, rule: Rule, reconciler: Reconciler, silence: SilenceWatch
    ) -> None:
        self._leases = leases
        self._rule = rule
        self._reconciler = reconciler
        self._silence = silence

    def check(self, what: str, now: datetime) -> dict[str, int]:
        """Return what was done, how often; raise InvalidRequestError for an unknown check."""
        if what == "runs":
            return self._check_runs()
        if what == "silent":
            return self._check_silent(now)
        raise InvalidRequestError('Reconcile Runs needs {"check": "runs"} or {"check": "silent"}')

    def _check_runs(self) -> dict[str, int]:
        """Look after open runs.

        A run takes its lease first and then switches the rule on. So whoever switches it off looks
        for leases once more: either he sees the lease, or the run is still to switch it on.
        """
        counts = self._reconciler.check(self._leases.open_runs())
        if not self._leases.open_runs():
            self._rule.disable()
            if self._leases.open_runs():
                self._rule.enable()
        return dict(counts)

    def _check_silent(self, now: datetime) -> dict[str, int]:
        """Look for silent categories, and wake up if a start died right after it took its lease."""
        if self._leases.open_runs():
            self._rule.enable()
        return {"silent": self._silence.check(now)}
