"""Runs in a Step Functions of our own: children, retries, dead Lambdas, any order of requests.

Every call of a function runs in a greenlet that stops before each request to the run table and
before each word to a child. Only one moves at a time, and the test decides which, and which dies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import greenlet
from tests.unit.fake_run_table import FakeRunTable

from penstock.domain.ending import Ending, ending_of_failure
from penstock.domain.gate import Gate
from penstock.domain.job_record import JobKey, JobRecord
from penstock.domain.lost_job import lost_jobs
from penstock.domain.messages import Failure
from penstock.domain.outcome import Outcome, Progress
from penstock.domain.turn import TurnTaking

NOW = "2026-11-21T05:00:00.000Z"
PATIENCE = 20_000


class LambdaDied(BaseException):
    """The end of an invocation between two requests."""


class Invocation:
    """A call that stands still until it is told to go on to its next request."""

    def __init__(self, call: Callable[[], object]) -> None:
        self._call = call
        self._dies = False
        self.ended = False
        self.died = False
        self.is_forgotten = False
        self.token: str | None = None
        self.error: Exception | None = None
        self._greenlet = greenlet.greenlet(self._run)
        self._greenlet.invocation = self

    def go_on(self, *, die: bool = False) -> None:
        self._dies = die
        self._greenlet.switch()

    def stop_here(self) -> None:
        self._greenlet.parent.switch()
        self._die_if_told()

    def _die_if_told(self) -> None:
        if self._dies:
            raise LambdaDied

    def _run(self) -> None:
        try:
            self._die_if_told()
            self._call()
            self.stop_here()
        except LambdaDied:
            self.died = True
        except Exception as error:  # noqa: BLE001 - raised by the test that owns this
            self.error = error
        self.ended = True


def stop_before_request(request: str = "") -> None:
    """Let the invocation whose greenlet this is stand still; a test's own code passes."""
    invocation = getattr(greenlet.getcurrent(), "invocation", None)
    if invocation is not None and not request.startswith("after"):
        invocation.stop_here()


@dataclass(eq=False)
class Child:
    """The child execution of one job: arriving, running, settling, and then over or killed."""

    key: JobKey
    upstream: frozenset[str]
    pool: str
    will: Outcome
    phase: str = "new"
    token: int = 0
    bodies: int = 0
    failure: Failure | None = None
    invocations: list[Invocation] = field(default_factory=list)

    @property
    def task_token(self) -> str:
        return f"{self.key.holder}#{self.token}"


class ViolationError(AssertionError):
    """An invariant does not hold."""


