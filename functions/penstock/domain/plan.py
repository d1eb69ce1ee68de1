"""The plan of a run: what runs, in which order and with which arguments, and what does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from penstock.domain import dependency_graph
from penstock.domain.control_row import HIGHEST_PRIORITY, ControlRow, RowReading
from penstock.domain.decision import Day, Decision, decide
from penstock.domain.history import History
from penstock.domain.job_record import JobRecord
from penstock.domain.lane import Lane
from penstock.domain.outcome import Outcome, Progress, State, state_from_text
from penstock.domain.placeholder import REJECTS_PATH, fill
from penstock.domain.plan_entry import entry_without_row, plan_entry
from penstock.domain.plan_line import PlanDocument, PlanEntry, PlanLine
from penstock.domain.task_arguments import JobTask, start_token, task_arguments

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from penstock.domain.messages import PlanCounts
    from penstock.domain.site import Site

TYPICAL_SECONDS: Final = 60.0
"""The run time assumed of a job that has never run, when paths are compared."""
TURN_TIMEOUT_SECONDS: Final = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What every job of a run is told."""

    job_id: str
    category: str
    logical_date: str
    site: Site
    lane: str = Lane.LIVE
    rerun_of: str = ""

    def placeholders(self) -> dict[str, str]:
        """Return what `{name}` stands for in a row's Target and Arguments."""
        own = {"job_id": self.job_id, "category": self.category, "logical_date": self.logical_date}
        return own | self.site.placeholders()

    def contract(self, job_name: str, attempt: int, *, retries: bool = False) -> dict[str, str]:
        """Return the arguments that every job is given, and one more if it retries rejects."""
        result = result_key(self.job_id, job_name, attempt)
        listed = f"s3://{self.site.data_bucket}/{retries_key(self.job_id, job_name, attempt)}"
        return {
            "--job_id": self.job_id,
            "--job_name": job_name,
            "--category": self.category,
            "--logical_date": self.logical_date,
            "--attempt": str(attempt),
            "--result_path": f"s3://{self.site.data_bucket}/{result}",
            "--data_path": self.site.data_path,
            **({REJECTS_PATH: listed} if retries else {}),
        }


def result_key(job_id: str, job_name: str, attempt: int) -> str:
    """Return the key of the file in which a job may report what it did."""
    return f"runs/{job_id}/jobs/{job_name}/{attempt}/result.json"


def retries_key(job_id: str, job_name: str, attempt: int) -> str:
    """Return the key of the file that lists the rejects that a job is to try again."""
    return f"runs/{job_id}/jobs/{job_name}/{attempt}/rejects.json"


def plan_key(job_id: str) -> str:
    """Return the key of the plan that the map over the jobs reads."""
    return f"runs/{job_id}/plan.jsonl"


def document_key(job_id: str) -> str:
    """Return the key of the plan with every job of the category, for people and for repeats."""
    return f"runs/{job_id}/plan.json"


def make_plan(readings: Sequence[RowReading], facts: RunFacts, day: Day) -> PlanDocument:
    """Decide on every row and write the plan down, in an order in which the jobs could run."""

    lines: dict[str, PlanLine] = {}

    def check(row: ControlRow) -> None:
        retries = bool(day.rejects.get(row.job_name))
        lines[row.job_name] = _line(row, facts, attempt(row), retries=retries)

    def attempt(row: ControlRow) -> int:
        return day.rerun.next_attempt(row.job_name) if day.rerun else 1

    decisions = decide(readings, day, check)
    planned = {
        name: list(decision.waits_on) for name, decision in decisions.items() if decision.is_planned
    }
    graph = {name: [n for n in needed if n in planned] for name, needed in planned.items()}
    priorities = _priorities(graph, decisions)
    ordered = dependency_graph.in_order(graph, lambda name: (-priorities[name], name))
    order = [*ordered, *(name for name in decisions if name not in priorities)]
    entries = [
        plan_entry(decisions[name], day, priorities.get(name, 0), attempt(decisions[name].row))
        for name in order
    ]
    if day.rerun is None:
        gone = sorted(day.failed.keys() - decisions.keys())
        entries += [entry_without_row(day.failed[name]) for name in gone]
    return PlanDocument(
        job_id=facts.job_id,
        category=facts.category,
        logical_date=facts.logical_date,
        environment=facts.site.environment,
        lane=facts.lane,
        rerun_of=facts.rerun_of,
        jobs=entries,
        lines=[lines[name] for name in ordered],
    )


