"""The jobs of runs as turn-taking changes them: items `RUN#<job id>` / `JOB#<name>`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.adapters.batches import get_all
from penstock.adapters.conditional_update import update_item
from penstock.adapters.expression import Expression
from penstock.adapters.job_item import figures_attributes, job_key, job_of_item
from penstock.domain.ending import BLOCKED_ERROR
from penstock.domain.errors import UnknownJobError
from penstock.domain.outcome import TRANSITIONS, Outcome, Progress, State
from penstock.domain.turn_store import Written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

    from penstock.domain.ending import Ending
    from penstock.domain.job_record import JobKey, JobRecord


class JobItems:
    """The jobs of the run table (`penstock.domain.turn_store.JobStore`)."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def arrive(self, key: JobKey, token: str, execution_arn: str, now: str) -> Written:
        """Store the token of a PLANNED or WAITING job, now WAITING; `record` is as before."""
        changes = {"TaskToken": token, "ExecutionArn": execution_arn, "ArrivedAt": now}
        expression = Expression()
        condition = _may_become(Progress.WAITING, expression)
        condition += _is_attempt(key, expression)
        return self._become(Progress.WAITING, key, changes, expression, condition, "ALL_OLD")

    def replace_token(self, key: JobKey, token: str, execution_arn: str) -> Written:
        """Store another token for a RUNNING job."""
        changes = {"TaskToken": token, "ExecutionArn": execution_arn}
        expression = Expression()
        condition = f"{expression.name('State')} = {expression.value(str(Progress.RUNNING))}"
        condition += _is_attempt(key, expression)
        return self._become(Progress.RUNNING, key, changes, expression, condition)

    def start(self, key: JobKey, now: str) -> Written:
        """Make a WAITING job that waits on nobody RUNNING."""
        expression = Expression()
        condition = _may_become(Progress.RUNNING, expression) + _is_attempt(key, expression)
        condition += f" AND attribute_not_exists({expression.name('WaitingOn')})"
        return self._become(Progress.RUNNING, key, {"StartedAt": now}, expression, condition)

    def end(self, key: JobKey, ending: Ending, now: str) -> Written:
        """Write the outcome of an attempt that has none."""
        changes = {"EndedAt": now, "Error": ending.error, "Cause": ending.cause}
        expression = Expression()
        condition = _may_become(ending.outcome, expression) + _is_attempt(key, expression)
        further: dict[str, Any] = {**figures_attributes(ending.figures)}
        further["Rejects"] = ending.rejects.to_attribute() if ending.rejects else None
        return self._become(ending.outcome, key, changes | further, expression, condition)

    def block(self, key: JobKey, culprit: str, cause: str, now: str) -> Written:
        """Make a job BLOCKED that has not started, whatever its attempt."""
        changes = {"BlockedBy": culprit, "Error": BLOCKED_ERROR, "Cause": cause, "EndedAt": now}
        expression = Expression()
        condition = _may_become(Outcome.BLOCKED, expression)
        return self._become(Outcome.BLOCKED, key, changes, expression, condition)

    def stop_waiting(self, key: JobKey, upstream: str) -> JobRecord:
        """Take an upstream job out of what the job waits on; return the job after that."""
        expression = Expression()
        update = f"DELETE {expression.name('WaitingOn')} {expression.value({upstream})}"
        condition = f"attribute_exists({expression.name('PK')})"
        return self._write(key, expression, update, condition).record

    def jobs(self, keys: Sequence[JobKey]) -> list[JobRecord]:
        """Return those of the jobs that exist (one request per 100 jobs)."""
        wanted = [job_key(key.job_id, key.job_name) for key in keys]
        return [job_of_item(item) for item in get_all(self._client, self._table, wanted)]

    def _become(
        self,
        state: State,
        key: JobKey,
        changes: dict[str, Any],
        expression: Expression,
        condition: str,
        answer: str = "ALL_NEW",
    ) -> Written:
        update = f"SET {expression.assignments({'State': str(state), **changes})}"
        return self._write(key, expression, update, condition, answer)

    def _write(
        self,
        key: JobKey,
        expression: Expression,
        update: str,
        condition: str,
        answer: str = "ALL_NEW",
    ) -> Written:
        item_key = job_key(key.job_id, key.job_name)
        updated = update_item(
            self._client, self._table, item_key, expression, update, condition, answer
        )
        if not updated.item:
            raise UnknownJobError(f"run {key.job_id} has no job {key.job_name}")
        return Written(job_of_item(updated.item), updated.done)


def _may_become(state: State, expression: Expression) -> str:
    before = [str(former) for former in sorted(TRANSITIONS[state])]
    return f"{expression.name('State')} IN ({expression.values(before)})"


def _is_attempt(key: JobKey, expression: Expression) -> str:
    return f" AND {expression.name('Attempt')} = {expression.value(key.attempt)}"
