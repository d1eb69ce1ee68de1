"""What planning needs of the tables, the bucket, the queue and the rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    from penstock.domain.failed_job import FailedJob
    from penstock.domain.job_record import JobRecord
    from penstock.domain.open_run import OpenRun
    from penstock.domain.plan_line import PlanDocument
    from penstock.domain.reject_batch import RejectBatch
    from penstock.domain.run_record import RunRecord
    from penstock.domain.waiter import Waiter


class Rows(Protocol):
    """The control table."""

    def rows_of_category(self, category: str) -> Iterable[dict[str, Any]]:
        """Yield the rows of a category."""

    def rows_named(self, names: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return those of the rows that exist, by job name."""

    def calendars(self, names: Iterable[str]) -> dict[str, frozenset[date]]:
        """Return those of the calendars that exist."""

    def add_waiter(self, job_name: str, waiter: Waiter) -> None:
        """Note in the row of a job who waits for it."""


class Runs(Protocol):
    """The runs and their jobs."""

    def run(self, job_id: str) -> RunRecord | None:
        """Return a run, or None if it was never planned."""

    def runs_for(self, category: str, logical_date: str) -> list[RunRecord]:
        """Return the runs of a category for a day, the oldest first."""

    def jobs_of(self, job_id: str) -> list[JobRecord]:
        """Return all jobs of a run."""

    def latest_jobs(
        self, category: str, logical_date: str, names: Iterable[str]
    ) -> dict[str, JobRecord]:
        """Return for each of the jobs its newest record for the day, if it was not left out."""

    def create_jobs(self, jobs: Sequence[JobRecord]) -> None:
        """Put the jobs that are not there yet."""

    def backlog(self, job_id: str, unlogged: Iterable[str]) -> list[str]:
        """Return the earlier runs that this run has to log."""

    def save(self, run: RunRecord) -> RunRecord:
        """Write what is known of a run."""


class Plans(Protocol):
    """The plans of runs."""

    def plan(self, job_id: str) -> PlanDocument | None:
        """Return the plan of a run, if it has been stored."""

    def store(self, plan: PlanDocument) -> PlanDocument:
        """Store the plan unless the run has one; return the one that counts."""

    def store_lines(self, plan: PlanDocument) -> None:
        """Store what the map over the jobs reads; to be repeated until all is done."""

    def store_file(self, key: str, content: bytes) -> None:
        """Store a file of a run that only its jobs read."""


class Failures(Protocol):
    """The error queue."""

    def receive(self, is_wanted: Callable[[dict[str, Any]], bool]) -> list[Any]:
        """Return the wanted messages, hidden from others."""

    def send_all(self, jobs: Sequence[FailedJob]) -> None:
        """Keep failed jobs."""

    def delete(self, messages: Sequence[Any]) -> None:
        """Delete messages whose work is done."""

    def release(self, messages: Sequence[Any]) -> None:
        """Let others see messages again."""


class LeaseBook(Protocol):
    """The leases."""

    def take(self, run: OpenRun, scheduled_time: str | None) -> str | None:
        """Take the lease; return None if it is the run's own, else the job ID of the other run."""

    def open_runs(self) -> list[OpenRun]:
        """Return the runs that hold one."""


class RejectBook(Protocol):
    """The rejects that are not done with."""

    def of_category(self, category: str) -> list[RejectBatch]:
        """Return the batches of a category."""

    def take(self, batch: RejectBatch, job_id: str) -> bool:
        """Take a batch for a run; false if it has changed since it was read."""


class ReconcileRule(Protocol):
    """The rule that calls Reconcile Runs."""

    def enable(self) -> None:
        """Switch it on."""