class SimulatedRuns:
    """All children of all runs, with one run table."""

    def __init__(
        self,
        jobs: Iterable[JobRecord],
        will: dict[JobKey, Outcome],
        limits: dict[str, int],
        store: Any = None,
        outside: dict[JobKey, list[JobKey]] | None = None,
    ) -> None:
        self.table = store or FakeRunTable(default_limit=1, around=stop_before_request)
        self.store = self.table
        planned = list(jobs)
        self.table.create_jobs(planned)
        for pool, limit in limits.items():
            self.table.set_limit(pool, limit)
        self.limits = dict(limits)
        self.outside = outside or {}
        self.children = {
            job.key: Child(job.key, job.waiting_on, job.pool, will[job.key]) for job in planned
        }
        self._by_token: dict[str, Child] = {}
        self._highest: dict[str, int] = {}
        self._steps = 0
        self._check_every = getattr(self.table, "check_every", 1)
        self.outcomes: dict[JobKey, Outcome] = {}
        self._seen: dict[tuple[str, str], JobRecord] = {}
        shuffle = Random(0).shuffle
        self.gate = Gate(self.store, self.store, self, lambda: NOW, shuffle=shuffle)
        self.turns = TurnTaking(self.store, self, self.gate, lambda: NOW)

    # What the functions say to the children

    def grant(self, token: str) -> None:
        stop_before_request()
        child = self._by_token.get(token)
        if child and child.phase == "arriving" and child.task_token == token:
            self._check_turn(child)
            child.phase = "running"
            child.bodies += 1
            if child.bodies > 1:
                raise ViolationError(f"{child.key} runs twice")

    def refuse(self, token: str, error: str, cause: str) -> None:
        stop_before_request()
        child = self._by_token.get(token)
        if child and child.phase == "arriving" and child.task_token == token:
            self._fail(child, error, cause)

    # What a scheduler may do next

    def actions(self) -> list[tuple[str, Child, Invocation | None]]:
        found: list[tuple[str, Child, Invocation | None]] = []
        for child in self.children.values():
            if child.phase in ("new", "running", "to settle"):
                found.append((child.phase, child, None))
            found += [("go on", child, invocation) for invocation in child.invocations]
        return found

    def act(self, action: tuple[str, Child, Invocation | None], *, die: bool) -> None:
        what, child, invocation = action
        if invocation is not None:
            self._advance(child, invocation, die=die)
        elif what == "new":
            self._invoke_arrive(child)
        elif what == "running":
            child.phase = "to settle"
        else:
            self._invoke_settle(child)
        self._check_outcomes()

    def time_out(self, child: Child) -> None:
        self._fail(child, "States.Timeout", "")

    def kill(self, child: Child) -> None:
        child.phase = "killed"

    def reconcile(self, child: Child) -> None:
        """Do what Reconcile Runs does about a child that has ended without settling."""
        key = child.key
        child.phase = "reconciling"

        def call() -> None:
            found = self.store.jobs([key])[0]
            if found.outcome is None:
                self.turns.settle(key, Ending(Outcome.ABORTED))
            else:
                self.turns.finish(key)
            waiters = self.outside.get(key, [])
            if waiters:
                self.turns.release_outside(waiters, self.store.jobs([key])[0])
            for pool in self.limits:
                self.gate.sweep(pool)

        child.invocations.append(Invocation(call))

    def settle_again(self, child: Child) -> None:
        """Settle once more while an earlier call still goes on, whose answer is lost.

        The earlier call goes on to its end: to lose an answer and to die are two faults, and what
        the two leave undone together is for the sweep.
        """
        for invocation in child.invocations:
            invocation.is_forgotten = True
        self._invoke_settle(child)

    def close(self, run: str) -> None:
        """Do what Close Run does about jobs nobody reports on, once all children are over."""
        jobs = [job for key, job in self.records().items() if key.job_id == run]
        for lost in lost_jobs(jobs, Failure(state="Run Jobs", error="Stopped", cause="")):
            self.turns.abandon(lost)
        for pool in self.limits:
            self.gate.sweep(pool)
        self._check_outcomes()

    def records(self) -> dict[JobKey, JobRecord]:
        return {job.key: job for job in self.table.jobs_by_name.values()}

    def upstream_of(self, key: JobKey, name: str) -> JobKey:
        """Return the job that a name in `waiting_on` means: of another run, or of the same."""
        for upstream, waiters in self.outside.items():
            if upstream.job_name == name and key in waiters:
                return upstream
        return key._replace(job_name=name)

    def end_invocations(self) -> None:
        for child in self.children.values():
            for invocation in child.invocations:
                while not invocation.ended:
                    invocation.go_on(die=True)

    # Within

    def _invoke_arrive(self, child: Child) -> None:
        child.phase = "arriving"
        child.token += 1
        token = child.task_token
        self._by_token[token] = child
        call = Invocation(lambda: self.turns.arrive(child.key, token, "arn"))
        call.token = token
        child.invocations.append(call)

    def _invoke_settle(self, child: Child) -> None:
        child.phase = "settling"
        ending = Ending(child.will)
        if child.failure is not None:
            ending = ending_of_failure(child.failure)

        def call() -> None:
            job = self.turns.settle(child.key, ending)
            waiters = self.outside.get(child.key, [])
            if waiters and job.key == child.key:
                self.turns.release_outside(waiters, job)

        child.invocations.append(Invocation(call))

    def _advance(self, child: Child, invocation: Invocation, *, die: bool) -> None:
        invocation.go_on(die=die)
        if not invocation.ended:
            return
        child.invocations.remove(invocation)
        if invocation.error:
            raise invocation.error
        token = invocation.token
        if invocation.is_forgotten:
            return
        if token is None:
            again = {"settling": "to settle", "reconciling": "killed"}
            if child.phase in again:
                child.phase = again[child.phase] if invocation.died else "over"
        elif invocation.died and child.phase == "arriving" and child.task_token == token:
            self._invoke_arrive(child)

    def _fail(self, child: Child, error: str, cause: str) -> None:
        child.failure = Failure(state="Await Turn", error=error, cause=cause)
        child.phase = "to settle"

    def _check_turn(self, child: Child) -> None:
        records = self.records()
        for name in child.upstream:
            upstream = self.upstream_of(child.key, name)
            if records[upstream].outcome is not Outcome.SUCCEEDED:
                raise ViolationError(f"{child.key} runs before {name} has succeeded")
        if records[child.key].state is not Progress.RUNNING:
            raise ViolationError(
                f"{child.key} runs, but its record says {records[child.key].state}"
            )
        if child.key.holder not in self.table.pools[child.pool].holders:
            raise ViolationError(f"{child.key} runs without a slot")
        running = [
            other
            for other in self.children.values()
            if other.pool == child.pool and other.phase == "running"
        ]
        if len(running) >= self.highest(child.pool):
            raise ViolationError(f"more than {self.highest(child.pool)} jobs of {child.pool} run")

    def highest(self, pool: str) -> int:
        """Return the highest limit that a pool has had: whoever runs may run on when it falls."""
        return max(self.limits[pool], self._highest.get(pool, 0))

    def change_limit(self, pool: str, limit: int) -> None:
        """Change a limit as a person does, at any time."""
        self._highest[pool] = self.highest(pool)
        self.limits[pool] = limit
        self.table.set_limit(pool, limit)

    def _check_outcomes(self) -> None:
        self._steps += 1
        if self._steps % self._check_every:
            return
        for name, job in self.table.jobs_by_name.items():
            if self._seen.get(name) is job:  # a record never changes, it is replaced
                continue
            self._seen[name] = job
            if (
                job.outcome is not None
                and self.outcomes.setdefault(job.key, job.outcome) != job.outcome
            ):
                raise ViolationError(f"the outcome of {job.key} has changed")
        for name, pool in self.table.pools.items():
            if len(pool.holders) > self.highest(name):
                raise ViolationError(f"{name} has too many holders")


