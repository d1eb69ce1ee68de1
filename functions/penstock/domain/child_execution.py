"""An execution of Step Functions, as far as it tells what became of a run or of a job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from penstock.domain.ending import AWAIT_TURN, Ending, ending_of_failure, in_short
from penstock.domain.job_record import JobRecord
from penstock.domain.lost_job import LOST_ERROR
from penstock.domain.outcome import Outcome, Progress

ALIVE: Final = frozenset({"RUNNING", "PENDING_REDRIVE"})
GONE: Final = "GONE"
"""Step Functions forgets an execution 90 days after its end."""


@dataclass(frozen=True, slots=True)
class ExecutionState:
    """How an execution stands, in the words of Step Functions, or GONE if it knows none."""

    status: str
    error: str = ""
    cause: str = ""

    @property
    def is_alive(self) -> bool:
        """Tell whether anything may still come of it."""
        return self.status in ALIVE

    @property
    def words(self) -> str:
        """Return an error for people, even where the service names none."""
        return self.error or f"Execution{self.status.title().replace('_', '')}"


@dataclass(frozen=True, slots=True)
class Children:
    """The living children of a run, how many it is to have in all, and how many have to come."""

    live: frozenset[str] = frozenset()
    total: int = 0
    pending: int = 0

    def have_all_come(self, planned: int, known: frozenset[str]) -> bool:
        """Tell whether every child has begun, and all that live belong to these known ones."""
        return 0 < planned <= self.total and not self.pending and self.live <= known


def ending_of_child(job: JobRecord, child: ExecutionState) -> Ending:
    """Return what can honestly be said of a job whose execution ended without an outcome."""
    if child.status == "SUCCEEDED":
        cause = "its execution succeeded, but nobody has recorded how the job ended"
        return Ending(Outcome.FAILED, LOST_ERROR, cause)
    if child.status == GONE:
        cause = "its execution is gone, and nobody has recorded how the job ended"
        return Ending(Outcome.FAILED, LOST_ERROR, cause)
    if child.status == "FAILED":
        state = "Run Job" if job.state is Progress.RUNNING else AWAIT_TURN
        return ending_of_failure({"state": state, "error": child.words, "cause": child.cause})
    what = "was stopped" if child.status == "ABORTED" else "took longer than it may"
    cause = f"its execution {what}: {child.cause}".removesuffix(": ")
    if job.state is Progress.RUNNING:
        cause += "; what it had started may still go on"
    return Ending(Outcome(child.status), child.words, in_short(cause))


def never_came() -> Ending:
    """Return the ending of a job whose execution was over before it could report at all."""
    cause = "its execution ended before the job could ask for its turn"
    return Ending(Outcome.ABORTED, LOST_ERROR, cause)
