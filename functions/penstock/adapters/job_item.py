"""A job of a run as an item of the run table, and back."""

from __future__ import annotations

from typing import Any, Final

from penstock.adapters.attribute_values import from_item, to_item
from penstock.domain.figures import Figures
from penstock.domain.history import History
from penstock.domain.job_record import JobRecord
from penstock.domain.outcome import state_from_text
from penstock.domain.rejects_report import RejectsReport

_TEXTS: Final = {
    "job_id": "JobId",
    "job_name": "JobName",
    "job_type": "JobType",
    "category": "Category",
    "logical_date": "LogicalDate",
    "pool": "Pool",
    "error": "Error",
    "cause": "Cause",
    "blocked_by": "BlockedBy",
    "lane": "Lane",
}
_OPTIONAL: Final = {
    "task_token": "TaskToken",
    "execution_arn": "ExecutionArn",
    "arrived_at": "ArrivedAt",
    "started_at": "StartedAt",
    "ended_at": "EndedAt",
    "stuck_at": "StuckAt",
    "expected_rows": "ExpectedRows",
}
_FIGURES: Final = {
    "rows_read": "RowsRead",
    "rows_written": "RowsWritten",
    "rows_rejected": "RowsRejected",
    "rows_filtered": "RowsFiltered",
    "bytes": "Bytes",
    "seconds": "Seconds",
    "dpu_seconds": "DpuSeconds",
    "dollars": "Dollars",
}


def run_key(job_id: str) -> str:
    """Return the partition in which a run and its jobs lie."""
    return f"RUN#{job_id}"


def job_key(job_id: str, job_name: str) -> dict[str, Any]:
    """Return the key of a job's item."""
    return {"PK": {"S": run_key(job_id)}, "SK": {"S": f"JOB#{job_name}"}}


def figures_attributes(figures: Figures) -> dict[str, float | int | None]:
    """Return the attributes for the figures; None where unknown."""
    return {attribute: getattr(figures, name) for name, attribute in _FIGURES.items()}


def job_item(job: JobRecord, expires_at: int) -> dict[str, Any]:
    """Return the item of a job that is planned, or that will not run."""
    values = {attribute: getattr(job, name) or None for name, attribute in _TEXTS.items()}
    values |= {attribute: getattr(job, name) for name, attribute in _OPTIONAL.items()}
    values |= {
        "State": str(job.state),
        "Attempt": job.attempt,
        "WaitingOn": set(job.waiting_on),
        "Dependents": list(job.dependents),
        "Priority": job.priority,
        "FailedBefore": job.failed_before,
        "Retries": job.retries or None,
        "Recent": job.history.to_text() or None,
        "ExpiresAt": expires_at,
    }
    values |= figures_attributes(job.figures)
    return job_key(job.job_id, job.job_name) | to_item(values)


def job_of_item(item: dict[str, Any]) -> JobRecord:
    """Return the job that the item holds."""
    values = from_item(item)
    texts: dict[str, Any] = {name: values.get(attr, "") for name, attr in _TEXTS.items()}
    optional: dict[str, Any] = {name: values.get(attr) for name, attr in _OPTIONAL.items()}
    return JobRecord(
        **texts,
        **optional,
        state=state_from_text(values["State"]),
        attempt=values["Attempt"],
        waiting_on=frozenset(values.get("WaitingOn", ())),
        dependents=tuple(values.get("Dependents", ())),
        priority=values["Priority"],
        failed_before=values["FailedBefore"],
        retries=values.get("Retries", 0),
        rejects=RejectsReport.from_attribute(values.get("Rejects")),
        history=History.from_text(values.get("Recent")),
        figures=Figures(**{name: values.get(attribute) for name, attribute in _FIGURES.items()}),
    )
