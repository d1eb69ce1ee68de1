"""Makespan of taking turns on random DAGs, in simulated time.

200 seeded DAGs (10 to 2,000 jobs, several widths, log-normal durations) run with unlimited, 16 and
4 slots through the real `TurnTaking` and `Gate`. Priorities are the critical path by what jobs
usually take, which is not what they take this time: the estimates are off by a random factor.
Compared with the lower bound max(critical path, work/slots), with stage-by-stage execution (a
barrier after each level) and with first come, first served.
"""

from __future__ import annotations

import argparse
import heapq
import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import mean

sys.path[:0] = [str(Path(__file__).parents[1])]

from tests.unit.fake_run_table import FakeRunTable  # noqa: E402 - the folder is known only now

from penstock.domain import dependency_graph  # noqa: E402
from penstock.domain.ending import Ending  # noqa: E402
from penstock.domain.gate import Gate  # noqa: E402
from penstock.domain.job_record import JobKey, JobRecord  # noqa: E402
from penstock.domain.outcome import Outcome, Progress  # noqa: E402
from penstock.domain.turn import TurnTaking  # noqa: E402

DAGS = 200
SIZES = (10, 30, 100, 300, 1_000, 2_000)
WIDTHS = ("narrow", "square", "wide")
UNLIMITED = 1_000_000
SLOTS = (4, 16, UNLIMITED)
MEDIAN_SECONDS = 120.0
SPREAD = 1.0
NOISE = 0.3
"""Sigma of the log-normal durations, and of the factor by which an estimate is off."""


@dataclass(frozen=True, slots=True)
class Dag:
    """Jobs with their upstream, how long each takes, and how long it is thought to take."""

    width: str
    upstream: dict[str, list[str]]
    seconds: dict[str, float]
    usual: dict[str, float]

    @property
    def critical_path(self) -> float:
        """The seconds of the longest path."""
        return max(dependency_graph.longest_remaining(self.upstream, self.seconds).values())

    def bound(self, slots: int) -> float:
        """What no order can beat."""
        return max(self.critical_path, sum(self.seconds.values()) / slots)


class Clock:
    """Simulated time: who has a turn ends after his seconds."""

    def __init__(self, dag: Dag) -> None:
        self._dag = dag
        self.now = 0.0
        self.running: list[tuple[float, str]] = []

    def grant(self, token: str) -> None:
        """Start a job; its token is its name."""
        heapq.heappush(self.running, (self.now + self._dag.seconds[token], token))

    def refuse(self, token: str, error: str, cause: str) -> None:
        """Nothing fails here."""
        raise AssertionError(f"{token}: {error}: {cause}")


