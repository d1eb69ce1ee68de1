"""How a job stands and how it ends, how a run ends, and which changes are allowed."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Outcome(StrEnum):
    """How a job ended, in the words of Step Functions where it has one."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"
    BLOCKED = "BLOCKED"
    SKIPPED = "SKIPPED"
    INVALID = "INVALID"


class Progress(StrEnum):
    """Where a job stands that has not ended."""

    PLANNED = "PLANNED"
    WAITING = "WAITING"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"


class Verdict(StrEnum):
    """How a run ended; DUPLICATE: another run is at the same work, so this one did nothing."""

    SUCCEEDED = "SUCCEEDED"
    PARTIAL = "PARTIAL"
    FAILED = "FAILED"
    DUPLICATE = "DUPLICATE"


State = Progress | Outcome

FAILURES: Final = (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.ABORTED)
"""The outcomes of a job that has been tried and has not succeeded."""

UNENDED: Final = frozenset({Progress.PLANNED, Progress.WAITING, Progress.RUNNING})
"""The stored states a job can end from; QUEUED is WAITING on nothing, so it is never stored."""

TRANSITIONS: Final[dict[State, frozenset[Progress]]] = {
    Progress.WAITING: frozenset({Progress.PLANNED, Progress.WAITING}),
    Progress.RUNNING: frozenset({Progress.WAITING}),
    Outcome.SUCCEEDED: UNENDED,
    Outcome.FAILED: UNENDED,
    Outcome.TIMED_OUT: UNENDED,
    Outcome.ABORTED: UNENDED,
    Outcome.BLOCKED: frozenset({Progress.PLANNED, Progress.WAITING}),
}
"""For each state the stored states it may follow; an outcome follows nothing but an unended job."""


def state_from_text(text: str) -> State:
    """Return the state with this name; raise ValueError for any other word."""
    return Progress(text) if text in Progress.__members__ else Outcome(text)
