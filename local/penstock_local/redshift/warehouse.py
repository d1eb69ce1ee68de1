"""All databases of this machine, and the few threads that work for them."""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from penstock_local.redshift.caller import Caller
from penstock_local.redshift.database import Database, database_file, warehouse_folder
from penstock_local.redshift.errors import ApiError, validation
from penstock_local.redshift.execution import Execution
from penstock_local.redshift.place import Place
from penstock_local.redshift.request import Target
from penstock_local.redshift.session import Folders, Session
from penstock_local.redshift.statement import Statement, Status
from penstock_local.redshift.workers import Workers

log = logging.getLogger(__name__)

THREADS = 4
OPEN_DATABASES = 8
KEPT_SESSIONS = 500
CLOSING_SECONDS = 5.0


@dataclass
class Lane:
    """A database and the statements that wait for it; one runs at a time."""

    database: Database
    waiting: deque[Execution] = field(default_factory=deque)
    busy: bool = False
    readers: int = 0
    used_at: float = field(default_factory=time.monotonic)


@dataclass
class KeptSession:
    """A session that outlives the call that opened it (SessionKeepAliveSeconds)."""

    id: str
    owner: Caller
    target: Target
    seconds: int
    session: Session | None = None
    created_at: float = field(default_factory=time.time)
    updated_at: float = field(default_factory=time.time)
    statement_id: str | None = None

    @property
    def expires_at(self) -> float:
        """When it is closed unless something runs in it."""
        return self.updated_at + self.seconds

    @property
    def status(self) -> str:
        """BUSY while a statement runs or waits."""
        return "BUSY" if self.statement_id else "AVAILABLE"

    def require_available(self) -> None:
        """Raise ValidationException while a statement runs or waits in it."""
        if self.statement_id:
            raise validation(f"Session {self.id} is busy")


