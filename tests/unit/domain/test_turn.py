"""Taking turns, step by step, and what it costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tests.unit.fake_run_table import FakeRunTable, FakeTurns
from tests.unit.simulated_runs import planned_job

from penstock.domain.ending import Ending
from penstock.domain.figures import Figures
from penstock.domain.gate import Gate
from penstock.domain.job_record import JobKey, JobRecord
from penstock.domain.outcome import Outcome, Progress
from penstock.domain.pool import QueueEntry
from penstock.domain.turn import TurnTaking

NOW = "2026-11-21T05:00:00.000Z"
SUCCESS, FAILURE = Ending(Outcome.SUCCEEDED), Ending(Outcome.FAILED, "E", "boom")


class Town:
    """A run table with its turns, and a run of jobs in it."""

    def __init__(self, *jobs: JobRecord, limit: int = 2) -> None:
        self.table = FakeRunTable(default_limit=limit)
        self.table.create_jobs(jobs)
        self.told = FakeTurns()
        self.gate = Gate(self.table, self.table, self.told, lambda: NOW)
        self.turns = TurnTaking(self.table, self.told, self.gate, lambda: NOW)

    def arrive(self, *names: str) -> None:
        for name in names:
            self.turns.arrive(key(name), name, f"arn:{name}")

    def settle(self, name: str, ending: Ending = SUCCESS) -> JobRecord:
        return self.turns.settle(key(name), ending)

    def job(self, name: str) -> JobRecord:
        return self.table.jobs([key(name)])[0]

    def requests_of(self, *names: str) -> Counter[str]:
        before = len(self.table.requests)
        for name in names:
            self.arrive(name)
        for name in names:
            self.settle(name)
        return Counter(self.table.requests[before:])


def key(name: str, attempt: int = 1) -> JobKey:
    return JobKey("run", name, attempt)


def a_run(upstream: dict[str, Iterable[str]], **priority: int) -> list[JobRecord]:
    return [
        planned_job(
            "run",
            name,
            needed,
            [other for other in upstream if name in upstream[other]],
            "default",
            priority.get(name, 0),
        )
        for name, needed in upstream.items()
    ]


def test_a_job_without_upstream_has_its_turn_at_once() -> None:
    town = Town(*a_run({"a": []}))
    town.arrive("a")
    assert town.told.granted == ["a"]
    assert town.job("a").state is Progress.RUNNING
    assert town.job("a").started_at == NOW


def test_a_job_waits_for_all_its_upstream_and_for_nothing_else() -> None:
    town = Town(*a_run({"a": [], "b": [], "c": ["a", "b"], "d": ["a"]}), limit=9)
    town.arrive("c", "d", "a", "b")
    assert town.told.granted == ["a", "b"]
    assert town.job("c").shown_state is Progress.WAITING
    town.settle("a")
    assert town.told.granted == ["a", "b", "d"]
    town.settle("b")
    assert town.told.granted == ["a", "b", "d", "c"]


def test_a_job_that_arrives_after_its_upstream_has_ended_does_not_wait() -> None:
    town = Town(*a_run({"a": [], "b": ["a"]}))
    town.arrive("a")
    town.settle("a")
    town.arrive("b")
    assert town.told.granted == ["a", "b"]


def test_an_arrival_is_told_how_the_job_stands() -> None:
    town = Town(*a_run({"a": [], "b": [], "c": ["a"]}), limit=1)
    told = {name: town.turns.arrive(key(name), name, "arn") for name in "abc"}
    assert told == {"a": Progress.RUNNING, "b": Progress.QUEUED, "c": Progress.WAITING}


def test_a_full_pool_makes_jobs_queue_and_the_most_urgent_goes_first() -> None:
    town = Town(*a_run({"a": [], "low": [], "high": []}, high=9), limit=1)
    town.arrive("a", "low", "high")
    assert town.told.granted == ["a"]
    assert town.job("low").shown_state is Progress.QUEUED
    town.settle("a")
    town.settle("high")
    town.settle("low")
    assert town.told.granted == ["a", "high", "low"]
    assert town.table.pool("default").holders == frozenset()


def test_a_dependent_on_the_critical_path_goes_before_the_queue() -> None:
    town = Town(*a_run({"a": [], "next": ["a"], "low": []}, next=9), limit=1)
    town.arrive("a", "next", "low")
    town.settle("a")
    assert town.told.granted == ["a", "next"]


def test_runs_share_a_pool_and_the_earlier_run_goes_first_at_equal_priority() -> None:
    late, early = (planned_job(run, "job", [], [], "default", 0) for run in ("run-2", "run-1"))
    town = Town(*a_run({"a": []}), late, early, limit=1)
    town.arrive("a")
    town.turns.arrive(late.key, "late", "arn")
    town.turns.arrive(early.key, "early", "arn")
    town.settle("a")
    assert town.told.granted == ["a", "early"]


def test_a_raised_limit_lets_in_as_many_as_now_fit() -> None:
    names = [f"j{number}" for number in range(6)]
    town = Town(*a_run({name: [] for name in names}), limit=1)
    town.arrive(*names)
    town.table.set_limit("default", 4)
    town.settle("j0")
    assert sorted(town.told.granted) == names[:5]


def test_a_failure_blocks_exactly_the_descendants() -> None:
    town = Town(
        *a_run({"a": [], "b": ["a"], "c": ["b"], "d": ["a", "x"], "x": [], "y": ["x"]}), limit=9
    )
    town.arrive("a", "x", "b", "d", "y")
    town.settle("a", FAILURE)
    blocked = {name for name in "abcdxy" if town.job(name).outcome is Outcome.BLOCKED}
    assert blocked == {"b", "c", "d"}
    cause = "upstream a did not succeed"
    assert town.told.refused == {"b": ("JobBlocked", cause), "d": ("JobBlocked", cause)}
    assert town.job("c").blocked_by == "a"
    town.arrive("c")
    assert town.told.refused["c"] == ("JobBlocked", cause)
    town.settle("x")
    assert town.told.granted == ["a", "x", "y"]


def test_a_blocked_jobs_own_settling_changes_nothing_of_it() -> None:
    town = Town(*a_run({"a": [], "b": ["a"], "c": ["b"]}))
    town.arrive("a", "b")
    town.settle("a", FAILURE)
    settled = town.settle("b", Ending(Outcome.BLOCKED, "JobBlocked", "other"))
    assert (settled.outcome, settled.cause) == (Outcome.BLOCKED, "upstream a did not succeed")


def test_an_outcome_is_recorded_once_and_a_repeat_tells_it() -> None:
    town = Town(*a_run({"a": []}))
    town.arrive("a")
    figures = Figures(rows_read=5)
    town.settle("a", Ending(Outcome.SUCCEEDED, figures=figures))
    again = town.settle("a", FAILURE)
    assert (again.outcome, again.figures) == (Outcome.SUCCEEDED, figures)


def test_an_older_attempt_settles_nothing() -> None:
    town = Town(*a_run({"a": []}))
    assert town.turns.settle(key("a", attempt=0), FAILURE).outcome is None
    assert town.job("a").state is Progress.PLANNED


def test_a_running_job_that_claims_to_be_blocked_has_failed() -> None:
    town = Town(*a_run({"a": []}))
    town.arrive("a")
    assert town.settle("a", Ending(Outcome.BLOCKED)).outcome is Outcome.FAILED
    assert town.table.pool("default").holders == frozenset()


def test_arriving_again_after_the_turn_was_given_gives_it_to_the_new_token() -> None:
    town = Town(*a_run({"a": []}))
    town.arrive("a")
    town.turns.arrive(key("a"), "second token", "arn")
    assert town.told.granted == ["a", "second token"]
    assert town.table.pool("default").holders == {key("a").holder}


def test_arriving_again_after_the_end_is_refused_and_runs_nothing_twice() -> None:
    town = Town(*a_run({"a": []}))
    town.arrive("a")
    town.settle("a")
    town.turns.arrive(key("a"), "late", "arn")
    assert town.told.granted == ["a"]
    assert town.told.refused["late"] == (
        "JobAlreadyEnded",
        "attempt 1 of this job is SUCCEEDED already",
    )


def test_a_job_that_gives_up_queueing_leaves_the_queue() -> None:
    town = Town(*a_run({"a": [], "b": []}), limit=1)
    town.arrive("a", "b")
    town.settle("b", Ending(Outcome.TIMED_OUT))
    assert list(town.table.queue("default", 10)) == []
    town.settle("a")
    assert town.told.granted == ["a"]


def test_an_entry_of_an_ended_job_in_the_queue_costs_nobody_his_turn() -> None:
    town = Town(*a_run({"a": [], "gone": [], "c": []}), limit=1)
    town.arrive("a", "c")
    town.settle("gone", Ending(Outcome.ABORTED))
    town.table.enqueue([QueueEntry("default", 99, key("gone"))])
    town.table.announce("default")
    town.settle("a")
    assert town.told.granted == ["a", "c"]


def test_a_sweep_frees_the_slots_of_ended_and_of_forgotten_jobs_and_lets_others_in() -> None:
    town = Town(*a_run({"a": [], "gone": [], "queued": []}), limit=3)
    town.arrive("a")
    town.settle("gone", Ending(Outcome.ABORTED))
    town.table.join("default", key("gone").holder)
    town.table.join("default", "written by hand")
    town.arrive("queued")
    assert town.told.granted == ["a"]
    assert town.gate.sweep("default") == 2
    assert town.told.granted == ["a", "queued"]
    assert town.table.pool("default").holders == {key("a").holder, key("queued").holder}


def test_the_happy_path_of_a_job_takes_five_requests_beside_the_control_row() -> None:
    town = Town(*a_run({"a": []}))
    assert town.requests_of("a") == {
        "become WAITING": 1,
        "join": 1,
        "become RUNNING": 1,
        "become SUCCEEDED": 1,
        "leave": 1,
    }


def test_a_dependency_costs_one_more_request() -> None:
    town = Town(*a_run({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}), limit=9)
    town.arrive("d", "c", "b", "a")
    for name in "abcd":
        town.settle(name)
    assert town.told.granted == ["a", "b", "c", "d"]
    assert len(town.table.requests) == 4 * 5 + 4


def test_a_crowded_pool_costs_five_more_requests_for_each_job_that_queues() -> None:
    names = [f"j{number:04}" for number in range(1_000)]
    town = Town(*a_run({name: [] for name in names}), limit=10)
    requests = town.requests_of(*names)
    assert len(town.told.granted) == 1_000
    queued = 990
    assert requests["enqueue"] == requests["announce"] == requests["dequeue"] == queued
    assert requests["join"] == 1_000
    assert requests["join_from_queue"] == queued
    assert requests["queue"] <= queued + 10
    assert requests.total() <= 5 * 1_000 + 5 * queued + 30


def test_a_thousand_jobs_behind_one_start_without_a_request_each_to_the_pool() -> None:
    names = [f"j{number:04}" for number in range(5_000)]
    town = Town(*a_run({"hub": []} | {name: ["hub"] for name in names}), limit=50)
    town.arrive("hub", *names)
    before = len(town.table.requests)
    town.settle("hub")
    requests = Counter(town.table.requests[before:])
    assert len(town.told.granted) == 51
    assert requests["stop_waiting"] == 5_000
    assert requests["join"] == 51
    assert (requests["enqueue"], requests["announce"]) == (1, 1)


def test_a_failure_runs_down_a_chain_of_five_thousand_jobs() -> None:
    names = [f"j{number:04}" for number in range(5_000)]
    chain = {name: names[n - 1 : n] if n else [] for n, name in enumerate(names)}
    records = [
        planned_job("run", name, needed, names[n + 1 : n + 2], "default", 0)
        for n, (name, needed) in enumerate(chain.items())
    ]
    town = Town(*records)
    town.arrive(names[0])
    town.settle(names[0], FAILURE)
    assert town.job(names[-1]).outcome is Outcome.BLOCKED
    assert town.job(names[-1]).blocked_by == names[0]
