"""A run as a person looks at it: its jobs with their states, out of the run table."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

ENDED = frozenset({"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "BLOCKED", "SKIPPED", "INVALID"})


@dataclass(frozen=True, slots=True)
class JobView:
    """One job of a run; counts are None where the job reported none, `seconds` until it runs."""

    name: str
    type: str
    state: str
    rows_read: int | None
    rows_written: int | None
    rows_rejected: int | None
    seconds: float | None
    error: str | None

    @property
    def ended(self) -> bool:
        """Whether the job has its outcome."""
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class RunView:
    """A run with its jobs in the order of the plan."""

    job_id: str
    logical_date: str | None
    verdict: str | None
    digest: str | None
    jobs: tuple[JobView, ...]


def read(table: Any, job_id: str) -> RunView:
    """The run with this job ID as the run table has it now."""
    items: list[dict[str, Any]] = []
    request: dict[str, Any] = {
        "KeyConditionExpression": "PK = :run",
        "ExpressionAttributeValues": {":run": f"RUN#{job_id}"},
        "ConsistentRead": True,
    }
    while True:
        page = table.query(**request)
        items += page["Items"]
        if "LastEvaluatedKey" not in page:
            break
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
    run: dict[str, Any] = next((item for item in items if item["SK"] == "RUN"), {})
    jobs = [item for item in items if item["SK"].startswith("JOB#")]
    return RunView(
        job_id=job_id,
        logical_date=run.get("LogicalDate"),
        verdict=run.get("Verdict"),
        digest=run.get("Digest"),
        jobs=tuple(map(_job, sorted(jobs, key=lambda item: item.get("Position", 0)))),
    )


def _job(item: dict[str, Any]) -> JobView:
    return JobView(
        name=item["JobName"],
        type=item.get("JobType", ""),
        state=item["State"],
        rows_read=_count(item.get("RowsRead")),
        rows_written=_count(item.get("RowsWritten")),
        rows_rejected=_count(item.get("RowsRejected")),
        seconds=_seconds(item),
        error=item.get("Cause"),
    )


def _count(value: Any) -> int | None:
    return None if value is None else int(value)


def _seconds(item: dict[str, Any]) -> float | None:
    if item.get("Seconds") is not None:
        return float(item["Seconds"])
    if item["State"] == "RUNNING" and item.get("StartedAt"):
        started = dt.datetime.fromisoformat(item["StartedAt"])
        return max(0.0, (dt.datetime.now(dt.UTC) - started).total_seconds())
    return None
