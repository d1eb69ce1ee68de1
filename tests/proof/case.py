"""Random cases: runs that depend on one another, pools, outcomes, and everything that may fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from tests.unit.simulated_runs import (
    Faults,
    SimulatedRuns,
    planned_job,
    run_to_the_end,
    waiting,
)

from penstock.domain.job_record import JobKey, JobRecord
from penstock.domain.outcome import Outcome, Progress

POOLS = ("default", "oracle")
MOST_PASSES = 30


@dataclass
class Case:
    """Jobs of one or two runs, how each will end, who waits on whom in the other run, limits."""

    jobs: list[JobRecord]
    will: dict[JobKey, Outcome]
    outside: dict[JobKey, list[JobKey]]
    limits: dict[str, int]

    def expected(self) -> dict[JobKey, Outcome]:
        """Return how each job has to end if nothing fails but Lambdas."""
        outcomes: dict[JobKey, Outcome] = {}
        for job in self.jobs:
            upstream = [outcomes[self.upstream_of(job, name)] for name in job.waiting_on]
            good = all(outcome is Outcome.SUCCEEDED for outcome in upstream)
            outcomes[job.key] = self.will[job.key] if good else Outcome.BLOCKED
        return outcomes

    def upstream_of(self, job: JobRecord, name: str) -> JobKey:
        """Return the job that a name means: of the other run if it is noted there."""
        for upstream, waiters in self.outside.items():
            if upstream.job_name == name and job.key in waiters:
                return upstream
        return job.key._replace(job_name=name)


def random_case(random: Random) -> Case:
    """Return a case; the jobs come in an order in which each follows its upstream."""
    case = Case([], {}, {}, {pool: random.randint(1, 3) for pool in POOLS})
    for run in range(random.randint(1, 2)):
        names = [f"r{run}j{number}" for number in range(random.randint(1, 4))]
        upstream = {
            name: set(random.sample(names[:number], random.randint(0, min(number, 2))))
            for number, name in enumerate(names)
        }
        former = list(case.jobs)
        for name in names:
            dependents = [other for other in names if name in upstream[other]]
            pool, priority = random.choice(POOLS), random.randint(0, 2)
            job = planned_job(f"run{run}", name, upstream[name], dependents, pool, priority)
            job = replace(job, attempt=random.randint(1, 2))
            if former and random.random() < 0.4:
                other = random.choice(former)
                job = replace(job, waiting_on=job.waiting_on | {other.job_name})
                case.outside.setdefault(other.key, []).append(job.key)
            case.jobs.append(job)
            case.will[job.key] = Outcome.FAILED if random.random() < 0.2 else Outcome.SUCCEEDED
    # the attempts of one run are the same: a rerun is a run of its own
    return _with_one_attempt(case)


def _with_one_attempt(case: Case) -> Case:
    attempts = {job.job_id: job.attempt for job in case.jobs}

    def mended(key: JobKey) -> JobKey:
        return key._replace(attempt=attempts[key.job_id])

    return Case(
        [replace(job, attempt=attempts[job.job_id]) for job in case.jobs],
        {mended(key): outcome for key, outcome in case.will.items()},
        {mended(key): [mended(w) for w in waiters] for key, waiters in case.outside.items()},
        case.limits,
    )


def check_interleaving(seed: int, store: Any = None) -> None:
    """Run a random case in a random order with random faults; raise AssertionError if it is wrong.

    Half of the cases see only Lambdas that die and answers that are lost: then everything has to
    end as it must without any help. In the other half turns come too late, executions are stopped
    and limits are changed, and Reconcile Runs has to bring it to an end.
    """
    random = Random(seed)
    case = random_case(random)
    deaths = random.choice([0.0, 0.03, 0.1, 0.2])
    is_hard = bool(seed % 2)
    faults = Faults(deaths, repeats=random.randint(0, 2))
    if is_hard:
        faults = Faults(
            deaths, random.randint(0, 1), random.randint(0, 2), faults.repeats,
            limit_changes=random.randint(0, 2),
        )  # fmt: skip
    runs = SimulatedRuns(case.jobs, case.will, case.limits, store, case.outside)
    try:
        run_to_the_end(runs, random, faults)
        if not is_hard:
            assert waiting(runs) == [], "somebody waits although nothing more will happen"
            outcomes = {key: record.outcome for key, record in runs.records().items()}
            assert outcomes == case.expected()
        check_end(case, runs, random, deaths)
    finally:
        runs.end_invocations()


def what_is_wrong(seeds: Sequence[int]) -> list[str]:
    """Return what is wrong with any of the interleavings, and with which."""
    wrong = []
    for seed in seeds:
        try:
            check_interleaving(seed)
        except AssertionError as error:
            wrong.append(f"seed {seed}: {error}")
    return wrong


def check_end(case: Case, runs: SimulatedRuns, random: Random, deaths: float = 0.0) -> None:
    """Let Reconcile Runs bring everything to its end, then check the invariants."""
    run_to_the_end(runs, random, Faults(deaths))
    _reconcile(runs, random, deaths)
    _check(case, runs)


def _reconcile(runs: SimulatedRuns, random: Random, deaths: float) -> None:
    """Let Reconcile Runs come by until all is quiet; its Lambdas die, too."""
    for number in range(MOST_PASSES):
        for child in runs.children.values():
            if child.phase == "killed":
                runs.reconcile(child)
        for pool in sorted(runs.limits):
            if runs.limits[pool] == 0:
                runs.change_limit(pool, 1)
            runs.gate.sweep(pool)
        run_to_the_end(runs, random, Faults(deaths if number < MOST_PASSES / 2 else 0.0))
        if not waiting(runs) and all(c.phase != "killed" for c in runs.children.values()):
            return
    raise AssertionError(f"still waiting after {MOST_PASSES} passes: {waiting(runs)}")


def _check(case: Case, runs: SimulatedRuns) -> None:
    """Check the invariants that hold when all is quiet; the others are checked at each step."""
    records = runs.records()
    for job in case.jobs:
        record = records[job.key]
        assert record.outcome is not None, f"{job.key} has no outcome (I1)"
        assert record.outcome is runs.outcomes.get(job.key, record.outcome), "changed (I5)"
        upstream = [records[case.upstream_of(job, name)].outcome for name in job.waiting_on]
        is_good = all(outcome is Outcome.SUCCEEDED for outcome in upstream)
        assert record.outcome is not Outcome.BLOCKED or not is_good, f"{job.key} blocked by nobody"
        bodies = runs.children[job.key].bodies
        assert bodies <= (1 if is_good else 0), f"{job.key} ran {bodies} times (I2)"
        assert record.state is not Progress.RUNNING
    for name, pool in runs.table.pools.items():
        assert not pool.holders, f"{name} has slots held by jobs that have ended (I4)"
