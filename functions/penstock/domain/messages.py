"""What the state machine says to the functions and hears from them."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

Json = Any


class GenerateJobIdRequest(TypedDict):
    """Input of Generate Job ID."""

    execution_arn: str
    started_at: str


class GenerateJobIdResponse(TypedDict):
    """Output of Generate Job ID; job_id is `20261121T050000Z-<uuid4>`."""

    job_id: str
    started_at: str


class RunRequest(TypedDict):
    """Input of the state machine: a category, tables to extract, or a run to run again.

    `jobs` limits a rerun to these jobs; `lane` is `backfill` for days that are past.
    """

    category: NotRequired[str]
    rerun_of: NotRequired[str]
    jobs: NotRequired[list[str]]
    tables_to_extract: NotRequired[Json]
    extract_config: NotRequired[str]
    overrides: NotRequired[Json]
    lane: NotRequired[str]
    logical_date: NotRequired[str]
    scheduled_time: NotRequired[str]
    trigger: NotRequired[str]


class PlanRunRequest(TypedDict):
    """Input of Plan Run; `input` is the input of the execution."""

    job_id: str
    execution_arn: str
    started_at: str
    input: RunRequest


class PlanCounts(TypedDict):
    """How many jobs will run, will not run for a good reason, and cannot run."""

    planned: int
    left_out: int
    invalid: int


class PlanRunResponse(TypedDict):
    """Output of Plan Run."""

    job_id: str
    category: str
    logical_date: str
    plan_bucket: str
    plan_key: str
    counts: PlanCounts
    lane: str
    duplicate_of: str | None


class AwaitTurnRequest(TypedDict):
    """Input of Await Turn; `execution_arn` is the child's."""

    job_id: str
    job_name: str
    attempt: int
    task_token: str
    execution_arn: str


class AwaitTurnResponse(TypedDict):
    """What Await Turn returns to Lambda; the state itself ends by the task token."""

    state: str


class Failure(TypedDict):
    """The error of a state, with the state's name."""

    state: str
    error: str | None
    cause: str | None


class SettleJobRequest(TypedDict):
    """Input of Settle Job (`result`) and of Settle Failed Job (`failure`)."""

    job_id: str
    job_name: str
    attempt: int
    result: NotRequired[Json]
    failure: NotRequired[Failure]


class SettleJobResponse(TypedDict):
    """Output of Settle Job and of Settle Failed Job; error and cause are for people."""

    outcome: str
    error: NotRequired[str]
    cause: NotRequired[str]


class CloseRunRequest(TypedDict):
    """Input of Close Run, which knows little of a run that could not be planned.

    `input` is the input of the execution, `failure` the error of planning or of the map.
    """

    job_id: str
    category: NotRequired[str | None]
    logical_date: NotRequired[str | None]
    lane: NotRequired[str]
    duplicate_of: NotRequired[str | None]
    execution_arn: str
    started_at: str
    input: NotRequired[RunRequest]
    failure: NotRequired[Failure | None]


class SqlParameter(TypedDict):
    """A named parameter of a statement, as `aws-sdk:redshiftdata` spells it."""

    Name: str
    Value: str


class LogStatement(TypedDict):
    """The Arguments of `aws-sdk:redshiftdata:batchExecuteStatement`."""

    WorkgroupName: NotRequired[str]
    ClusterIdentifier: NotRequired[str]
    Database: str
    SecretArn: NotRequired[str]
    Sqls: list[str]
    Parameters: list[SqlParameter]
    ClientToken: str
    StatementName: str


class CloseRunResponse(TypedDict):
    """Output of Close Run."""

    verdict: str
    subject: str
    digest: str
    log_statement: LogStatement | None


class ReconcileRunsRequest(TypedDict):
    """Input of Reconcile Runs; `check` is `runs`, every few minutes, or `silent`, every hour."""

    check: str