@dataclass
class Faults:
    """How often invocations die, and how many other faults there may be."""

    deaths: float = 0.0
    timeouts: int = 0
    kills: int = 0
    repeats: int = 0
    limit_changes: int = 0


def run_to_the_end(runs: SimulatedRuns, random: Random, faults: Faults | None = None) -> None:
    """Let everything happen that can, in random order, with faults."""
    faults = faults or Faults()
    for step in range(PATIENCE):
        actions = runs.actions()
        if not actions:
            return
        action = random.choice(actions)
        child = action[1]
        chance = random.random()
        if faults.timeouts and child.phase == "arriving" and chance < 0.02:
            faults.timeouts -= 1
            runs.time_out(child)
        elif faults.kills and child.phase in ("arriving", "running", "settling") and chance < 0.02:
            faults.kills -= 1
            runs.kill(child)
        elif faults.limit_changes and chance < 0.02:
            faults.limit_changes -= 1
            runs.change_limit(child.pool, random.randint(0, 3))
        elif faults.repeats and child.phase == "settling" and chance < 0.1:
            faults.repeats -= 1
            runs.settle_again(child)
        else:
            may_die = action[2] and not action[2].is_forgotten and step < PATIENCE / 10
            runs.act(action, die=bool(may_die) and random.random() < faults.deaths)
    raise ViolationError("the runs do not come to an end")


def run_with_one_death(runs: SimulatedRuns, step_of_death: int, *, newest_first: bool) -> bool:
    """Let one call after another go on, and one of them die; tell whether it came to that."""
    step = 0
    while actions := runs.actions():
        action = actions[-1] if newest_first else actions[0]
        if action[2] is not None:
            step += 1
        runs.act(action, die=action[2] is not None and step == step_of_death)
        if step > PATIENCE:
            raise ViolationError("the runs do not come to an end")
    return step >= step_of_death


def waiting(runs: SimulatedRuns) -> list[JobKey]:
    """Return the jobs whose children wait although nothing more will happen."""
    return [
        key
        for key, child in runs.children.items()
        if child.phase not in ("over", "killed")
        or (child.phase == "over" and runs.records()[key].outcome is None)
    ]


def expected_outcomes(
    jobs: Iterable[JobRecord], will: dict[JobKey, Outcome]
) -> dict[JobKey, Outcome]:
    """Return how each job has to end when nothing but Lambdas dies."""
    expected: dict[JobKey, Outcome] = {}
    for job in jobs:
        upstream = [expected[job.key._replace(job_name=name)] for name in job.waiting_on]
        good = all(outcome is Outcome.SUCCEEDED for outcome in upstream)
        expected[job.key] = will[job.key] if good else Outcome.BLOCKED
    return expected


def planned_job(
    run: str,
    name: str,
    upstream: Iterable[str],
    dependents: Iterable[str],
    pool: str,
    priority: int,
) -> JobRecord:
    return JobRecord(
        job_id=run,
        job_name=name,
        job_type="python_shell",
        category="Daily",
        logical_date="2026-11-21",
        state=Progress.PLANNED,
        waiting_on=frozenset(upstream),
        dependents=tuple(dependents),
        pool=pool,
        priority=priority,
    )
