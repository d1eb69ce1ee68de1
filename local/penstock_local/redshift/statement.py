"""A statement's life, as DescribeStatement tells it."""

from __future__ import annotations

import itertools
import time
import uuid
from concurrent.futures import Future
from enum import StrEnum
from typing import Any

from penstock_local.redshift.outcome import Outcome
from penstock_local.redshift.request import Submission
from penstock_local.redshift.results import ResultSet

_query_ids = itertools.count(1_000)


class Status(StrEnum):
    """The states of the Data API."""

    SUBMITTED = "SUBMITTED"
    PICKED = "PICKED"
    STARTED = "STARTED"
    FINISHED = "FINISHED"
    ABORTED = "ABORTED"
    FAILED = "FAILED"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen."""
        return self in (Status.FINISHED, Status.ABORTED, Status.FAILED)


class SqlRun:
    """One SQL text on its way: a whole statement, or one of a batch."""

    def __init__(self, run_id: str, sql: str) -> None:
        self.id = run_id
        self.sql = sql
        self.query_id = next(_query_ids)
        self.status = Status.SUBMITTED
        self.created_at = self.updated_at = time.time()
        self.duration = 0
        self.error: str | None = None
        self.outcome = Outcome()
        self._started = 0

    @property
    def result(self) -> ResultSet | None:
        """The rows it returned."""
        return self.outcome.result

    def start(self) -> None:
        """It runs."""
        self._started = time.monotonic_ns()
        self._become(Status.STARTED)

    def finish(self, outcome: Outcome) -> None:
        """It did what it should."""
        self.outcome = outcome
        self._become(Status.FINISHED)

    def fail(self, error: str) -> None:
        """It did not."""
        self.error = f"ERROR: {error}"
        self._become(Status.FAILED)

    def abort(self, error: str | None = None) -> None:
        """It was cancelled, or never started because one before it failed."""
        self.error = f"ERROR: {error}" if error else None
        self._become(Status.ABORTED)

    def view(self) -> dict[str, Any]:
        """What DescribeStatement says, of a statement and of a sub-statement alike."""
        shown: dict[str, Any] = {
            "Id": self.id,
            "CreatedAt": self.created_at,
            "UpdatedAt": self.updated_at,
            "Duration": self.duration if self.status.is_final else -1,
            "HasResultSet": self.result is not None,
            "QueryString": self.sql,
            "RedshiftQueryId": self.query_id,
            "ResultRows": self.outcome.rows,
            "ResultSize": self.result.size if self.result else -1 if self.outcome.rows < 0 else 0,
            "Status": self.status,
        }
        if self.error:
            shown["Error"] = self.error
        return shown

    def _become(self, status: Status) -> None:
        self.updated_at = time.time()
        if status.is_final and self._started:
            self.duration = time.monotonic_ns() - self._started
        self.status = status


class Statement:
    """What one call of ExecuteStatement or BatchExecuteStatement started."""

    def __init__(self, submission: Submission) -> None:
        self.id = str(uuid.uuid4())
        self.submission = submission
        self.session_id = submission.session_id
        self.created_at = self.updated_at = time.time()
        self.status = Status.SUBMITTED
        self.error: str | None = None
        # Set once nothing more will happen.
        self.ended: Future[None] = Future()
        self.runs = [
            SqlRun(f"{self.id}:{number}" if submission.is_batch else self.id, sql)
            for number, sql in enumerate(submission.sqls, start=1)
        ]

    @property
    def bytes(self) -> int:
        """What it holds in memory, roughly."""
        return sum(len(sql) for sql in self.submission.sqls)

    def become(self, status: Status, error: str | None = None) -> None:
        """Change the state; a final one wakes whoever waits."""
        self.updated_at = time.time()
        self.error = error
        self.status = status
        if status.is_final and not self.ended.done():
            self.ended.set_result(None)

    def run_of(self, run_id: str) -> SqlRun | None:
        """The sub-statement, or the only run, of this id."""
        return next((run for run in self.runs if run.id == run_id), None)

    def answer(self) -> dict[str, Any]:
        """The answer to the call that started it."""
        shown: dict[str, Any] = {
            "Id": self.id,
            "CreatedAt": self.created_at,
            "Database": self.submission.target.place.database,
            "DbUser": self.submission.target.user,
            "Status": self.status,
            **self.submission.target.given,
        }
        if self.session_id:
            shown["SessionId"] = self.session_id
        if self.status.is_final:
            shown["HasResultSet"] = any(run.result for run in self.runs)
        return shown

    def view(self) -> dict[str, Any]:
        """The answer to DescribeStatement."""
        runs = [run.view() for run in self.runs]
        shown = runs[0] if not self.submission.is_batch else self._batch_view(runs)
        shown |= {
            "Id": self.id,
            "CreatedAt": self.created_at,
            "UpdatedAt": self.updated_at,
            "Status": self.status,
            "Database": self.submission.target.place.database,
            "DbUser": self.submission.target.user,
            "RedshiftPid": 1_073_741_824,
            "ResultFormat": self.submission.result_format,
            **self.submission.target.given,
        }
        if self.error:
            shown["Error"] = self.error
        if self.submission.parameters:
            shown["QueryParameters"] = list(self.submission.parameters)
        if self.session_id:
            shown["SessionId"] = self.session_id
        return shown

    def _batch_view(self, runs: list[dict[str, Any]]) -> dict[str, Any]:
        """A batch adds up its sub-statements."""
        mode = "AUTO_COMMIT" if self.submission.auto_commit else "TRANSACTION"
        return {
            "SubStatements": runs,
            "ExecutionMode": mode,
            "HasResultSet": any(run["HasResultSet"] for run in runs),
            "RedshiftQueryId": 0,
            **{
                name: _sum([run[name] for run in runs])
                for name in ("Duration", "ResultRows", "ResultSize")
            },
        }

    def summary(self) -> dict[str, Any]:
        """The entry in ListStatements."""
        shown: dict[str, Any] = {
            "Id": self.id,
            "CreatedAt": self.created_at,
            "UpdatedAt": self.updated_at,
            "Status": self.status,
            "IsBatchStatement": self.submission.is_batch,
            "ResultFormat": self.submission.result_format,
        }
        if self.submission.is_batch:
            shown["QueryStrings"] = list(self.submission.sqls)
        else:
            shown["QueryString"] = self.submission.sqls[0]
        if self.submission.name:
            shown["StatementName"] = self.submission.name
        if self.submission.parameters:
            shown["QueryParameters"] = list(self.submission.parameters)
        if "SecretArn" in self.submission.target.given:
            shown["SecretArn"] = self.submission.target.given["SecretArn"]
        if self.session_id:
            shown["SessionId"] = self.session_id
        return shown


def _sum(numbers: list[int]) -> int:
    known = [number for number in numbers if number >= 0]
    return sum(known) if known else -1
