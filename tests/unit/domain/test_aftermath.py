"""What follows from the end of a job beyond its run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.unit.domain.test_turn import FAILURE, NOW, SUCCESS, Town, a_run, key
from tests.unit.simulated_runs import planned_job

from penstock.domain.aftermath import Aftermath
from penstock.domain.ending import Ending
from penstock.domain.job_record import JobKey, JobRecord
from penstock.domain.lane import Lane
from penstock.domain.outcome import Outcome, Progress
from penstock.domain.reject_batch import RejectBatch
from penstock.domain.rejects_report import RejectsReport
from penstock.domain.table_report import TableReport
from penstock.domain.waiter import Waiter

WAITER = Waiter("2026-11-21", JobKey("other", "report", 1))


@dataclass
class Batches:
    """The batches of rejects, as far as Settle Job needs them."""

    kept: list[RejectBatch] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    given_back: list[str] = field(default_factory=list)

    def record(self, batch: RejectBatch) -> None:
        if batch not in self.kept:
            self.kept.append(batch)

    def of_job(self, category: str, job_name: str) -> list[RejectBatch]:
        return [batch for batch in self.kept if batch.job_name == job_name]

    def close(self, batch: RejectBatch, job_id: str, now: str) -> None:
        self.closed.append(batch.path)

    def give_back(self, batch: RejectBatch, job_id: str) -> None:
        self.given_back.append(batch.path)


@dataclass
class Books:
    """Queue, control rows and tables at once; each remembers what it was told."""

    sent: list[Any] = field(default_factory=list)
    recorded: list[JobRecord] = field(default_factory=list)
    waiters: set[str] = field(default_factory=set)
    tables: list[str] = field(default_factory=list)
    batches: Batches = field(default_factory=lambda: Batches())

    def send(self, job: Any) -> None:
        self.sent.append(job)

    def send_rejects(self, batch: RejectBatch) -> None:
        self.sent.append(batch)

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


def an_end(
    lane: Lane = Lane.LIVE, day: str = "2026-11-21", retries: int = 0
) -> tuple[Town, Books, Aftermath]:
    jobs = [replace(job, lane=lane, logical_date=day, retries=retries) for job in a_run({"a": []})]
    waiting = replace(
        planned_job("other", "report", [], [], "default", 0), waiting_on=frozenset({"a"})
    )
    town, books = Town(*jobs, waiting), Books(waiters={WAITER.to_text()})
    town.arrive("a")
    return town, books, Aftermath(town.turns, books, books, books, books.batches, lambda: NOW)


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


KEPT = RejectsReport(rows=3, path="s3://b/new", by_rule={"not_null(id)": 3}, resting=1)
TAKEN = RejectBatch("", "a", "before", 1, "2026-11-20", "s3://b/old", 2, 0, taken_by="run")


def rejecting(*retried: str) -> Ending:
    return replace(SUCCESS, rejects=replace(KEPT, retried=retried))


def test_the_rejects_of_a_success_are_kept_and_the_next_run_is_told() -> None:
    _, books, aftermath = an_end()
    aftermath.settle(key("a"), rejecting())
    (batch,) = books.batches.kept
    assert (batch.path, batch.open, batch.resting, batch.by_rule) == (
        "s3://b/new", 2, 1, {"not_null(id)": 3},
    )  # fmt: skip
    assert books.sent == [batch]


def test_the_rejects_of_a_failure_are_none_because_its_whole_input_is_tried_again() -> None:
    _, books, aftermath = an_end()
    aftermath.settle(key("a"), replace(FAILURE, rejects=KEPT))
    assert books.batches.kept == []


def test_the_rejects_of_a_backfill_rest_until_somebody_acts() -> None:
    _, books, aftermath = an_end(Lane.BACKFILL)
    aftermath.settle(key("a"), rejecting())
    (batch,) = books.batches.kept
    assert (batch.open, batch.resting) == (0, 3)
    assert books.sent == []


def test_rejects_that_were_tried_again_are_closed_and_others_given_back() -> None:
    _, books, aftermath = an_end(retries=2)
    other = replace(TAKEN, path="s3://b/gone")
    foreign = replace(TAKEN, path="s3://b/foreign", taken_by="somebody")
    books.batches.kept += [TAKEN, other, foreign]
    aftermath.settle(key("a"), rejecting(TAKEN.path))
    assert (books.batches.closed, books.batches.given_back) == ([TAKEN.path], [other.path])
    assert [batch.path for batch in books.sent] == ["s3://b/new", other.path]


def test_a_job_that_failed_gives_back_what_it_was_to_try_again() -> None:
    _, books, aftermath = an_end(retries=1)
    books.batches.kept.append(TAKEN)
    aftermath.settle(key("a"), FAILURE)
    assert (books.batches.closed, books.batches.given_back) == ([], [TAKEN.path])
    assert TAKEN in books.sent
