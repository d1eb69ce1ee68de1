"""Jobs that have no outcome although their run is over: nobody will report on them any more."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from penstock.domain import dependency_graph
from penstock.domain.ending import BLOCKED_ERROR, Ending
from penstock.domain.outcome import Outcome, Progress
from penstock.domain.verdict import stop_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from penstock.domain.job_record import JobRecord
    from penstock.domain.messages import Failure

LOST_ERROR: Final = "NoOutcomeReported"


@dataclass(frozen=True, slots=True)
class LostJob:
    """A job without an outcome, and what can honestly be recorded of it."""

    job: JobRecord
    ending: Ending
    culprit: str = ""

    def as_ended(self) -> JobRecord:
        """Return the job as it will be."""
        ending = self.ending
        return replace(
            self.job,
            state=ending.outcome,
            error=ending.error,
            cause=ending.cause,
            blocked_by=self.culprit,
        )


def lost_jobs(jobs: Sequence[JobRecord], failure: Failure | None) -> list[LostJob]:
    """Return the jobs without an outcome, those upstream first.

    BLOCKED are those whose upstream did not succeed, ABORTED those whose turn never came. Of a
    job that was running no more is known; it counts as ABORTED if the run was stopped, as FAILED
    if only its own execution fell silent.
    """
    now = {job.job_name: job for job in jobs}
    graph = {job.job_name: [n for n in job.waiting_on if n in now] for job in jobs}
    found: list[LostJob] = []
    for name in dependency_graph.in_order(graph, lambda name: (0, name)):
        if now[name].outcome is None:
            lost = _lost(now[name], now, failure)
            now[name] = lost.as_ended()
            found.append(lost)
    return found


def unreported(jobs: Sequence[JobRecord], failure: Failure | None) -> list[JobRecord]:
    """Return the ended jobs of which the error queue and the control table may not know.

    Those are the jobs that an earlier attempt at closing the run found lost and, if the run was
    stopped, those blocked before their own execution could report it. To say it twice is harmless.
    """
    return [
        job
        for job in jobs
        if job.error == LOST_ERROR or (failure and job.outcome is Outcome.BLOCKED and job.ended_at)
    ]


def _lost(job: JobRecord, now: Mapping[str, JobRecord], failure: Failure | None) -> LostJob:
    stopped = f"; {stop_of(failure)}" if failure else ""
    if job.state is Progress.RUNNING:
        if failure:
            cause = f"stopped while running; what it started may still go on{stopped}"
            return LostJob(job, Ending(Outcome.ABORTED, LOST_ERROR, cause))
        cause = "its execution ended without reporting how the job ended"
        return LostJob(job, Ending(Outcome.FAILED, LOST_ERROR, cause))
    culprit = _culprit(job, now)
    if culprit:
        cause = f"upstream {culprit} did not succeed"
        return LostJob(job, Ending(Outcome.BLOCKED, BLOCKED_ERROR, cause), culprit)
    cause = f"the run ended before its turn came{stopped}"
    return LostJob(job, Ending(Outcome.ABORTED, LOST_ERROR, cause))


def _culprit(job: JobRecord, now: Mapping[str, JobRecord]) -> str:
    """Return the job at the head of the chain that blocks this one, if one does."""
    for name in sorted(job.waiting_on & now.keys()):
        upstream = now[name]
        if upstream.outcome not in (None, Outcome.SUCCEEDED):
            return upstream.blocked_by or name
    return ""
