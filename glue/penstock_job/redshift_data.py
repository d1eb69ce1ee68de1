"""Statements and tables of Redshift through its Data API."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from penstock_job.errors import LoadError
from penstock_job.redshift_columns import RedshiftColumn, read_columns
from penstock_job.redshift_table import RedshiftTarget

logger = logging.getLogger(__name__)
FIRST_POLL_SECONDS = 0.25
LONGEST_POLL_SECONDS = 5.0
TIMEOUT_SECONDS = 3600.0
SUBMISSIONS = 5
# Two transactions that cannot both be: nothing was changed by the one that hears of it.
CONFLICTS = (
    "1023",
    "isolation violation",
    "conflict with concurrent transaction",
    "could not serialize",
    "duplicate key violates unique constraint",  # of the catalog: both create the same table
)


class RedshiftData:
    """Runs statements through the Redshift Data API and waits for their end."""

    def __init__(
        self,
        client: Any = None,
        sleep: Callable[[float], None] = time.sleep,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        self._client = client or boto3.client("redshift-data")
        self._sleep = sleep
        self._timeout = timeout

    def columns(
        self, target: RedshiftTarget, schema: str, table: str
    ) -> Mapping[str, RedshiftColumn]:
        """The columns of a table, none where there is no such table. Raises LoadError."""
        described: list[Mapping[str, Any]] = []
        more: dict[str, str] = {}
        try:
            while True:
                answer = self._client.describe_table(
                    **target.connection(), Schema=schema, Table=table, **more
                )
                described += answer.get("ColumnList", [])
                if not answer.get("NextToken"):
                    return read_columns(described)
                more = {"NextToken": answer["NextToken"]}
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return {}
            raise LoadError(f"{target.address}: {error}") from error
        except BotoCoreError as error:
            raise LoadError(f"{target.address}: {error}") from error

    def run(
        self,
        target: RedshiftTarget,
        statements: Sequence[str],
        name: str,
        token: Callable[[int], str],
    ) -> None:
        """Run the statements as one transaction. Raises LoadError with the statement's error.

        `token` gives the ClientToken of each submission: the same call twice is carried out once.
        A transaction that could not be beside another is submitted again.
        """
        for submission in range(1, SUBMISSIONS + 1):
            error = self._submit(target, statements, name, token(submission))
            if error is None:
                return
            conflict = any(sign in error.lower() for sign in CONFLICTS)
            if not conflict or submission == SUBMISSIONS:
                raise LoadError(f"{target.address}: {error}")
            logger.warning("%s: %s; submitted again", target.address, error)
            self._sleep(random.uniform(0, 2.0**submission))  # noqa: S311 - jitter

    def _submit(
        self, target: RedshiftTarget, statements: Sequence[str], name: str, token: str
    ) -> str | None:
        """The error of the statements, or None when all have been carried out."""
        try:
            answer = self._client.batch_execute_statement(
                **target.connection(),
                Sqls=list(statements),
                StatementName=name[:500],
                ClientToken=token,
            )
            return self._wait(answer["Id"], target)
        except (ClientError, BotoCoreError) as error:
            raise LoadError(f"{target.address}: {error}") from error

    def _wait(self, statement_id: str, target: RedshiftTarget) -> str | None:
        pause, waited = FIRST_POLL_SECONDS, 0.0
        while waited <= self._timeout:
            statement = self._client.describe_statement(Id=statement_id)
            status = statement["Status"]
            if status == "FINISHED":
                return None
            if status in ("FAILED", "ABORTED"):
                return statement.get("Error") or f"the statement was {status.lower()}"
            self._sleep(pause)
            waited += pause
            pause = min(LONGEST_POLL_SECONDS, pause * 1.5)
        self._client.cancel_statement(Id=statement_id)
        raise LoadError(f"{target.address}: no end after {waited:.0f} s; it was cancelled")
