"""How long a planned run will take, and what it will cost, from what its jobs usually take."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from penstock.domain import dependency_graph
from penstock.domain.history import History
from penstock.domain.outcome import Progress
from penstock.domain.plan import TYPICAL_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from penstock.domain.plan_line import PlanDocument, PlanEntry

MOST_CHILDREN: Final = 10_000
"""Children of a Distributed Map that run at once (Step Functions quotas)."""
TRANSITIONS_PER_JOB: Final = 4
NEAR: Final = 0.8


@dataclass(frozen=True, slots=True)
class ExpectedJob:
    """When a job will probably start and end, in seconds from the start of the run."""

    name: str
    start: float
    end: float
    is_known: bool
    dollars: float | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """The whole run; `dollars` are those of the jobs whose cost is known."""

    jobs: tuple[ExpectedJob, ...]
    seconds: float
    dollars: float
    unknown_times: int
    unknown_costs: int
    limits: tuple[str, ...]


def forecast(
    plan: PlanDocument, pool_limits: Mapping[str, int], transition_price: float = 0.0
) -> Forecast:
    """Return what the plan leads to if every job takes its usual time and nothing fails.

    Jobs start as turn-taking starts them: when their upstream has ended and their pool has room,
    the highest priority first. Jobs of other runs in the same pools are not known here.
    """
    planned = {e["JobName"]: e for e in plan["jobs"] if e["Decision"] == Progress.PLANNED}
    jobs = _simulated(planned, pool_limits)
    known = [job.dollars for job in jobs if job.dollars is not None]
    return Forecast(
        jobs=tuple(jobs),
        seconds=max((job.end for job in jobs), default=0.0),
        dollars=sum(known) + transition_price * TRANSITIONS_PER_JOB * len(jobs),
        unknown_times=sum(not job.is_known for job in jobs),
        unknown_costs=len(jobs) - len(known),
        limits=tuple(_limits(planned, jobs, pool_limits)),
    )


def _simulated(
    planned: Mapping[str, PlanEntry], pool_limits: Mapping[str, int]
) -> list[ExpectedJob]:
    """Return the jobs in the order in which they start."""
    graph = {name: [n for n in e["WaitsOn"] if n in planned] for name, e in planned.items()}
    dependents = dependency_graph.downstream(graph)
    missing = {name: len(needed) for name, needed in graph.items()}
    free = {entry["Pool"]: pool_limits[entry["Pool"]] for entry in planned.values()}
    queues: dict[str, list[tuple[int, str]]] = {pool: [] for pool in free}
    running: list[tuple[float, str]] = []
    started: list[ExpectedJob] = []
    ready = [name for name, count in missing.items() if not count]
    now = 0.0
    touched: set[str] = set()
    while True:
        for name in ready:
            pool = planned[name]["Pool"]
            heapq.heappush(queues[pool], (-planned[name]["Priority"], name))
            touched.add(pool)
        for pool in touched:
            while queues[pool] and free[pool] > 0:
                free[pool] -= 1
                job = _started(planned[heapq.heappop(queues[pool])[1]], now)
                heapq.heappush(running, (job.end, job.name))
                started.append(job)
        if not running:
            return started  # what is left, if anything, waits in a pool without slots
        now, name = heapq.heappop(running)
        touched = {planned[name]["Pool"]}
        free[planned[name]["Pool"]] += 1
        for dependent in dependents[name]:
            missing[dependent] -= 1
        ready = [dependent for dependent in dependents[name] if not missing[dependent]]


def _started(entry: PlanEntry, now: float) -> ExpectedJob:
    history = History.from_text(entry["Recent"])
    seconds = history.seconds
    end = now + (TYPICAL_SECONDS if seconds is None else seconds)
    return ExpectedJob(entry["JobName"], now, end, seconds is not None, history.dollars)


def _limits(
    planned: Mapping[str, PlanEntry],
    jobs: Iterable[ExpectedJob],
    pool_limits: Mapping[str, int],
) -> Iterable[str]:
    """Yield which limits the run comes near, with their values."""
    if len(planned) > NEAR * MOST_CHILDREN:
        yield f"{len(planned):,} jobs; a Distributed Map runs {MOST_CHILDREN:,} children at once"
    started = {job.name: job for job in jobs}
    for pool in sorted({entry["Pool"] for entry in planned.values()}):
        names = [name for name, entry in planned.items() if entry["Pool"] == pool]
        stuck = [name for name in names if name not in started]
        if stuck:
            yield f"pool {pool} has no slots (Limit {pool_limits[pool]}): {len(stuck)} jobs wait"
            continue
        seconds = _full_seconds([started[name] for name in names], pool_limits[pool])
        if seconds > 0:
            yield f"pool {pool} is full ({pool_limits[pool]} slots) for {seconds:,.0f} s"


def _full_seconds(jobs: Iterable[ExpectedJob], limit: int) -> float:
    """Return for how long all slots are taken."""
    changes = sorted((at, change) for job in jobs for at, change in ((job.start, 1), (job.end, -1)))
    held, since, total = 0, 0.0, 0.0
    for at, change in changes:
        if held >= limit:
            total += at - since
        held, since = held + change, at
    return total
