"""A run as a person looks at it: its jobs in the order of the plan, with their states."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from penstock.adapters.run_table import RunTable
from penstock.domain.job_record import JobRecord


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
    ended: bool


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as it stands; the verdict is None while it is open."""

    job_id: str
    logical_date: str | None
    verdict: str | None
    jobs: tuple[JobView, ...]


class Runs:
    """The runs of a stack, read as often as a display wants them."""

    def __init__(self, dynamodb: Any, s3: Any, run_table: str, data_bucket: str) -> None:
        self._table = RunTable(dynamodb, run_table, expires_at=lambda: 0)
        self._s3 = s3
        self._bucket = data_bucket
        self._order: dict[str, list[str]] = {}

    def read(self, job_id: str) -> RunView:
        """The run with this job ID as the run table has it now."""
        run = self._table.run(job_id)
        jobs = self._table.jobs_of(job_id)
        order = self._planned_order(job_id, run.plan_key if run else "")
        jobs.sort(key=lambda job: order.get(job.job_name, len(order)))
        return RunView(
            job_id=job_id,
            logical_date=run.logical_date or None if run else None,
            verdict=str(run.verdict) if run and run.verdict else None,
            jobs=tuple(map(_view, jobs)),
        )

    def _planned_order(self, job_id: str, plan_key: str) -> dict[str, int]:
        """The position of each job in the plan, which does not change once it is there."""
        if job_id not in self._order:
            if not plan_key:
                return {}
            plan = self._s3.get_object(Bucket=self._bucket, Key=plan_key)["Body"].read()
            self._order[job_id] = _names(plan.decode().splitlines())
        return {name: position for position, name in enumerate(self._order[job_id])}


def _names(lines: Sequence[str]) -> list[str]:
    return [json.loads(line)["job_name"] for line in lines if line.strip()]


def _view(job: JobRecord) -> JobView:
    return JobView(
        name=job.job_name,
        type=job.job_type,
        state=str(job.shown_state),
        rows_read=job.figures.rows_read,
        rows_written=job.figures.rows_written,
        rows_rejected=job.figures.rows_rejected,
        seconds=_seconds(job),
        error=job.cause or None,
        ended=job.outcome is not None,
    )


def _seconds(job: JobRecord) -> float | None:
    if job.outcome is not None:
        return job.seconds
    if job.started_at is None:
        return None
    return (dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(job.started_at)).total_seconds()
