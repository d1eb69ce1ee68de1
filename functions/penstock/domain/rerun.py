"""Reruns: the jobs of a run that did not succeed, once more, for the same logical date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from penstock.domain.errors import InvalidRequestError
from penstock.domain.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from penstock.domain.job_record import JobRecord
    from penstock.domain.run_record import RunRecord

STANDING: frozenset[Outcome] = frozenset({Outcome.SUCCEEDED, Outcome.SKIPPED})
"""The outcomes that a rerun leaves as they are."""


@dataclass(frozen=True, slots=True)
class Rerun:
    """A run as it stands now: its jobs, overlaid by what its reruns have made of them.

    `only` names the jobs that were asked for; empty: all that did not succeed. `chain` are the
    job IDs of the run and its reruns.
    """

    run: RunRecord
    jobs: Mapping[str, JobRecord]
    only: frozenset[str] = frozenset()
    chain: frozenset[str] = frozenset()

    def is_chosen(self, name: str) -> bool:
        """Tell whether the job is to run again."""
        return self.is_unsuccessful(name) and (not self.only or name in self.only)

    def is_unsuccessful(self, name: str) -> bool:
        """Tell whether the job was to run and has not succeeded since."""
        return name in self.jobs and self.jobs[name].outcome not in STANDING

    def reason_to_leave_out(self, name: str) -> str:
        """Return why a job that is not chosen does not run."""
        job = self.jobs.get(name)
        if job is None:
            return f"is not part of run {self.run.job_id}"
        if job.outcome is Outcome.SUCCEEDED:
            return f"has succeeded in run {job.job_id}"
        if job.outcome is Outcome.SKIPPED:
            return f"was left out of run {job.job_id}"
        return "was not asked for"

    def next_attempt(self, name: str) -> int:
        """Return the number of the job's next attempt."""
        return self.jobs[name].attempt + 1 if name in self.jobs else 1


def chain_of(run: RunRecord, runs_for_day: Iterable[RunRecord]) -> list[RunRecord]:
    """Return the run, its reruns and theirs, the oldest first."""
    chain = {run.job_id: run}
    for other in sorted(runs_for_day, key=lambda other: other.job_id):
        if other.rerun_of in chain and not other.duplicate_of:
            chain[other.job_id] = other
    return list(chain.values())


def require_ended(chain: Iterable[RunRecord]) -> None:
    """Raise InvalidRequestError if a run of the chain is open."""
    for run in chain:
        if not run.ended_at:
            raise InvalidRequestError(f"rerun_of: run {run.job_id} has not ended yet")


def rerun_of(
    chain: Sequence[RunRecord], jobs: Iterable[Sequence[JobRecord]], only: Iterable[str]
) -> Rerun:
    """Return what a rerun is about; `jobs` are those of each run of the chain, in its order.

    Raises InvalidRequestError if a run of the chain is open, or a job asked for cannot be rerun.
    """
    require_ended(chain)
    run = chain[0]
    now: dict[str, JobRecord] = {}
    for jobs_of_run in jobs:
        for job in jobs_of_run:
            if job.job_name not in now or job.outcome is not Outcome.SKIPPED:
                now[job.job_name] = job
    rerun = Rerun(run, now, frozenset(only), frozenset(other.job_id for other in chain))
    for name in sorted(rerun.only):
        if not rerun.is_unsuccessful(name):
            why = rerun.reason_to_leave_out(name)
            raise InvalidRequestError(f"jobs: {name} cannot be run again: it {why}")
    return rerun
