"""All statements of the last day, within bounds."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

from penstock_local.redshift.caller import Caller
from penstock_local.redshift.errors import ApiError
from penstock_local.redshift.statement import SqlRun, Statement

RETENTION_SECONDS = 24 * 3600
TOKEN_SECONDS = 8 * 3600
ACTIVE_STATEMENTS = 500

# Bounds of this machine, not of AWS: the oldest ended statements go first.
KEPT_STATEMENTS = 10_000
KEPT_SQL_BYTES = 64 * 1024 * 1024
KEPT_RESULT_BYTES = 2 * 1024 * 1024 * 1024


class Ledger:
    """Statements by id, and by client token."""

    def __init__(self) -> None:
        self._statements: OrderedDict[str, Statement] = OrderedDict()
        self._tokens: dict[tuple[str, str], tuple[float, Statement]] = {}
        self._lock = threading.Lock()

    def repeated(self, caller: Caller, token: str | None) -> Statement | None:
        """The statement that a call with this token has started before."""
        with self._lock:
            found = self._tokens.get((caller.identity, token or ""))
            if found and time.time() - found[0] < TOKEN_SECONDS:
                return found[1]
        return None

    def add(self, statement: Statement) -> Statement:
        """Remember a new statement, or return the one that the same token has started meanwhile.

        Raises ActiveStatementsExceededException.
        """
        with self._lock:
            self._prune()
            token = statement.submission.token
            key = (statement.submission.caller.identity, token or "")
            if key in self._tokens:
                return self._tokens[key][1]
            active = sum(not known.status.is_final for known in self._statements.values())
            if active >= ACTIVE_STATEMENTS:
                raise ApiError(
                    "ActiveStatementsExceededException",
                    f"Active statements exceeded the allowed quota ({ACTIVE_STATEMENTS}).",
                )
            self._statements[statement.id] = statement
            if token:
                self._tokens[key] = (time.time(), statement)
        return statement

    def discard(self, statement: Statement) -> None:
        """Forget a statement that could not be started, and its token."""
        with self._lock:
            self._forget(statement)
            self._tokens = {
                key: found for key, found in self._tokens.items() if found[1] is not statement
            }

    def find(self, statement_id: str, caller: Caller) -> tuple[Statement, SqlRun | None]:
        """A statement, or with `id:n` a sub-statement. Raises ResourceNotFoundException."""
        with self._lock:
            statement = self._statements.get(statement_id.partition(":")[0])
        if statement and caller.may_see(statement.submission.caller):
            if ":" not in statement_id:
                return statement, None
            run = statement.run_of(statement_id)
            if run:
                return statement, run
        raise ApiError(
            "ResourceNotFoundException", "Query does not exist.", ResourceId=statement_id
        )

    def owner(self, statement_id: str) -> Caller | None:
        """Who has run a statement."""
        with self._lock:
            statement = self._statements.get(statement_id.partition(":")[0])
        return statement.submission.caller if statement else None

    def listed(self, caller: Caller) -> list[Statement]:
        """What the caller may see, newest first."""
        with self._lock:
            self._prune()
            known = list(self._statements.values())
        return [item for item in reversed(known) if caller.may_see(item.submission.caller)]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            for statement in list(self._statements.values()):
                self._forget(statement)
            self._tokens.clear()

    def _prune(self) -> None:
        now = time.time()
        self._tokens = {
            key: found for key, found in self._tokens.items() if now - found[0] < TOKEN_SECONDS
        }
        kept = [item for item in self._statements.values() if item.status.is_final]
        sql = sum(item.bytes for item in kept)
        results = sum(_result_bytes(item) for item in kept)
        for statement in kept:
            too_many = (
                len(self._statements) > KEPT_STATEMENTS
                or sql > KEPT_SQL_BYTES
                or results > KEPT_RESULT_BYTES
            )
            if not too_many and now - statement.updated_at < RETENTION_SECONDS:
                break
            sql -= statement.bytes
            results -= _result_bytes(statement)
            self._forget(statement)

    def _forget(self, statement: Statement) -> None:
        self._statements.pop(statement.id, None)
        for run in statement.runs:
            if run.result:
                run.result.delete()


def _result_bytes(statement: Statement) -> int:
    return sum(run.result.size for run in statement.runs if run.result)
