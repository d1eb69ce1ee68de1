"""Closes runs: the same for Close Run and, if an execution did not get so far, Reconcile Runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from penstock.domain import closing
from penstock.domain.lane import Lane
from penstock.domain.lost_job import lost_jobs, unreported
from penstock.domain.settling import failed_job_of
from penstock.domain.waiter import Waiter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from penstock.domain.aftermath import Aftermath
    from penstock.domain.failed_job import FailedJob
    from penstock.domain.gate import FanOut, Gate
    from penstock.domain.job_record import JobRecord
    from penstock.domain.messages import CloseRunRequest, CloseRunResponse, Failure
    from penstock.domain.open_run import OpenRun
    from penstock.domain.run_record import RunRecord
    from penstock.domain.site import Site
    from penstock.domain.turn import TurnTaking


class Runs(Protocol):
    """The run table as far as a run as a whole goes."""

    def run(self, job_id: str) -> RunRecord | None:
        """Return a run, or None if it was never planned."""

    def jobs_of(self, job_id: str) -> list[JobRecord]:
        """Return all jobs of a run."""

    def unlogged_by(self, run: RunRecord) -> list[RunRecord]:
        """Return the earlier runs that this one has to log."""

    def save(self, run: RunRecord) -> RunRecord:
        """Write what is known of a run."""


class Failures(Protocol):
    """Where failed jobs are kept for the next run."""

    def send_all(self, jobs: Sequence[FailedJob]) -> None:
        """Keep failed jobs."""


class Waiting(Protocol):
    """The control rows in which waiters are noted."""

    def remove_waiters(self, job_name: str, waiters: Iterable[Waiter]) -> None:
        """Forget waiters."""


class LeaseBook(Protocol):
    """The leases."""

    def release(self, category: str, logical_date: str, job_id: str) -> None:
        """Give a lease back, if the run has it."""

    def open_runs(self) -> list[OpenRun]:
        """Return the runs that hold one."""


class Files(Protocol):
    """The files of runs."""

    def store_file(self, key: str, content: bytes) -> None:
        """Store a file."""


class RunCloser:
    """Gives a run its verdict, and every job of it an outcome; closing again is harmless."""

    def __init__(
        self,
        runs: Runs,
        turns: TurnTaking,
        gate: Gate,
        aftermath: Aftermath,
        queue: Failures,
        rows: Waiting,
        leases: LeaseBook,
        files: Files,
        site: Site,
        clock: Callable[[], str],
        fan_out: FanOut = map,
    ) -> None:
        self._runs = runs
        self._turns = turns
        self._gate = gate
        self._aftermath = aftermath
        self._queue = queue
        self._rows = rows
        self._leases = leases
        self._files = files
        self._site = site
        self._clock = clock
        self._fan_out = fan_out

    def close(self, event: CloseRunRequest) -> tuple[RunRecord, CloseRunResponse]:
        """Settle what nobody else will, then judge the run; the lease is still the run's."""
        run = closing.run_of(self._runs.run(event["job_id"]), event)
        jobs: Sequence[JobRecord] = self._runs.jobs_of(run.job_id)
        if not run.duplicate_of:
            jobs = self._settle_lost(jobs, event.get("failure"))
            for pool in closing.pools_of(jobs):
                self._gate.sweep(pool)
        run = self._runs.save(closing.ended_run(run, jobs, event, self._clock()))
        backlog = [
            (other, self._runs.jobs_of(other.job_id)) for other in self._runs.unlogged_by(run)
        ]
        log = closing.log_of([(run, jobs), *backlog], self._site)
        if log and log.key:
            self._files.store_file(log.key, log.content)
        return run, closing.response((run, jobs), log, event, self._site)

    def release(self, run: RunRecord) -> None:
        """Give back the run's lease, after all else: until then, Reconcile Runs looks after it."""
        if run.duplicate_of:
            return
        if run.category and run.logical_date:
            self._leases.release(run.category, run.logical_date, run.job_id)
            return
        for held in self._leases.open_runs():
            if held.job_id == run.job_id:
                self._leases.release(held.category, held.logical_date, held.job_id)

    def _settle_lost(
        self, jobs: Sequence[JobRecord], failure: Failure | None
    ) -> Sequence[JobRecord]:
        """Give an outcome to the jobs that have none; return how all stand then."""
        lost, late = lost_jobs(jobs, failure), unreported(jobs, failure)
        # The messages come first: after the outcomes, a repeat would find nothing lost any more.
        told = [*(job.as_ended() for job in lost), *late]
        self._queue.send_all([failed_job_of(job) for job in told if job.lane != Lane.BACKFILL])
        abandoned = list(self._fan_out(self._turns.abandon, lost))
        _exhaust(self._fan_out(self._aftermath.tell, [*abandoned, *late]))
        _exhaust(self._fan_out(self._stop_waiting, closing.waiters_of(jobs)))
        return self._runs.jobs_of(jobs[0].job_id) if lost else jobs

    def _stop_waiting(self, waiting: tuple[str, Waiter]) -> None:
        upstream, waiter = waiting
        self._rows.remove_waiters(upstream, [waiter])


def _exhaust(results: Iterable[Any]) -> None:
    for _ in results:
        pass
