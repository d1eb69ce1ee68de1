"""A run: one item of the run table, and one line of the list of runs."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.domain.outcome import Verdict


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What is known of a run as a whole; the verdict is None while it is open."""

    job_id: str
    category: str
    logical_date: str
    trigger: str
    execution_arn: str
    started_at: str
    plan_key: str
    planned: int
    left_out: int
    invalid: int
    ended_at: str | None = None
    verdict: Verdict | None = None
    unlogged_runs: tuple[str, ...] = ()
