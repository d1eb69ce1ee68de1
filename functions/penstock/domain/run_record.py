"""A run: one item of the run table, and one line of the list of runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from penstock.domain.lane import Lane

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock.domain.outcome import Verdict


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What is known of a run as a whole; the verdict is None while it is open.

    `outcomes` counts the jobs per outcome; `unlogged_runs` are earlier runs whose log could not
    be written and is written with this one's. `rerun_of` is the run whose failed jobs this one runs
    again, `duplicate_of` the run that is at the same work.
    """

    job_id: str
    category: str = ""
    logical_date: str = ""
    trigger: str = ""
    lane: str = Lane.LIVE
    rerun_of: str = ""
    duplicate_of: str = ""
    execution_arn: str = ""
    started_at: str = ""
    plan_key: str = ""
    planned: int = 0
    left_out: int = 0
    invalid: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    unlogged_runs: tuple[str, ...] = ()
    ended_at: str | None = None
    verdict: Verdict | None = None
    seconds: float | None = None
    dpu_seconds: float | None = None
    dollars: float | None = None
