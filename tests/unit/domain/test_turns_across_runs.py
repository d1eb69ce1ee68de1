"""Jobs that wait on a job of another run, and outcomes whose consequences somebody else draws."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.domain.test_turn import FAILURE, NOW, Town, a_run, key
from tests.unit.simulated_runs import planned_job

from penstock.domain.ending import Ending
from penstock.domain.job_record import JobKey, JobRecord
from penstock.domain.outcome import Outcome, Progress
from penstock.domain.pool import BACKFILL_POOL

UPSTREAM = replace(planned_job("other", "base", [], [], "default", 0), category="Base")
SUCCEEDED = replace(UPSTREAM, state=Outcome.SUCCEEDED)
FAILED = replace(UPSTREAM, state=Outcome.FAILED)


def a_town() -> Town:
    """A run in which `first` waits on `base` of another run, and `second` on `first`."""
    jobs = a_run({"first": [], "second": ["first"]})
    jobs[0] = replace(jobs[0], waiting_on=frozenset({"base"}))
    return Town(*jobs)


def test_a_job_that_has_arrived_has_its_turn_when_the_other_run_s_job_succeeds() -> None:
    town = a_town()
    town.arrive("first", "second")
    assert town.told.granted == []
    town.turns.release_outside([key("first")], SUCCEEDED)
    assert town.told.granted == ["first"]
    assert town.job("second").state is Progress.WAITING


def test_a_job_that_arrives_later_does_not_wait() -> None:
    town = a_town()
    town.turns.release_outside([key("first")], SUCCEEDED)
    town.arrive("first")
    assert town.told.granted == ["first"]


def test_a_failure_in_the_other_run_blocks_the_job_and_everything_after_it() -> None:
    town = a_town()
    town.arrive("first")
    town.turns.release_outside([key("first")], FAILED)
    first, second = town.job("first"), town.job("second")
    assert (first.state, first.cause) == (
        Outcome.BLOCKED,
        "upstream base of Base did not succeed",
    )
    assert (second.state, second.blocked_by) == (Outcome.BLOCKED, "base")
    assert list(town.told.refused) == ["first"]


def test_telling_it_again_changes_nothing_and_finishes_what_was_left_undone() -> None:
    town = a_town()
    town.arrive("first")
    town.table.stop_waiting(key("first"), "base")  # an earlier call came no further
    town.turns.release_outside([key("first")], SUCCEEDED)
    town.turns.release_outside([key("first")], SUCCEEDED)
    assert set(town.told.granted) == {"first"}
    assert town.table.pool("default").holders == {key("first").holder}


def test_a_job_that_is_no_more_or_an_upstream_without_outcome_is_passed_over() -> None:
    town = a_town()
    gone = JobKey("expired", "first", 1)
    town.turns.release_outside([gone, key("first")], SUCCEEDED)
    town.turns.release_outside([gone], FAILED)
    assert town.job("first").waiting_on == frozenset()
    town = a_town()
    town.turns.release_outside([key("first")], UPSTREAM)
    assert town.job("first").waiting_on == {"base"}


def test_an_outcome_whose_consequences_nobody_drew_is_finished_later() -> None:
    town = Town(*a_run({"a": [], "b": ["a"]}), limit=1)
    town.arrive("a", "b")
    town.table.end(key("a"), Ending(Outcome.SUCCEEDED), NOW)  # and its execution was stopped
    finished = town.turns.finish(key("a"))
    assert isinstance(finished, JobRecord)
    assert town.told.granted == ["a", "b"]
    assert town.table.pool("default").holders == {key("b").holder}


def test_a_failure_that_nobody_finished_blocks_what_is_behind_it() -> None:
    town = Town(*a_run({"a": [], "b": ["a"]}))
    town.arrive("a", "b")
    town.table.end(key("a"), FAILURE, NOW)
    town.turns.finish(key("a"))
    assert town.job("b").state is Outcome.BLOCKED


def test_a_job_without_outcome_or_unknown_is_not_finished() -> None:
    town = Town(*a_run({"a": [], "b": ["a"]}))
    town.arrive("a")
    town.turns.finish(key("a"))
    assert town.turns.finish(key("unknown")) is None
    assert town.job("a").state is Progress.RUNNING


def test_raising_a_limit_wakes_the_waiting_at_the_next_sweep() -> None:
    town = Town(*a_run({"a": [], "b": [], "c": []}), limit=1)
    town.arrive("a", "b", "c")
    town.table.set_limit("default", 3)
    assert town.gate.sweep("default") == 0
    assert sorted(town.told.granted) == ["a", "b", "c"]


def test_the_pool_of_backfills_leaves_room_unless_its_item_says_otherwise() -> None:
    town = Town(limit=20)
    assert town.table.pool(BACKFILL_POOL).limit == 5
    town.table.set_limit(BACKFILL_POOL, 12)
    assert town.table.pool(BACKFILL_POOL).limit == 12
    assert town.table.pool("default").limit == 20