class Warehouse:
    """Opens databases at their first use and runs statements, database by database.

    `folder` None keeps all data in memory. No thread waits for a queued statement: a database
    with work takes one of a few threads for one statement, then goes to the end of the line.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._scratch = Path(tempfile.mkdtemp(prefix="penstock-redshift-"))
        self.folders = Folders(self._scratch / "staging", self._scratch / "results")
        self.folders.staging.mkdir()
        self._lanes: dict[Place, Lane] = {}
        self._kept: dict[str, KeptSession] = {}
        self._executions: dict[str, Execution] = {}
        self._lock = threading.Lock()
        self._workers = Workers(THREADS, "redshift")

    # -- statements --------------------------------------------------------------------------

    def submit(self, statement: Statement, ended: Callable[[Statement], None]) -> None:
        """Queue a statement; `ended` is called on a thread of ours once it has ended."""
        kept = self._kept_for(statement)
        place = statement.submission.target.place
        execution = Execution(
            statement,
            open_session=lambda: self._open_session(statement, kept),
            release=lambda session: self._release(session, kept),
        )
        with self._lock:
            lane = self._lane(place)
            lane.waiting.append(execution)
            self._executions[statement.id] = execution
            start = not lane.busy
            lane.busy = True
        statement.ended.add_done_callback(lambda _: self._ended(statement, ended))
        if start:
            self._workers.submit(lambda: self._run_next(lane))

    def cancel(self, statement_id: str) -> None:
        """Stop a statement; to be repeated until it has ended."""
        execution = self._executions.get(statement_id)
        if execution is not None:
            execution.cancel()

    @contextmanager
    def reading(self, target: Target) -> Iterator[Session]:
        """A session for the catalog operations, beside the queue."""
        with self._lock:
            lane = self._lane(target.place)
            lane.readers += 1
        try:
            with closing(lane.database.session(target.user)) as session:
                yield session
        finally:
            with self._lock:
                lane.readers -= 1

    def _run_next(self, lane: Lane) -> None:
        execution = lane.waiting.popleft()
        try:
            execution.run()
        except Exception as error:
            log.exception("statement %s", execution.statement.id)
            execution.statement.become(Status.FAILED, f"FATAL: {error}")
        with self._lock:
            lane.used_at = time.monotonic()
            lane.busy = bool(lane.waiting)
            again = lane.busy
        if again:
            self._workers.submit(lambda: self._run_next(lane))
        else:
            self._close_idle()

    def _ended(self, statement: Statement, ended: Callable[[Statement], None]) -> None:
        self._executions.pop(statement.id, None)
        kept = self._kept.get(statement.session_id or "")
        if kept is not None and kept.statement_id == statement.id:
            kept.statement_id = None
            kept.updated_at = time.time()
        ended(statement)

    # -- sessions ----------------------------------------------------------------------------

    def kept_sessions(self, caller: Caller) -> list[KeptSession]:
        """The sessions of a caller that are still open."""
        self._close_expired()
        return [kept for kept in self._kept.values() if caller.may_see(kept.owner)]

    def kept_session(self, session_id: str, caller: Caller) -> KeptSession:
        """One of them. Raises ResourceNotFoundException, ValidationException while it is busy."""
        for kept in self.kept_sessions(caller):
            if kept.id == session_id:
                kept.require_available()
                return kept
        raise ApiError(
            "ResourceNotFoundException", "Session does not exist.", ResourceId=session_id
        )

    def session_place(self, session_id: str) -> Place | None:
        """The database that a session is connected to."""
        kept = self._kept.get(session_id)
        return kept.target.place if kept else None

    def _kept_for(self, statement: Statement) -> KeptSession | None:
        submission = statement.submission
        kept = self._kept.get(submission.session_id or "")
        if kept is None and submission.keep_alive:
            self._close_expired()
            if len(self._kept) >= KEPT_SESSIONS:
                raise ApiError(
                    "ActiveSessionsExceededException",
                    f"Active sessions exceeded the allowed quota ({KEPT_SESSIONS}).",
                )
            session_id = str(uuid.uuid4())
            kept = KeptSession(
                session_id, submission.caller, submission.target, submission.keep_alive
            )
            self._kept[session_id] = kept
        if kept is not None:
            kept.require_available()
            statement.session_id = kept.id
            kept.statement_id = statement.id
            kept.seconds = submission.keep_alive or kept.seconds
        return kept

    def _open_session(self, statement: Statement, kept: KeptSession | None) -> Session:
        if kept is not None and kept.session is not None:
            return kept.session
        target = statement.submission.target
        session = self._lanes[target.place].database.session(target.user)
        if kept is not None:
            kept.session = session
        return session

    @staticmethod
    def _release(session: Session, kept: KeptSession | None) -> None:
        if kept is None:
            session.close()
        else:
            session.clear_cancellation()
            kept.statement_id = None

    def _close_expired(self) -> None:
        for kept in list(self._kept.values()):
            if not kept.statement_id and time.time() > kept.expires_at:
                del self._kept[kept.id]
                if kept.session is not None:
                    kept.session.close()

    # -- databases ---------------------------------------------------------------------------

    def databases(self, place: Place) -> list[str]:
        """The names of the databases of a workgroup or cluster; `dev` always exists."""
        names = {"dev"} | {
            known.database
            for known in self._lanes
            if warehouse_folder(Path(), known) == warehouse_folder(Path(), place)
        }
        if self._folder is not None:
            files = warehouse_folder(self._folder, place).glob("*.duckdb")
            names |= {unquote(file.stem) for file in files}
        return sorted(names)

    def close(self) -> None:
        """Stop everything and let go of all files."""
        for execution in list(self._executions.values()):
            execution.cancel()
        if not self._workers.close(CLOSING_SECONDS):
            # A statement that DuckDB cannot interrupt yet still uses its database.
            return
        for kept in self._kept.values():
            if kept.session is not None:
                kept.session.close()
        self._kept.clear()
        for lane in self._lanes.values():
            lane.database.close()
        self._lanes.clear()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def erase(self) -> None:
        """Close, and forget all data."""
        self.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _lane(self, place: Place) -> Lane:
        lane = self._lanes.get(place)
        if lane is None:
            file = database_file(self._folder, place) if self._folder else None
            lane = self._lanes[place] = Lane(Database(place, file, self.folders))
        return lane

    def _close_idle(self) -> None:
        """Close the files of databases that have not been used for longest."""
        with self._lock:
            in_use = {kept.target.place for kept in self._kept.values()}
            idle = [
                lane
                for place, lane in self._lanes.items()
                if lane.database.is_open
                and not lane.database.is_in_memory
                and not lane.busy
                and not lane.readers
                and place not in in_use
            ]
            too_many = sum(lane.database.is_open for lane in self._lanes.values()) - OPEN_DATABASES
            for lane in sorted(idle, key=lambda lane: lane.used_at)[: max(0, too_many)]:
                lane.database.close()
