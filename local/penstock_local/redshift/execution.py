"""Running a statement: its transaction, its failures, its cancellation."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from penstock_local.redshift.errors import ApiError, SqlError, StatementCancelledError
from penstock_local.redshift.interpreter import understand
from penstock_local.redshift.session import Session
from penstock_local.redshift.statement import SqlRun, Statement, Status
from penstock_local.redshift.words import read

log = logging.getLogger(__name__)


class Execution:
    """A statement in the queue of its database, and later on a thread."""

    def __init__(
        self,
        statement: Statement,
        open_session: Callable[[], Session],
        release: Callable[[Session], None],
    ) -> None:
        self.statement = statement
        self._open_session = open_session
        self._release = release
        self._session: Session | None = None
        self._lock = threading.Lock()
        self._cancelled = False
        self._final: tuple[Status, str | None] | None = None

    def run(self) -> None:
        """Run to the end; never raises."""
        with self._lock:
            if self._cancelled:
                return
            self.statement.become(Status.PICKED)
        try:
            session = self._open_session()
        except Exception as error:
            log.exception("database %s cannot be opened", self.statement.submission.target.place)
            self.statement.become(Status.FAILED, f"FATAL: {error}")
            return
        with self._lock:
            self._session = session
        try:
            self._run(session)
        finally:
            with self._lock:
                self._session = None
            self._release(session)
            if self._final is not None:
                self.statement.become(*self._final)

    def cancel(self) -> None:
        """Stop it: at once if it waits, else as soon as DuckDB notices."""
        with self._lock:
            if not self._cancelled and self.statement.status is Status.SUBMITTED:
                self._abort_from(0)
                self.statement.become(Status.ABORTED)
            self._cancelled = True
            if self._session is not None:
                self._session.cancel()

    # -- one statement or batch --------------------------------------------------------------

    def _run(self, session: Session) -> None:
        submission = self.statement.submission
        if self._cancelled:
            session.cancel()
        session.result_format = submission.result_format
        session.in_batch = submission.is_batch and not submission.auto_commit
        self.statement.become(Status.STARTED)
        if submission.is_batch and submission.auto_commit:
            self._run_one_by_one(session)
        else:
            self._run_as_one(session)

    def _run_as_one(self, session: Session) -> None:
        """All in one transaction: the first failure undoes everything."""
        try:
            for run in self.statement.runs:
                self._run_sql(session, run)
            if not session.in_block:
                self._commit(session, self.statement.runs[-1])
        except (SqlError, StatementCancelledError) as error:
            if not session.in_block:
                session.rollback()
            position = next(n for n, run in enumerate(self.statement.runs) if run.error)
            self._abort_from(position + 1)
            self._end_with(error, position)
        else:
            self._end(Status.FINISHED)

    def _run_one_by_one(self, session: Session) -> None:
        """Each in a transaction of its own; the statement fails if one of them failed."""
        failure: tuple[SqlError, int] | None = None
        for position, run in enumerate(self.statement.runs):
            try:
                self._run_sql(session, run)
                if not session.in_block:
                    self._commit(session, run)
            except SqlError as error:
                session.rollback()
                failure = failure or (error, position)
            except StatementCancelledError as error:
                session.rollback()
                self._abort_from(position + 1)
                self._end_with(error, position)
                return
        if failure:
            self._end_with(*failure)
        else:
            self._end(Status.FINISHED)

    def _run_sql(self, session: Session, run: SqlRun) -> None:
        run.start()
        session.query_id = run.query_id
        try:
            session.begin()
            command = understand(session, read(run.sql), self.statement.submission.values)
            run.finish(command.run(session))
        except StatementCancelledError:
            run.abort(_cancelled(run))
            raise
        except SqlError as error:
            run.fail(str(error))
            raise
        except Exception as error:
            # Nothing may leave a statement without an end: what was not foreseen is its failure.
            if not isinstance(error, ApiError):
                log.exception("statement %s", run.id)
            run.fail(str(error))
            raise SqlError(str(error)) from error

    def _commit(self, session: Session, run: SqlRun) -> None:
        try:
            session.commit()
        except StatementCancelledError:
            run.abort(_cancelled(run))
            raise
        except SqlError as error:
            run.fail(str(error))
            raise

    # -- the end -----------------------------------------------------------------------------

    def _abort_from(self, position: int) -> None:
        for run in self.statement.runs[position:]:
            run.abort()

    def _end_with(self, error: SqlError | StatementCancelledError, position: int) -> None:
        run = self.statement.runs[position]
        shown = run.error
        if self.statement.submission.is_batch:
            shown = f"Query #{position + 1} failed with {run.error}"
        cancelled = isinstance(error, StatementCancelledError)
        self._end(Status.ABORTED if cancelled else Status.FAILED, shown)

    def _end(self, status: Status, error: str | None = None) -> None:
        """Remember the end; it is told once the session has been released."""
        self._final = (status, error)


def _cancelled(run: SqlRun) -> str:
    return f"Query ({run.query_id}) cancelled on user's request"
