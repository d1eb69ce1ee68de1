"""The invariants of taking turns under random interleavings and Lambdas that die anywhere."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.simulated_runs import (
    Faults,
    SimulatedRuns,
    expected_outcomes,
    planned_job,
    run_to_the_end,
    run_with_one_death,
    waiting,
)

from penstock.domain.job_record import JobKey, JobRecord
from penstock.domain.outcome import Outcome

POOLS = ("default", "oracle")
thoroughly = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def categories(draw: Any) -> tuple[list[JobRecord], dict[JobKey, Outcome], dict[str, int]]:
    """One or two runs of up to six jobs with any dependencies, outcomes, pools and limits."""
    jobs: list[JobRecord] = []
    will: dict[JobKey, Outcome] = {}
    for run in range(draw(st.integers(1, 2))):
        size = draw(st.integers(1, 6))
        names = [f"job{number}" for number in range(size)]
        upstream = {
            name: draw(st.sets(st.sampled_from(names[:number]), max_size=3)) if number else set()
            for number, name in enumerate(names)
        }
        for name in names:
            dependents = [other for other in names if name in upstream[other]]
            pool, priority = draw(st.sampled_from(POOLS)), draw(st.integers(0, 3))
            job = planned_job(f"run{run}", name, upstream[name], dependents, pool, priority)
            jobs.append(job)
            will[job.key] = Outcome.FAILED if draw(st.integers(0, 4)) == 0 else Outcome.SUCCEEDED
    limits = {pool: draw(st.integers(1, 3)) for pool in POOLS}
    return jobs, will, limits


@thoroughly
@given(categories(), st.integers(0, 2**32), st.sampled_from([0.0, 0.02, 0.05, 0.1, 0.2]))
def test_every_job_ends_as_it_must_however_often_lambdas_die(
    category: Any, seed: int, deaths: float
) -> None:
    jobs, will, limits = category
    runs = SimulatedRuns(jobs, will, limits)
    try:
        run_to_the_end(runs, Random(seed), Faults(deaths, repeats=2))
        assert waiting(runs) == []
        assert runs.outcomes == expected_outcomes(jobs, will)
        assert [pool.holders for pool in runs.table.pools.values() if pool.holders] == []
    finally:
        runs.end_invocations()


@thoroughly
@given(categories(), st.integers(0, 2**32), st.sampled_from([0.0, 0.05, 0.1]))
def test_a_turn_that_comes_too_late_loses_nobody_elses(
    category: Any, seed: int, deaths: float
) -> None:
    jobs, will, limits = category
    runs = SimulatedRuns(jobs, will, limits)
    try:
        run_to_the_end(runs, Random(seed), Faults(deaths, timeouts=2))
        for pool in limits:
            runs.gate.sweep(pool)
        run_to_the_end(runs, Random(seed))
        assert waiting(runs) == []
        assert_only_blocked_below_failures(jobs, runs)
        assert_pools_are_clean(runs)
    finally:
        runs.end_invocations()


@thoroughly
@given(categories(), st.integers(0, 2**32), st.sampled_from([0.0, 0.05, 0.1]))
def test_a_stopped_run_is_closed_and_holds_up_no_other(
    category: Any, seed: int, deaths: float
) -> None:
    jobs, will, limits = category
    runs = SimulatedRuns(jobs, will, limits)
    try:
        run_to_the_end(runs, Random(seed), Faults(deaths, kills=3))
        stopped = {key.job_id for key, child in runs.children.items() if child.phase == "killed"}
        for child in runs.children.values():
            if child.key.job_id in stopped and child.phase != "over":
                runs.kill(child)
        for run in sorted(stopped):
            runs.close(run)
        run_to_the_end(runs, Random(seed))
        assert waiting(runs) == []
        assert {key for key, job in runs.records().items() if job.outcome is None} == set()
        assert_only_blocked_below_failures(jobs, runs)
        assert_pools_are_clean(runs)
    finally:
        runs.end_invocations()


def a_diamond(*failing: str) -> tuple[list[JobRecord], dict[JobKey, Outcome]]:
    """extract -> (left, right, far) -> join -> load, and three jobs that wait for nobody."""
    upstream = {
        "extract": [],
        "left": ["extract"],
        "right": ["extract"],
        "far": ["extract"],
        "join": ["left", "right"],
        "load": ["join", "far"],
        "x": [],
        "y": [],
        "z": [],
    }
    jobs = [
        planned_job("run", name, needed, [n for n in upstream if name in upstream[n]], "default", 0)
        for name, needed in upstream.items()
    ]
    outcomes = {
        job.key: Outcome.FAILED if job.job_name in failing else Outcome.SUCCEEDED for job in jobs
    }
    return jobs, outcomes


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize(("limit", "failing"), [(1, ""), (1, "join"), (2, "left"), (5, "extract")])
def test_one_death_before_any_request_changes_nothing(
    limit: int, failing: str, newest_first: bool
) -> None:
    jobs, will = a_diamond(failing)
    died, step = True, 0
    while died:
        step += 1
        runs = SimulatedRuns(jobs, will, {"default": limit})
        try:
            died = run_with_one_death(runs, step, newest_first=newest_first)
            assert waiting(runs) == [], f"after a death at step {step}"
            assert runs.outcomes == expected_outcomes(jobs, will)
            assert runs.table.pools["default"].holders == set()
        finally:
            runs.end_invocations()


def assert_only_blocked_below_failures(jobs: list[JobRecord], runs: SimulatedRuns) -> None:
    for job in jobs:
        upstream = {runs.outcomes[job.key._replace(job_name=name)] for name in job.waiting_on}
        if runs.outcomes[job.key] is Outcome.BLOCKED:
            assert upstream - {Outcome.SUCCEEDED}
        elif upstream - {Outcome.SUCCEEDED}:
            assert runs.children[job.key].bodies == 0


def assert_pools_are_clean(runs: SimulatedRuns) -> None:
    for pool in runs.table.pools.values():
        assert pool.holders == set()
        for entry in pool.queue.values():
            assert runs.records()[entry.key].outcome is not None


def test_a_slot_given_to_an_ended_job_by_one_who_died_is_found_by_the_repeat_of_his_call() -> None:
    jobs = [planned_job("run0", f"job{number}", [], [], "default", 0) for number in range(4)]
    will = {job.key: Outcome.FAILED for job in jobs}
    runs = SimulatedRuns(jobs, will, {"default": 1, "oracle": 1})
    try:
        run_to_the_end(runs, Random(0), Faults(0.2, repeats=2))
        assert waiting(runs) == []
    finally:
        runs.end_invocations()
