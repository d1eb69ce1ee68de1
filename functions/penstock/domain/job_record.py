"""A job of a run: one item of the run table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from penstock.domain.figures import Figures
from penstock.domain.history import History, Sample
from penstock.domain.instant import seconds_between
from penstock.domain.lane import Lane
from penstock.domain.outcome import FAILURES, Outcome, Progress, State
from penstock.domain.rejects_report import RejectsReport


class JobKey(NamedTuple):
    """Which attempt at which job of which run."""

    job_id: str
    job_name: str
    attempt: int

    @property
    def holder(self) -> str:
        """Return the name under which the attempt holds a slot of a pool."""
        return f"{self.job_id}/{self.job_name}/{self.attempt}"

    @classmethod
    def of_holder(cls, holder: str) -> JobKey:
        """Return the attempt that holds a slot under this name; for any other text, none real."""
        job_id, _, rest = holder.partition("/")
        job_name, _, attempt = rest.rpartition("/")
        return cls(job_id, job_name, int(attempt) if attempt.isdecimal() else 0)


@dataclass(frozen=True, slots=True)
class JobRecord:
    """How a job of a run stands; instants are texts like `2026-11-21T05:00:00.000Z`.

    `waiting_on` names upstream jobs of the same run and, of other categories, of other runs.
    `failed_before` counts the runs in a row that failed before this one; `stuck_at` is when people
    were told that the job takes unusually long, and `retries` how many batches of rejects it tries.
    """

    job_id: str
    job_name: str
    job_type: str
    category: str
    logical_date: str
    state: State
    attempt: int = 1
    waiting_on: frozenset[str] = frozenset()
    dependents: tuple[str, ...] = ()
    pool: str = "default"
    priority: int = 0
    failed_before: int = 0
    lane: str = Lane.LIVE
    history: History = field(default_factory=History)
    expected_rows: int | None = None
    task_token: str | None = None
    execution_arn: str | None = None
    arrived_at: str | None = None
    started_at: str | None = None
    ended_at: str | None = None
    stuck_at: str | None = None
    figures: Figures = field(default_factory=Figures)
    rejects: RejectsReport | None = None
    retries: int = 0
    error: str = ""
    cause: str = ""
    blocked_by: str = ""

    @property
    def key(self) -> JobKey:
        """Return what identifies this attempt."""
        return JobKey(self.job_id, self.job_name, self.attempt)

    @property
    def outcome(self) -> Outcome | None:
        """Return how the job ended, or None if it has not."""
        return self.state if isinstance(self.state, Outcome) else None

    @property
    def is_ready(self) -> bool:
        """Tell whether the job has arrived and waits for nothing but a slot."""
        return self.state is Progress.WAITING and not self.waiting_on

    @property
    def shown_state(self) -> State:
        """Return the state for people: a job that waits only for a slot is QUEUED."""
        return Progress.QUEUED if self.is_ready else self.state

    @property
    def failures_in_a_row(self) -> int:
        """Return how many runs in a row the job has failed by now."""
        if self.outcome is Outcome.SUCCEEDED:
            return 0
        return self.failed_before + (1 if self.outcome in FAILURES else 0)

    @property
    def grown_history(self) -> History:
        """Return what the job usually takes, this success included."""
        if self.outcome is not Outcome.SUCCEEDED or self.seconds is None:
            return self.history
        figures = self.figures
        return self.history.grown(
            Sample(self.seconds, figures.rows_written, figures.dollars, figures.bytes)
        )

    @property
    def seconds(self) -> float | None:
        """Return the run time: as the service measured it, else from turn to end."""
        if self.figures.seconds is not None:
            return self.figures.seconds
        return seconds_between(self.started_at, self.ended_at)
