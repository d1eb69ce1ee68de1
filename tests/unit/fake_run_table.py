"""The run table in memory: what `JobItems` and `PoolItems` are to DynamoDB, without DynamoDB.

The same contract test runs against this and against the real adapters, so what is proved of
turn-taking on this holds on those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from penstock.domain.control_row import HIGHEST_PRIORITY
from penstock.domain.ending import BLOCKED_ERROR, Ending
from penstock.domain.errors import UnknownJobError
from penstock.domain.job_record import JobKey, JobRecord
from penstock.domain.outcome import TRANSITIONS, Outcome, Progress, State
from penstock.domain.pool import PoolView, QueueEntry, default_limit
from penstock.domain.turn_store import Joined, Written


@dataclass
class PoolState:
    limit: int | None = None
    holders: set[str] = field(default_factory=set)
    enqueued: int = 0
    drained: int | None = None
    queue: dict[str, QueueEntry] = field(default_factory=dict)


@dataclass
class FakeRunTable:
    """Jobs and pools; `around` is called before and after each request that writes or reads."""

    default_limit: int = 2
    around: Callable[[str], None] = lambda _: None
    jobs_by_name: dict[tuple[str, str], JobRecord] = field(default_factory=dict)
    pools: dict[str, PoolState] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)

    def create_jobs(self, jobs: Sequence[JobRecord]) -> None:
        for job in jobs:
            self.jobs_by_name.setdefault((job.job_id, job.job_name), job)

    def set_limit(self, name: str, limit: int) -> None:
        self._state(name).limit = limit

    def arrive(self, key: JobKey, token: str, execution_arn: str, now: str) -> Written:
        def may(job: JobRecord) -> bool:
            return job.key == key and job.state in TRANSITIONS[Progress.WAITING]

        changes: dict[str, Any] = {
            "task_token": token,
            "execution_arn": execution_arn,
            "arrived_at": now,
        }
        return self._become(Progress.WAITING, key, may, answer_before=True, **changes)

    def replace_token(self, key: JobKey, token: str, execution_arn: str) -> Written:
        def may(job: JobRecord) -> bool:
            return job.key == key and job.state is Progress.RUNNING

        changes: dict[str, Any] = {"task_token": token, "execution_arn": execution_arn}
        return self._become(Progress.RUNNING, key, may, **changes)

    def start(self, key: JobKey, now: str) -> Written:
        def may(job: JobRecord) -> bool:
            allowed = job.state in TRANSITIONS[Progress.RUNNING]
            return job.key == key and allowed and not job.waiting_on

        return self._become(Progress.RUNNING, key, may, started_at=now)

    def end(self, key: JobKey, ending: Ending, now: str) -> Written:
        def may(job: JobRecord) -> bool:
            return job.key == key and job.state in TRANSITIONS[ending.outcome]

        changes: dict[str, Any] = {
            "error": ending.error,
            "cause": ending.cause,
            "figures": ending.figures,
            "rejects": ending.rejects,
        }
        return self._become(ending.outcome, key, may, ended_at=now, **changes)

    def block(self, key: JobKey, culprit: str, cause: str, now: str) -> Written:
        def may(job: JobRecord) -> bool:
            return job.state in TRANSITIONS[Outcome.BLOCKED]

        changes: dict[str, Any] = {"blocked_by": culprit, "error": BLOCKED_ERROR, "cause": cause}
        return self._become(Outcome.BLOCKED, key, may, ended_at=now, **changes)

    def stop_waiting(self, key: JobKey, upstream: str) -> JobRecord:
        self._begin("stop_waiting")
        job = self._find(key)
        job = replace(job, waiting_on=job.waiting_on - {upstream})
        self.jobs_by_name[job.job_id, job.job_name] = job
        self.around("after stop_waiting")
        return job

    def jobs(self, keys: Sequence[JobKey]) -> list[JobRecord]:
        self._begin("jobs")
        names = [(key.job_id, key.job_name) for key in keys]
        return [self.jobs_by_name[name] for name in names if name in self.jobs_by_name]

    def pool(self, name: str) -> PoolView:
        self._begin("pool")
        return self._view(name)

    def join(self, name: str, holder: str) -> Joined:
        self._begin("join")
        pool, view = self._state(name), self._view(name)
        nobody_queued = pool.enqueued <= (pool.drained or 0)
        done = holder in pool.holders or (view.free > 0 and nobody_queued)
        return self._join(name, holder, done=done)

    def join_from_queue(self, name: str, holder: str) -> Joined:
        self._begin("join_from_queue")
        done = holder not in self._state(name).holders and self._view(name).free > 0
        return self._join(name, holder, done=done)

    def leave(self, name: str, holder: str) -> PoolView:
        self._begin("leave")
        self._state(name).holders.discard(holder)
        view = self._view(name)
        self.around("after leave")
        return view

    def announce(self, name: str) -> PoolView:
        self._begin("announce")
        self._state(name).enqueued += 1
        view = self._view(name)
        self.around("after announce")
        return view

    def mark_drained(self, name: str, enqueued: int) -> None:
        self._begin("mark_drained")
        pool = self._state(name)
        pool.drained = max(pool.drained or 0, enqueued)
        self.around("after mark_drained")

    def enqueue(self, entries: Sequence[QueueEntry]) -> None:
        self._begin("enqueue")
        for entry in entries:
            self._state(entry.pool).queue[_rank(entry)] = entry
        self.around("after enqueue")

    def queue(self, name: str, page: int) -> Iterator[QueueEntry]:
        rank = ""
        while True:
            self._begin("queue")
            entries = sorted(self._state(name).queue.items())
            found = [(other, entry) for other, entry in entries if other > rank][:page]
            for rank, entry in found:  # noqa: B007 - the next page begins after the last
                yield entry
            if len(found) < page:
                return

    def dequeue(self, entry: QueueEntry) -> None:
        self._begin("dequeue")
        self._state(entry.pool).queue.pop(_rank(entry), None)
        self.around("after dequeue")

    def _begin(self, request: str) -> None:
        self.around(f"before {request}")
        self.requests.append(request)

    def _find(self, key: JobKey) -> JobRecord:
        job = self.jobs_by_name.get((key.job_id, key.job_name))
        if job is None:
            raise UnknownJobError(f"run {key.job_id} has no job {key.job_name}")
        return job

    def _become(
        self,
        state: State,
        key: JobKey,
        may: Callable[[JobRecord], bool],
        *,
        answer_before: bool = False,
        **changes: Any,
    ) -> Written:
        self._begin(f"become {state}")
        job = self._find(key)
        if not may(job):
            return Written(job, done=False)
        changed = replace(job, state=state, **changes)
        self.jobs_by_name[key.job_id, key.job_name] = changed
        self.around(f"after become {state}")
        return Written(job if answer_before else changed, done=True)

    def _state(self, name: str) -> PoolState:
        return self.pools.setdefault(name, PoolState())

    def _view(self, name: str) -> PoolView:
        pool = self._state(name)
        limit = default_limit(name, self.default_limit) if pool.limit is None else pool.limit
        return PoolView(name, limit, frozenset(pool.holders), pool.enqueued, pool.drained or 0)

    def _join(self, name: str, holder: str, *, done: bool) -> Joined:
        if done:
            self._state(name).holders.add(holder)
        joined = Joined(self._view(name), done)
        if done:
            self.around("after join")
        return joined


def _rank(entry: QueueEntry) -> str:
    job_id, job_name, attempt = entry.key
    return f"{HIGHEST_PRIORITY - entry.priority:09d}#{job_id}#{job_name}#{attempt}"


@dataclass
class FakeTurns:
    """Remembers what children were told."""

    granted: list[str] = field(default_factory=list)
    refused: dict[str, tuple[str, str]] = field(default_factory=dict)

    def grant(self, token: str) -> None:
        self.granted.append(token)

    def refuse(self, token: str, error: str, cause: str) -> None:
        self.refused[token] = (error, cause)
