"""What turn-taking relies on, asked of the store in memory and of the one in DynamoDB alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.unit.conftest import RUN_TABLE
from tests.unit.fake_run_table import FakeRunTable

from penstock.adapters.job_items import JobItems
from penstock.adapters.pool_items import PoolItems
from penstock.adapters.run_table import RunTable
from penstock.domain.ending import Ending
from penstock.domain.errors import UnknownJobError
from penstock.domain.figures import Figures
from penstock.domain.job_record import JobKey, JobRecord
from penstock.domain.outcome import Outcome, Progress
from penstock.domain.pool import PoolView, QueueEntry
from penstock.domain.rejects_report import RejectsReport

NOW, LATER = "2026-11-21T05:00:00.000Z", "2026-11-21T06:00:00.000Z"
RUN = "20261121T050000Z-1"
ARN = "arn:child"


class InDynamoDB(JobItems, PoolItems):
    """Both adapters in one, as the store in memory is."""

    def __init__(self, client: Any) -> None:
        JobItems.__init__(self, client, RUN_TABLE)
        self.pool_items = PoolItems(client, RUN_TABLE, 2, lambda: 2_000_000_000)
        self.runs = RunTable(client, RUN_TABLE, lambda: 2_000_000_000)
        self.client = client

    def __getattribute__(self, name: str) -> Any:
        if name in vars(PoolItems) and not name.startswith("__"):
            return getattr(object.__getattribute__(self, "pool_items"), name)
        return object.__getattribute__(self, name)

    def create_jobs(self, jobs: list[JobRecord]) -> None:
        self.runs.create_jobs(jobs)

    def set_limit(self, name: str, limit: int) -> None:
        self.client.update_item(
            TableName=RUN_TABLE,
            Key={"PK": {"S": f"POOL#{name}"}, "SK": {"S": "POOL"}},
            UpdateExpression="SET #Limit = :limit",
            ExpressionAttributeNames={"#Limit": "Limit"},
            ExpressionAttributeValues={":limit": {"N": str(limit)}},
        )


@pytest.fixture(params=["memory", "DynamoDB"])
def store(request: pytest.FixtureRequest) -> Any:
    if request.param == "memory":
        return FakeRunTable(default_limit=2)
    return InDynamoDB(request.getfixturevalue("dynamodb"))


def job(name: str = "load", **changes: Any) -> JobRecord:
    record = JobRecord(RUN, name, "spark", "Daily", "2026-11-21", Progress.PLANNED, priority=60)
    return replace(record, **changes)


KEY = job().key


def entry(name: str, priority: int = 0, run: str = RUN) -> QueueEntry:
    return QueueEntry("default", priority, JobKey(run, name, 1))


def queued(store: Any, page: int = 10) -> list[str]:
    return [entry.key.job_name for entry in store.queue("default", page)]


def test_a_created_job_reads_as_it_was_written(store: Any) -> None:
    planned = job(
        waiting_on=frozenset({"a", "b"}),
        dependents=("x", "y"),
        pool="oracle",
        failed_before=2,
        cause="due",
        figures=Figures(rows_read=3, seconds=1.5),
    )
    store.create_jobs([planned])
    assert store.jobs([planned.key]) == [planned]


def test_creating_a_job_again_leaves_it_as_it_has_become(store: Any) -> None:
    store.create_jobs([job()])
    store.arrive(KEY, "token", ARN, NOW)
    store.create_jobs([job()])
    assert store.jobs([KEY])[0].state is Progress.WAITING


def test_jobs_that_do_not_exist_are_not_found(store: Any) -> None:
    store.create_jobs([job()])
    assert [found.key for found in store.jobs([KEY, JobKey(RUN, "other", 1)])] == [KEY]


def test_an_arrival_answers_with_the_job_as_it_was_before(store: Any) -> None:
    store.create_jobs([job(waiting_on=frozenset({"a"}))])
    first = store.arrive(KEY, "token", ARN, NOW)
    assert (first.done, first.record.state) == (True, Progress.PLANNED)
    assert first.record.waiting_on == {"a"}
    again = store.arrive(KEY, "other token", ARN, LATER)
    assert (again.done, again.record.state) == (True, Progress.WAITING)
    assert store.jobs([KEY])[0].task_token == "other token"


def test_a_running_or_ended_job_does_not_arrive(store: Any) -> None:
    store.create_jobs([job()])
    store.arrive(KEY, "token", ARN, NOW)
    store.start(KEY, NOW)
    late = store.arrive(KEY, "late", ARN, NOW)
    assert (late.done, late.record.state, late.record.task_token) == (
        False,
        Progress.RUNNING,
        "token",
    )
    store.end(KEY, Ending(Outcome.FAILED), NOW)
    assert not store.arrive(KEY, "late", ARN, NOW).done


def test_an_unknown_job_is_an_error_for_every_write(store: Any) -> None:
    writes: list[Callable[[], Any]] = [
        lambda: store.arrive(KEY, "token", ARN, NOW),
        lambda: store.start(KEY, NOW),
        lambda: store.end(KEY, Ending(Outcome.FAILED), NOW),
        lambda: store.block(KEY, "a", "cause", NOW),
        lambda: store.stop_waiting(KEY, "a"),
        lambda: store.replace_token(KEY, "token", ARN),
    ]
    for write in writes:
        with pytest.raises(UnknownJobError, match="load"):
            write()


def test_only_a_waiting_job_without_upstream_starts_and_only_once(store: Any) -> None:
    store.create_jobs([job(waiting_on=frozenset({"a"}))])
    assert not store.start(KEY, NOW).done
    store.arrive(KEY, "token", ARN, NOW)
    assert not store.start(KEY, NOW).done
    store.stop_waiting(KEY, "a")
    started = store.start(KEY, LATER)
    assert (started.done, started.record.started_at) == (True, LATER)
    assert not store.start(KEY, LATER).done


def test_another_attempt_neither_starts_nor_ends_the_job(store: Any) -> None:
    store.create_jobs([job(attempt=2)])
    assert not store.arrive(KEY, "token", ARN, NOW).done
    ended = store.end(KEY, Ending(Outcome.FAILED), NOW)
    assert (ended.done, ended.record.attempt, ended.record.state) == (False, 2, Progress.PLANNED)


def test_the_token_is_replaced_only_while_the_job_runs(store: Any) -> None:
    store.create_jobs([job()])
    assert not store.replace_token(KEY, "new", "arn:new").done
    store.arrive(KEY, "token", ARN, NOW)
    store.start(KEY, NOW)
    replaced = store.replace_token(KEY, "new", "arn:new").record
    assert (replaced.task_token, replaced.execution_arn) == ("new", "arn:new")


def test_an_outcome_is_written_once_with_all_that_is_known(store: Any) -> None:
    store.create_jobs([job()])
    figures = Figures(rows_read=10, rows_rejected=0, seconds=41.5, dpu_seconds=2.59375)
    rejects = RejectsReport(2, "s3://b/x", {"unique(id)": 2}, 1, ("s3://b/y",), 5, 3)
    ended = store.end(KEY, Ending(Outcome.SUCCEEDED, "Odd", "cause", figures, rejects), LATER)
    assert ended.done
    assert ended.record.outcome is Outcome.SUCCEEDED
    assert (ended.record.figures, ended.record.ended_at) == (figures, LATER)
    assert ended.record.rejects == rejects
    assert (ended.record.error, ended.record.cause) == ("Odd", "cause")
    again = store.end(KEY, Ending(Outcome.FAILED), LATER)
    assert not again.done
    assert again.record == ended.record


@pytest.mark.parametrize("outcome", [o for o in Outcome if o not in ("SKIPPED", "INVALID")])
def test_every_outcome_can_follow_a_plan(store: Any, outcome: Outcome) -> None:
    store.create_jobs([job()])
    assert store.end(KEY, Ending(outcome), NOW).record.outcome is outcome


def test_a_job_is_blocked_unless_it_has_started(store: Any) -> None:
    store.create_jobs([job(), job("started")])
    store.arrive(KEY, "token", ARN, NOW)
    blocked = store.block(KEY, "extract", "upstream extract did not succeed", NOW)
    assert blocked.done
    assert (blocked.record.blocked_by, blocked.record.error) == ("extract", "JobBlocked")
    assert blocked.record.task_token == "token"
    assert not store.block(KEY, "other", "", NOW).done
    started = job("started").key
    store.arrive(started, "token", ARN, NOW)
    store.start(started, NOW)
    assert not store.block(started, "extract", "", NOW).done
    assert not store.end(started, Ending(Outcome.BLOCKED), NOW).done


def test_the_last_upstream_to_end_makes_a_job_ready(store: Any) -> None:
    store.create_jobs([job(waiting_on=frozenset({"a", "b"}))])
    store.arrive(KEY, "token", ARN, NOW)
    assert not store.stop_waiting(KEY, "a").is_ready
    assert not store.stop_waiting(KEY, "a").is_ready
    assert store.stop_waiting(KEY, "b").is_ready


def test_a_pool_without_an_item_has_the_default_limit(store: Any) -> None:
    assert store.pool("new") == PoolView("new", 2)


def test_slots_are_given_up_to_the_limit(store: Any) -> None:
    assert store.join("default", "a").done
    assert store.join("default", "b").pool.holders == {"a", "b"}
    full = store.join("default", "c")
    assert (full.done, full.pool.holders, full.pool.free) == (False, {"a", "b"}, 0)
    assert not store.join_from_queue("default", "c").done
    assert store.leave("default", "a").holders == {"b"}
    assert store.join("default", "c").done


def test_a_limit_set_by_a_person_counts_instead_of_the_default(store: Any) -> None:
    store.set_limit("default", 1)
    assert store.join("default", "a").pool.limit == 1
    assert not store.join("default", "b").done
    store.set_limit("default", 0)
    assert store.leave("default", "a").free == 0
    assert not store.join("default", "b").done
    assert not store.join_from_queue("default", "b").done
    store.set_limit("default", 3)
    assert store.join_from_queue("default", "b").done


def test_a_limit_lowered_below_the_holders_gives_no_slots(store: Any) -> None:
    store.join("default", "a")
    store.join("default", "b")
    store.set_limit("default", 1)
    assert store.leave("default", "a").free == 0
    assert not store.join("default", "c").done


def test_whoever_holds_a_slot_joins_again_without_taking_another(store: Any) -> None:
    store.join("default", "a")
    assert store.join("default", "a").pool.holders == {"a"}
    from_queue = store.join_from_queue("default", "a")
    assert (from_queue.done, from_queue.pool.holders) == (False, {"a"})


def test_leaving_a_pool_without_holding_a_slot_changes_nothing(store: Any) -> None:
    store.join("default", "a")
    assert store.leave("default", "b").holders == {"a"}
    assert store.leave("other", "b").holders == frozenset()


def test_nobody_overtakes_an_announced_queue(store: Any) -> None:
    store.enqueue([entry("a")])
    assert store.announce("default").is_crowded
    assert not store.join("default", "b").done
    assert store.join_from_queue("default", "a").done
    store.mark_drained("default", 1)
    assert not store.pool("default").is_crowded
    assert store.join("default", "b").done


def test_an_announcement_after_the_look_into_the_queue_keeps_it_crowded(store: Any) -> None:
    seen = store.announce("default").enqueued
    store.announce("default")
    store.mark_drained("default", seen)
    assert store.pool("default").is_crowded
    store.mark_drained("default", 2)
    store.mark_drained("default", 1)
    assert not store.pool("default").is_crowded


def test_the_queue_is_sorted_by_priority_then_by_run_then_by_name(store: Any) -> None:
    store.enqueue(
        [entry("low", 1), entry("b", 7), entry("a", 7), entry("old", 7, "2026"), entry("top", 99)]
    )
    assert queued(store) == ["top", "old", "a", "b", "low"]


def test_the_queue_is_read_page_by_page(store: Any) -> None:
    names = [f"job{number:02}" for number in range(60)]
    store.enqueue([entry(name) for name in names])
    assert queued(store, page=7) == names


def test_a_job_is_queued_once_and_leaves_the_queue_for_good(store: Any) -> None:
    store.enqueue([entry("a"), entry("b")])
    store.enqueue([entry("a")])
    store.dequeue(entry("a"))
    store.dequeue(entry("a"))
    assert queued(store) == ["b"]


class RetriedClient:
    """A client whose first, lost request gave the slot, and whose second is refused for it."""

    def __init__(self, retries: int) -> None:
        self.retries = retries

    def update_item(self, **_: Any) -> Any:
        answer: Any = {
            "Error": {"Code": "ConditionalCheckFailedException", "Message": ""},
            "ResponseMetadata": {"RetryAttempts": self.retries},
            "Item": {"Holders": {"SS": ["a"]}},
        }
        raise ClientError(answer, "UpdateItem")


@pytest.mark.parametrize(("retries", "done"), [(0, False), (1, True)])
def test_a_slot_given_by_a_lost_request_is_not_taken_for_somebody_elses(
    retries: int, done: bool
) -> None:
    client: Any = RetriedClient(retries)
    pools = PoolItems(client, RUN_TABLE, 2, lambda: 0)
    assert pools.join_from_queue("default", "a").done is done
    assert pools.join_from_queue("default", "b").done is False
