"""What follows from the end of a job beyond its run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.unit.domain.test_turn import FAILURE, NOW, SUCCESS, Town, a_run, key
from tests.unit.simulated_runs import planned_job

from penstock.domain.aftermath import Aftermath
from penstock.domain.failed_job import FailedJob
from penstock.domain.job_record import JobKey, JobRecord
from penstock.domain.lane import Lane
from penstock.domain.outcome import Outcome, Progress
from penstock.domain.table_report import TableReport
from penstock.domain.waiter import Waiter

WAITER = Waiter("2026-11-21", JobKey("other", "report", 1))


@dataclass
class Books:
    """Queue, control rows and tables at once; each remembers what it was told."""

    sent: list[FailedJob] = field(default_factory=list)
    recorded: list[JobRecord] = field(default_factory=list)
    waiters: set[str] = field(default_factory=set)
    tables: list[str] = field(default_factory=list)

    def send(self, job: FailedJob) -> None:
        self.sent.append(job)

    def record(self, job: Any, *report: Any) -> Any:
        if report:
            self.tables.append(report[0].table)
            return None
        self.recorded.append(job)
        return frozenset(self.waiters)

    def remove_waiters(self, job_name: str, waiters: Iterable[Waiter]) -> None:
        self.waiters -= {waiter.to_text() for waiter in waiters}

    def unreported(self, job: JobKey) -> list[TableReport]:
        return [TableReport("shop", "unreported", "FAILED")]

    def remember_failure(self, job_id: str, report: TableReport, now: str) -> None:
        self.tables.append(f"{report.table} failed: {report.error}")

    def forget_failure(self, job_id: str, report: TableReport) -> None:
        self.tables.append(f"{report.table} is well")

    def commit_watermark(self, job_id: str, report: TableReport, now: str) -> bool:
        self.tables.append(f"{report.table} at {report.watermark}")
        return True


def an_end(lane: Lane = Lane.LIVE, day: str = "2026-11-21") -> tuple[Town, Books, Aftermath]:
    jobs = [replace(job, lane=lane, logical_date=day) for job in a_run({"a": []})]
    waiting = replace(
        planned_job("other", "report", [], [], "default", 0), waiting_on=frozenset({"a"})
    )
    town, books = Town(*jobs, waiting), Books(waiters={WAITER.to_text()})
    town.arrive("a")
    return town, books, Aftermath(town.turns, books, books, books, lambda: NOW)


def test_a_success_is_recorded_and_whoever_waits_in_another_run_is_told() -> None:
    town, books, aftermath = an_end()
    town.turns.arrive(WAITER.key, "report", "arn")
    assert aftermath.settle(key("a"), SUCCESS).outcome is Outcome.SUCCEEDED
    assert (books.sent, books.waiters) == ([], set())
    assert town.told.granted == ["a", "report"]


def test_whoever_waits_for_another_day_goes_on_waiting() -> None:
    town, books, aftermath = an_end(day="2026-11-20")
    aftermath.settle(key("a"), SUCCESS)
    assert books.waiters == {WAITER.to_text()}
    assert town.table.jobs([WAITER.key])[0].state is Progress.PLANNED


def test_a_failure_is_sent_to_the_next_run_and_blocks_who_waits() -> None:
    town, books, aftermath = an_end()
    aftermath.settle(key("a"), FAILURE)
    assert [(job.job_name, job.times) for job in books.sent] == [("a", 1)]
    assert town.table.jobs([WAITER.key])[0].state is Outcome.BLOCKED


def test_a_failed_backfill_is_no_business_of_the_next_run() -> None:
    _, books, aftermath = an_end(Lane.BACKFILL)
    aftermath.settle(key("a"), FAILURE)
    assert (books.sent, len(books.recorded)) == ([], 1)


def test_the_tables_of_an_extract_are_settled_before_those_who_wait_are_told() -> None:
    _, books, aftermath = an_end()
    report = b'{"tables": [{"table": "t", "outcome": "SUCCEEDED", "watermark": 5}]}'
    job = aftermath.settle(key("a"), SUCCESS, report)
    assert (job.outcome, job.error) == (Outcome.FAILED, "TablesFailedError"), "it left one out"
    cause = "the job does not report what became of unreported"
    told = f"the job ended as FAILED and did not report this table; {cause}"
    assert books.tables == [
        *("t at 5", "t", "t is well"),
        *("unreported", f"unreported failed: {told}"),
    ]


def test_an_end_of_another_attempt_changes_nothing() -> None:
    _, books, aftermath = an_end()
    aftermath.settle(key("a", attempt=2), FAILURE)
    assert (books.sent, books.recorded) == ([], [])
