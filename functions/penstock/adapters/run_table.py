"""The run table: runs, the list of runs, and the jobs of a run as a whole.

RUN#<job id>  RUN         a run
RUN#<job id>  JOB#<name>  a job of it, see job_items.py
RUNS          <job id>    the list of runs, which sorts by time

CATEGORY#<category>   <logical date>#<job id>   the runs of a category by the day they are for
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from penstock.adapters.attribute_values import from_item, to_item
from penstock.adapters.batches import get_all
from penstock.adapters.conditional_update import update_item
from penstock.adapters.expression import Expression
from penstock.adapters.job_item import job_item, job_key, job_of_item, run_key
from penstock.adapters.transaction import write_all
from penstock.domain.outcome import Outcome, Progress, Verdict
from penstock.domain.run_record import RunRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

    from penstock.domain.job_record import JobKey, JobRecord

_TRANSACTION: Final = 100
_RUN: Final = {
    "job_id": "JobId",
    "category": "Category",
    "logical_date": "LogicalDate",
    "trigger": "Trigger",
    "lane": "Lane",
    "rerun_of": "RerunOf",
    "duplicate_of": "DuplicateOf",
    "seconds": "Seconds",
    "dpu_seconds": "DpuSeconds",
    "dollars": "Dollars",
    "execution_arn": "ExecutionArn",
    "started_at": "StartedAt",
    "plan_key": "PlanKey",
    "planned": "Planned",
    "left_out": "LeftOut",
    "invalid": "Invalid",
    "outcomes": "Outcomes",
    "unlogged_runs": "UnloggedRuns",
}
_LINE: Final = (
    "JobId", "Category", "LogicalDate", "StartedAt", "Trigger", "Lane", "RerunOf", "DuplicateOf",
    "EndedAt", "Verdict",
)  # fmt: skip


class RunTable:
    """Runs with their jobs, which expire together."""

    def __init__(
        self,
        client: DynamoDBClient,
        table: str,
        expires_at: Callable[[], int],
        fan_out: Callable[[Callable[[Any], None], Iterable[Any]], Iterable[None]] = map,
    ) -> None:
        self._fan_out = fan_out
        self._client = client
        self._table = table
        self._expires_at = expires_at

    def create_jobs(self, jobs: Sequence[JobRecord]) -> None:
        """Put the jobs that are not there yet, and never touch one that is.

        In transactions of 100 with a condition on each: a second invocation for the same run, or
        one that comes back to life after the run has started, finds its hundred there.
        """
        expires_at = self._expires_at()

        def create(start: int) -> None:
            write_all(
                self._client,
                [
                    {
                        "Put": {
                            "TableName": self._table,
                            "Item": job_item(job, expires_at),
                            "ConditionExpression": "attribute_not_exists(PK)",
                        }
                    }
                    for job in jobs[start : start + _TRANSACTION]
                ],
            )

        list(self._fan_out(create, range(0, len(jobs), _TRANSACTION)))

    def jobs_of(self, job_id: str) -> list[JobRecord]:
        """Return all jobs of a run by name, consistently read (one request per megabyte)."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="PK = :run AND begins_with(SK, :job)",
            ExpressionAttributeValues={":run": {"S": run_key(job_id)}, ":job": {"S": "JOB#"}},
            ConsistentRead=True,
        )
        return [job_of_item(dict(item)) for page in pages for item in page["Items"]]

    def run(self, job_id: str) -> RunRecord | None:
        """Return a run, or None if it was never planned."""
        answer = self._client.get_item(
            TableName=self._table, Key=_run_item_key(job_id), ConsistentRead=True
        )
        return _run_of(dict(answer["Item"])) if "Item" in answer else None

    def backlog(self, job_id: str, unlogged: Iterable[str]) -> list[str]:
        """Return the earlier runs that this run has to log: the given ones and their own backlog.

        What an earlier attempt at planning this run has found is not forgotten.
        """
        found = dict.fromkeys(unlogged)
        for other in [job_id, *found] if found else []:
            run = self.run(other)
            found |= dict.fromkeys(run.unlogged_runs if run else ())
        return [other for other in found if other != job_id]

    def unlogged_by(self, run: RunRecord) -> list[RunRecord]:
        """Return the earlier runs that this one has to log, as far as they have not expired."""
        found = [self.run(job_id) for job_id in run.unlogged_runs]
        return [other for other in found if other is not None]

    def save(self, run: RunRecord) -> RunRecord:
        """Write what is known of a run and its line in the list; a run ends only once."""
        values = {attribute: getattr(run, name) for name, attribute in _RUN.items()}
        values["UnloggedRuns"] = list(run.unlogged_runs) or None
        values |= {"Verdict": run.verdict and str(run.verdict), "ExpiresAt": self._expires_at()}
        written = self._write(_run_item_key(run.job_id), values, run.ended_at)
        line = {attribute: values.get(attribute) for attribute in (*_LINE, "ExpiresAt")}
        self._write(to_item({"PK": "RUNS", "SK": run.job_id}), line, run.ended_at)
        if run.category and run.logical_date:
            day = {"PK": f"CATEGORY#{run.category}", "SK": f"{run.logical_date}#{run.job_id}"}
            self._write(to_item(day), line, run.ended_at)
        return _run_of(written)

    def runs_for(self, category: str, logical_date: str) -> list[RunRecord]:
        """Return the runs of a category for a day, the oldest first, as their lines have them."""
        return self._lines(f"CATEGORY#{category}", f"{logical_date}#", f"{logical_date}#~")

    def runs_since(self, job_id: str) -> list[RunRecord]:
        """Return all runs from a job ID (or a time like its beginning) on, the oldest first."""
        return self._lines("RUNS", job_id, "~")

    def latest_jobs(
        self, category: str, logical_date: str, names: Iterable[str]
    ) -> dict[str, JobRecord]:
        """Return for each of the jobs its newest record for the day, if it was not left out."""
        runs = self.runs_for(category, logical_date)
        keys = [job_key(run.job_id, name) for run in runs for name in sorted(set(names))]
        found = map(job_of_item, get_all(self._client, self._table, keys))
        latest: dict[str, JobRecord] = {}
        for job in sorted(found, key=lambda job: job.job_id):
            if job.outcome is not Outcome.SKIPPED:
                latest[job.job_name] = job
        return latest

    def mark_stuck(self, key: JobKey, now: str) -> None:
        """Note that people know how long the job takes, unless it has ended meanwhile."""
        expression = Expression()
        update = f"SET {expression.assignments({'StuckAt': now})}"
        condition = (
            f"{expression.name('State')} = {expression.value(str(Progress.RUNNING))} AND "
            f"{expression.name('Attempt')} = {expression.value(key.attempt)} AND "
            "attribute_not_exists(StuckAt)"
        )
        item_key = job_key(key.job_id, key.job_name)
        update_item(self._client, self._table, item_key, expression, update, condition)

    def _lines(self, key: str, first: str, last: str) -> list[RunRecord]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="PK = :key AND SK BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":key": {"S": key}, ":first": {"S": first}, ":last": {"S": last},
            },
            ConsistentRead=True,
        )  # fmt: skip
        return [_run_of(dict(item)) for page in pages for item in page["Items"]]

    def _write(
        self, key: dict[str, Any], values: dict[str, Any], ended_at: str | None
    ) -> dict[str, Any]:
        expression = Expression()
        update = f"SET {expression.assignments(values)}"
        if ended_at:
            ended = expression.name("EndedAt")
            update += f", {ended} = if_not_exists({ended}, {expression.value(ended_at)})"
        return update_item(self._client, self._table, key, expression, update).item


def _run_item_key(job_id: str) -> dict[str, Any]:
    return {"PK": {"S": run_key(job_id)}, "SK": {"S": "RUN"}}


def _run_of(item: dict[str, Any]) -> RunRecord:
    values = from_item(item)
    known: dict[str, Any] = {
        name: values[attribute] for name, attribute in _RUN.items() if attribute in values
    }
    known["unlogged_runs"] = tuple(known.get("unlogged_runs", ()))
    verdict = values.get("Verdict")
    return RunRecord(
        **known,
        ended_at=values.get("EndedAt"),
        verdict=Verdict(verdict) if verdict else None,
    )
