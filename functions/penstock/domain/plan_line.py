"""The two forms of a plan in S3: what a child execution gets, and what a person looks up."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class PlanLine(TypedDict):
    """One line of plan.jsonl: the input of the child execution that runs the job."""

    job_id: str
    job_name: str
    job_type: str
    target: str
    arguments: Any
    token: str
    timeout_seconds: int
    worker_type: str | None
    number_of_workers: int | None
    max_capacity: float | None
    attempt: int
    category: str
    logical_date: str
    turn_timeout_seconds: int


class PlanEntry(TypedDict):
    """One job of plan.json, whether it will run or not, with the reason."""

    JobName: str
    JobType: str
    Chosen: str
    Decision: str
    Reason: str
    RunCondition: str
    SkipFlag: bool
    ShouldRunToday: bool
    DependsOn: list[str]
    WaitsOn: list[str]
    Outside: list[str]
    Pool: str
    Priority: int
    Attempt: int
    Problems: list[str]
    FailedBefore: int
    LastFailure: str
    ExpectedRows: int | None
    Recent: str
    Rejects: NotRequired[list[dict[str, Any]]]


class PlanDocument(TypedDict):
    """The whole of plan.json."""

    job_id: str
    category: str
    logical_date: str
    environment: str
    lane: str
    rerun_of: str
    jobs: list[PlanEntry]
    lines: list[PlanLine]