def random_dag(seed: int) -> Dag:
    """Layers of jobs; each job depends on one to three of the layer before, some on older ones."""
    random = Random(seed)
    size = SIZES[seed % len(SIZES)]
    width = WIDTHS[seed // len(SIZES) % len(WIDTHS)]
    layer = {"narrow": max(2, round(size**0.35)), "square": max(2, round(size**0.5)),
             "wide": max(3, size // 4)}[width]  # fmt: skip
    upstream: dict[str, list[str]] = {}
    before: list[str] = []
    while len(upstream) < size:
        count = min(random.randint(max(1, layer // 2), layer * 3 // 2), size - len(upstream))
        names = [f"j{len(upstream) + number:05d}" for number in range(count)]
        older = list(upstream)
        for name in names:
            needed = set(random.sample(before, min(len(before), random.randint(1, 3))))
            if older and random.random() < 0.1:
                needed.add(random.choice(older))
            upstream[name] = sorted(needed) if random.random() > 0.05 else []
        before = names
    seconds = {name: random.lognormvariate(math.log(MEDIAN_SECONDS), SPREAD) for name in upstream}
    usual = {name: took * random.lognormvariate(0, NOISE) for name, took in seconds.items()}
    return Dag(width, upstream, seconds, usual)


def turns(dag: Dag, slots: int, *, by_path: bool) -> float:
    """The makespan when jobs take turns; without `by_path` the first to come is served first."""
    remaining = dependency_graph.longest_remaining(dag.upstream, dag.usual)
    dependents = dependency_graph.downstream(dag.upstream)
    table, clock = FakeRunTable(default_limit=slots), Clock(dag)
    table.create_jobs(
        [
            JobRecord(
                "run", name, "spark", "Bench", "2026-11-21", Progress.PLANNED,
                waiting_on=frozenset(needed),
                dependents=tuple(dependents[name]),
                priority=round(remaining[name]) if by_path else 0,
            )
            for name, needed in dag.upstream.items()
        ]
    )  # fmt: skip
    gate = Gate(table, table, clock, lambda: "2026-11-21T05:00:00.000Z", shuffle=lambda _: None)
    taking = TurnTaking(table, clock, gate, lambda: "2026-11-21T05:00:00.000Z")
    for name in sorted(dag.upstream, key=lambda name: -remaining[name] if by_path else 0):
        taking.arrive(JobKey("run", name, 1), name, "arn")
    while clock.running:
        clock.now, name = heapq.heappop(clock.running)
        taking.settle(JobKey("run", name, 1), Ending(Outcome.SUCCEEDED))
    left = [job.job_name for job in table.jobs_by_name.values() if job.outcome is None]
    assert not left, f"{len(left)} jobs have not run"
    return clock.now


def stages(dag: Dag, slots: int) -> float:
    """The makespan with a barrier after each level, each level list-scheduled on the slots."""
    level: dict[str, int] = {}
    for name in dependency_graph.in_order(dag.upstream, lambda name: (0, name)):
        level[name] = 1 + max((level[other] for other in dag.upstream[name]), default=0)
    now = 0.0
    for number in range(1, max(level.values()) + 1):
        ends = [now] * min(slots, len(level))
        for name in sorted(n for n, of in level.items() if of == number):
            heapq.heapreplace(ends, ends[0] + dag.seconds[name])
        now = max(ends)
    return now


def measure(dags: int) -> list[dict[str, float | str]]:
    """One row per DAG and number of slots."""
    rows: list[dict[str, float | str]] = []
    for seed in range(dags):
        dag = random_dag(seed)
        for slots in SLOTS:
            took = turns(dag, slots, by_path=True)
            rows.append(
                {
                    "width": dag.width,
                    "slots": slots,
                    "ratio": took / dag.bound(slots),
                    "over_stages": stages(dag, slots) / took,
                    "over_first_come": turns(dag, slots, by_path=False) / took,
                }
            )
    return rows


def average(rows: list[dict[str, float | str]], name: str) -> float:
    """The mean of a column."""
    return mean(float(row[name]) for row in rows)


def main() -> None:
    """Print the table, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--dags", type=int, default=DAGS)
    arguments = parser.parse_args()
    rows = measure(arguments.dags)
    details = [
        {
            "width": width,
            "slots": "unlimited" if slots == UNLIMITED else slots,
            "ratio_to_bound": round(average(some, "ratio"), 4),
            "speedup_over_stages": round(average(some, "over_stages"), 3),
            "speedup_over_first_come": round(average(some, "over_first_come"), 3),
        }
        for width in WIDTHS
        for slots in SLOTS
        if (some := [row for row in rows if (row["width"], row["slots"]) == (width, slots)])
    ]
    free = [row for row in rows if row["slots"] == UNLIMITED]
    bounded = [row for row in rows if row["slots"] != UNLIMITED]
    result = {
        "dags": arguments.dags,
        "ratio_to_bound_unlimited": round(average(free, "ratio"), 4),
        "ratio_to_bound_slots": round(average(bounded, "ratio"), 4),
        "speedup_over_stages": round(average(rows, "over_stages"), 3),
        "speedup_over_first_come": round(average(rows, "over_first_come"), 3),
        "details": details,
    }
    if arguments.json:
        print(json.dumps(result))
        return
    print(f"{'width':<8}{'slots':>10}{'to bound':>10}{'vs stages':>11}{'vs first come':>15}")
    for each in details:
        print(
            f"{each['width']:<8}{each['slots']:>10}{each['ratio_to_bound']:>10}"
            f"{each['speedup_over_stages']:>11}{each['speedup_over_first_come']:>15}"
        )
    for name in list(result)[1:5]:
        print(f"{name:<28}{result[name]}")


if __name__ == "__main__":
    main()
