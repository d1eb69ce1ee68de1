"""The verdict on a run, and what becomes of jobs that have not ended when it does."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from penstock.domain import dependency_graph
from penstock.domain.ending import BLOCKED_ERROR, Ending, in_short, message_of
from penstock.domain.outcome import Outcome, Progress, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from penstock.domain.job_record import JobRecord
    from penstock.domain.messages import Failure

LOST_ERROR: Final = "NoOutcomeReported"


def verdict_of(jobs: Sequence[JobRecord], failure: Failure | None) -> Verdict:
    """Return SUCCEEDED only if every job that was to run has succeeded.

    A job that was left out for a good reason does not count; one with a bad row does. A run that
    itself failed, or in which nothing succeeded that should have, is FAILED.
    """
    counts = Counter(job.outcome for job in jobs if job.outcome is not Outcome.SKIPPED)
    if failure:
        return Verdict.FAILED
    if counts.total() == counts[Outcome.SUCCEEDED]:
        return Verdict.SUCCEEDED
    return Verdict.PARTIAL if counts[Outcome.SUCCEEDED] else Verdict.FAILED


def endings_of_the_rest(
    jobs: Sequence[JobRecord], failure: Failure | None
) -> list[tuple[JobRecord, Ending]]:
    """Return how each job without an outcome has to be recorded, the upstream ones first.

    The run is over, so nobody will report for them any more. BLOCKED are those whose upstream did
    not succeed, ABORTED those that never had their turn. Of a job that was running, only that is
    known; it counts as ABORTED if the run was stopped, as FAILED if its own execution fell silent.
    """
    by_name = {job.job_name: job for job in jobs}
    outcomes = {job.job_name: job.outcome for job in jobs}
    graph = {job.job_name: [n for n in job.waiting_on if n in by_name] for job in jobs}
    endings: list[tuple[JobRecord, Ending]] = []
    for name in dependency_graph.in_order(graph, lambda name: (0, name)):
        job = by_name[name]
        if job.outcome is None:
            ending = _ending(job, outcomes, failure)
            outcomes[name] = ending.outcome
            endings.append((job, ending))
    return endings


def culprit_of(job: JobRecord, jobs: Mapping[str, JobRecord]) -> str:
    """Return the failed job at the head of the chain that blocks this one."""
    for name in sorted(job.waiting_on):
        upstream = jobs.get(name)
        if upstream and upstream.outcome not in (None, Outcome.SUCCEEDED):
            return upstream.blocked_by or name
    return ""


def _ending(
    job: JobRecord, outcomes: Mapping[str, Outcome | None], failure: Failure | None
) -> Ending:
    stopped = f"; {stop_of(failure)}" if failure else ""
    if job.state is Progress.RUNNING:
        if failure:
            cause = f"stopped while running, what it started may still go on{stopped}"
            return Ending(Outcome.ABORTED, LOST_ERROR, cause)
        cause = "its execution ended without reporting how the job ended"
        return Ending(Outcome.FAILED, LOST_ERROR, cause)
    failed = [n for n in sorted(job.waiting_on) if outcomes.get(n) not in (None, Outcome.SUCCEEDED)]
    if failed:
        return Ending(Outcome.BLOCKED, BLOCKED_ERROR, f"upstream {failed[0]} did not succeed")
    return Ending(Outcome.ABORTED, LOST_ERROR, f"the run ended before its turn came{stopped}")


def stop_of(failure: Failure) -> str:
    """Return in a line what stopped a run."""
    error, cause = failure.get("error") or "Unknown", failure.get("cause") or ""
    return in_short(f"{failure['state']}: {error}: {message_of(cause)}".removesuffix(": "))