def job_records(plan: PlanDocument) -> list[JobRecord]:
    """Return the items of the run table for every job of the plan, run or not."""
    planned = {
        entry["JobName"]: [name for name in entry["WaitsOn"] if name not in entry["Outside"]]
        for entry in plan["jobs"]
        if entry["Decision"] == Progress.PLANNED
    }
    dependents = dependency_graph.downstream(planned)
    return [
        JobRecord(
            job_id=plan["job_id"],
            job_name=entry["JobName"],
            job_type=entry["JobType"],
            category=plan["category"],
            logical_date=plan["logical_date"],
            state=_state(entry),
            waiting_on=frozenset(entry["WaitsOn"]),
            dependents=tuple(dependents.get(entry["JobName"], ())),
            pool=entry["Pool"],
            priority=entry["Priority"],
            failed_before=entry["FailedBefore"],
            retries=len(entry.get("Rejects", ())),
            attempt=entry["Attempt"],
            lane=plan["lane"],
            history=History.from_text(entry["Recent"]),
            expected_rows=entry["ExpectedRows"],
            cause="" if entry["Decision"] == Progress.PLANNED else entry["Reason"],
        )
        for entry in plan["jobs"]
    ]


def counts_of(plan: PlanDocument) -> PlanCounts:
    """Count the jobs that run, those that do not for a reason, and those with a bad row."""
    decisions = [entry["Decision"] for entry in plan["jobs"]]
    planned, invalid = decisions.count("PLANNED"), decisions.count(Outcome.INVALID)
    return {
        "planned": planned,
        "left_out": len(decisions) - planned - invalid,
        "invalid": invalid,
    }


def _state(entry: PlanEntry) -> State:
    return state_from_text(entry["Decision"])


def _priorities(
    planned: Mapping[str, list[str]], decisions: Mapping[str, Decision]
) -> dict[str, int]:
    """Return the given priority, else the seconds of the longest path that begins with the job."""
    seconds = {name: usual_seconds(decisions[name].row) for name in planned}
    remaining = dependency_graph.longest_remaining(planned, seconds)
    return {
        name: given if (given := decisions[name].row.priority) is not None
        else min(round(remaining[name]), HIGHEST_PRIORITY)
        for name in planned
    }  # fmt: skip


def usual_seconds(row: ControlRow) -> float:
    """Return how long the job usually takes; of one that has never run, a guess."""
    return row.recorded.history.seconds or row.last_seconds or TYPICAL_SECONDS


def _line(row: ControlRow, facts: RunFacts, attempt: int, *, retries: bool) -> PlanLine:
    """Return what the child execution gets; raise BadValueError if a text cannot be filled in."""
    values = facts.placeholders()
    contract = facts.contract(row.job_name, attempt, retries=retries)
    token = start_token(facts.job_id, row.job_name, attempt)
    return PlanLine(
        job_id=facts.job_id,
        job_name=row.job_name,
        job_type=row.job_type,
        target=fill(row.target, values),
        arguments=task_arguments(JobTask.of(row), contract, values, token, facts.site.redshift),
        token=token,
        timeout_seconds=row.timeout_minutes * 60,
        worker_type=row.worker_type,
        number_of_workers=row.number_of_workers,
        max_capacity=row.max_capacity,
        attempt=attempt,
        category=facts.category,
        logical_date=facts.logical_date,
        turn_timeout_seconds=TURN_TIMEOUT_SECONDS,
    )
