"""The plan of a run: what runs, in which order and with which arguments, and what does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from penstock.domain import dependency_graph
from penstock.domain.control_row import HIGHEST_PRIORITY, ControlRow, RowReading
from penstock.domain.decision import Day, Decision, decide
from penstock.domain.failed_job import FailedJob
from penstock.domain.job_record import JobRecord
from penstock.domain.outcome import Outcome, State, state_from_text
from penstock.domain.placeholder import fill, job_arguments
from penstock.domain.plan_line import PlanDocument, PlanEntry, PlanLine

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

    def placeholders(self) -> dict[str, str]:
        """Return what `{name}` stands for in a row's Target and Arguments."""
        own = {"job_id": self.job_id, "category": self.category, "logical_date": self.logical_date}
        return own | self.site.placeholders()

    def contract(self, job_name: str, attempt: int) -> dict[str, str]:
        """Return the arguments that every job is given."""
        result = result_key(self.job_id, job_name, attempt)
        return {
            "--job_id": self.job_id,
            "--job_name": job_name,
            "--category": self.category,
            "--logical_date": self.logical_date,
            "--attempt": str(attempt),
            "--result_path": f"s3://{self.site.data_bucket}/{result}",
            "--data_path": self.site.data_path,
        }


def result_key(job_id: str, job_name: str, attempt: int) -> str:
    """Return the key of the file in which a job may report what it did."""
    return f"runs/{job_id}/jobs/{job_name}/{attempt}/result.json"


def plan_key(job_id: str) -> str:
    """Return the key of the plan that the map over the jobs reads."""
    return f"runs/{job_id}/plan.jsonl"


def document_key(job_id: str) -> str:
    """Return the key of the plan with every job of the category, for people and for repeats."""
    return f"runs/{job_id}/plan.json"


def make_plan(readings: Sequence[RowReading], facts: RunFacts, day: Day) -> PlanDocument:
    """Decide on every row and write the plan down, in an order in which the jobs could run."""

    def check(row: ControlRow) -> None:
        _line(row, facts)

    decisions = decide(readings, day, check)
    planned = {
        name: list(decision.waits_on) for name, decision in decisions.items() if decision.is_planned
    }
    priorities = _priorities(planned, decisions)
    ordered = dependency_graph.in_order(planned, lambda name: (-priorities[name], name))
    entries = [_entry(decisions[name], day, priorities[name]) for name in ordered]
    entries += [
        _entry(decision, day, 0) for decision in decisions.values() if not decision.is_planned
    ]
    entries += [_lost(job) for name, job in sorted(day.failed.items()) if name not in decisions]
    return PlanDocument(
        job_id=facts.job_id,
        category=facts.category,
        logical_date=facts.logical_date,
        environment=facts.site.environment,
        jobs=entries,
        lines=[_line(decisions[name].row, facts) for name in ordered],
    )


def job_records(plan: PlanDocument) -> list[JobRecord]:
    """Return the items of the run table for every job of the plan, run or not."""
    planned = {e["JobName"]: e["WaitsOn"] for e in plan["jobs"] if e["Decision"] == "PLANNED"}
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
            cause="" if entry["Decision"] == "PLANNED" else entry["Reason"],
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
    seconds = {name: decisions[name].row.last_seconds or TYPICAL_SECONDS for name in planned}
    remaining = dependency_graph.longest_remaining(planned, seconds)
    return {
        name: given if (given := decisions[name].row.priority) is not None
        else min(round(remaining[name]), HIGHEST_PRIORITY)
        for name in planned
    }  # fmt: skip


def _line(row: ControlRow, facts: RunFacts) -> PlanLine:
    """Return what the child execution gets; raise ValueError if a text cannot be filled in."""
    attempt = 1
    values = facts.placeholders()
    contract = facts.contract(row.job_name, attempt)
    return PlanLine(
        job_id=facts.job_id,
        job_name=row.job_name,
        job_type=row.job_type,
        target=fill(row.target, values),
        arguments=job_arguments(row.arguments, contract, values),
        timeout_seconds=row.timeout_minutes * 60,
        worker_type=row.worker_type,
        number_of_workers=row.number_of_workers,
        max_capacity=row.max_capacity,
        attempt=attempt,
        category=facts.category,
        logical_date=facts.logical_date,
        turn_timeout_seconds=TURN_TIMEOUT_SECONDS,
    )


def _entry(decision: Decision, day: Day, priority: int) -> PlanEntry:
    row = decision.row
    failed = day.failed.get(row.job_name)
    return PlanEntry(
        JobName=row.job_name,
        JobType=row.job_type,
        Decision=str(decision.state),
        Reason=decision.reason,
        RunCondition=row.run_condition.text,
        SkipFlag=bool(row.skip_flag),
        ShouldRunToday=decision.is_due,
        DependsOn=list(row.depends_on),
        WaitsOn=list(decision.waits_on),
        Pool=row.pool,
        Priority=priority,
        Problems=[str(problem) for problem in decision.problems],
        FailedBefore=failed.times if failed else 0,
    )


def _lost(job: FailedJob) -> PlanEntry:
    """Return the entry of a failed job whose row is gone: nobody can run it, but people hear."""
    return PlanEntry(
        JobName=job.job_name,
        JobType="",
        Decision=str(Outcome.SKIPPED),
        Reason=f"failed in run {job.job_id}, but has no row in the control table any more",
        RunCondition="",
        SkipFlag=False,
        ShouldRunToday=False,
        DependsOn=[],
        WaitsOn=[],
        Pool="",
        Priority=0,
        Problems=[],
        FailedBefore=job.times,
    )
