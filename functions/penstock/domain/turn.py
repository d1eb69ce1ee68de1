"""Taking turns: jobs start the moment their upstream has succeeded and their pool has room.

There is no scheduler: each job's own Await Turn and Settle Job do what follows from them. Any of
it may be repeated at any time, and a repeat completes what a dead Lambda has left undone:

- The one write of `arrive` and the one of `stop_waiting` are on the same item, so of a job's
  arrival and its last upstream's end, the later sees that the job is ready.
- An outcome is written once. A repeat finds it and does everything after it again.
- A blocked job's own Settle Failed Job blocks those directly after it once more, so a failure
  reaches the end of every chain even if the Lambda that blocked the first of them died.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from penstock.domain.ending import BLOCKED_ERROR, ENDED_ERROR
from penstock.domain.errors import UnknownJobError
from penstock.domain.outcome import Outcome, Progress, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from penstock.domain.ending import Ending
    from penstock.domain.gate import FanOut, Gate
    from penstock.domain.job_record import JobKey, JobRecord
    from penstock.domain.lost_job import LostJob
    from penstock.domain.turn_store import JobStore, Turns


class TurnTaking:
    """What Await Turn and Settle Job do with the run table."""

    def __init__(
        self,
        jobs: JobStore,
        turns: Turns,
        gate: Gate,
        clock: Callable[[], str],
        fan_out: FanOut = map,
    ) -> None:
        self._jobs = jobs
        self._turns = turns
        self._gate = gate
        self._clock = clock
        self._fan_out = fan_out

    def arrive(self, key: JobKey, token: str, execution_arn: str) -> State:
        """Let a job wait for its turn, which may come at once; return how it stands."""
        arrival = self._jobs.arrive(key, token, execution_arn, self._clock())
        before = arrival.record
        if not arrival.done:
            return self._arrive_late(before, key, token, execution_arn)
        if before.waiting_on:
            return Progress.WAITING
        return Progress.RUNNING if self._gate.enter(before) else Progress.QUEUED

    def settle(self, key: JobKey, ending: Ending) -> JobRecord:
        """Record how an attempt ended, once, and do what follows; return what is recorded."""
        written = self._jobs.end(key, ending, self._clock())
        if written.record.key == key and written.record.outcome is None:
            # Only a job that has not started can be BLOCKED, whatever error its task gave.
            written = self._jobs.end(key, replace(ending, outcome=Outcome.FAILED), self._clock())
        job = written.record
        if job.key == key:
            self._conclude(job, is_repeat=not written.done)
        return job

    def finish(self, key: JobKey) -> JobRecord | None:
        """Do again what follows from a recorded outcome; return the job, or None if unknown.

        For a job whose execution was stopped in the middle of Settle Job, so that nobody repeats
        it. A job that has no outcome yet is left as it is.
        """
        job = next(iter(self._jobs.jobs([key])), None)
        if job is not None and job.key == key and job.outcome is not None:
            self._conclude(job, is_repeat=True)
        return job

    def release_outside(self, keys: Sequence[JobKey], upstream: JobRecord) -> None:
        """Tell jobs of other runs how a job that they wait on has ended.

        Jobs that have ended meanwhile, or whose run has expired, are passed over. There is no
        telling whether this is a repeat, so what an earlier call may have left undone is done.
        """
        if upstream.outcome is Outcome.SUCCEEDED:
            told = self._fan_out(lambda key: self._stop_waiting(key, upstream.job_name), keys)
            dependents = [job for job in told if job is not None]
            self._gate.admit(job for job in dependents if job.is_ready)
            self._finish_turns({job.pool for job in dependents}, dependents)
        elif upstream.outcome is not None:
            culprit = upstream.blocked_by or upstream.job_name
            cause = f"upstream {culprit} of {upstream.category} did not succeed"
            for job in self._fan_out(lambda key: self._block(key, culprit, cause), keys):
                if job is not None and job.state is Outcome.BLOCKED:
                    self._block_after(job)

    def abandon(self, lost: LostJob) -> JobRecord:
        """Record the outcome of a job that nobody will report on; return what is recorded.

        Nothing follows from it: all jobs of the run are over, and their pools are swept.
        """
        key, ending = lost.job.key, lost.ending
        if ending.outcome is Outcome.BLOCKED:
            return self._jobs.block(key, lost.culprit, ending.cause, self._clock()).record
        return self._jobs.end(key, ending, self._clock()).record

    def _arrive_late(self, job: JobRecord, key: JobKey, token: str, execution_arn: str) -> State:
        """Answer a job that was given its turn, or has ended, before this arrival."""
        if job.key == key and job.state is Progress.RUNNING:
            written = self._jobs.replace_token(key, token, execution_arn)
            job = written.record
            if written.done:
                self._turns.grant(token)
        if job.state is Outcome.BLOCKED:
            self._turns.refuse(token, BLOCKED_ERROR, job.cause)
        elif job.outcome or job.key != key:
            cause = f"attempt {job.attempt} of this job is {job.state} already"
            self._turns.refuse(token, ENDED_ERROR, cause)
        return job.state

    def _conclude(self, job: JobRecord, *, is_repeat: bool) -> None:
        """Do what follows from an outcome: free the slot, and free or block what depends on it."""
        if job.outcome is Outcome.BLOCKED:
            self._block_after(job)
            return
        pool = self._gate.release(job)
        dependents: list[JobRecord] = []
        if job.outcome is Outcome.SUCCEEDED:
            dependents = self._free_after(job)
        else:
            self._block_after(job)
        self._gate.admit(dependent for dependent in dependents if dependent.is_ready)
        if is_repeat:
            self._finish_turns({job.pool}, dependents)
        else:
            self._gate.drain(pool)

    def _stop_waiting(self, key: JobKey, upstream: str) -> JobRecord | None:
        try:
            return self._jobs.stop_waiting(key, upstream)
        except UnknownJobError:
            return None

    def _block(self, key: JobKey, culprit: str, cause: str) -> JobRecord | None:
        """Block a job and tell its child; return how the job stands, or None if it is no more."""
        try:
            job = self._jobs.block(key, culprit, cause, self._clock()).record
        except UnknownJobError:
            return None
        if job.state is Outcome.BLOCKED and job.task_token:
            self._turns.refuse(job.task_token, BLOCKED_ERROR, job.cause)
        return job

    def _free_after(self, job: JobRecord) -> list[JobRecord]:
        """Tell the dependents that they need not wait for the job; return how they stand now."""

        def stop_waiting(name: str) -> JobRecord:
            return self._jobs.stop_waiting(job.key._replace(job_name=name), job.job_name)

        return list(self._fan_out(stop_waiting, job.dependents))

    def _finish_turns(self, pools: set[str], dependents: Iterable[JobRecord]) -> None:
        """Do what an earlier call for the same job may have left undone after it gave slots."""
        for dependent in dependents:
            pools.add(dependent.pool)
            if dependent.state is Progress.RUNNING:
                self._turns.grant(dependent.task_token or "")
            elif dependent.outcome is not None:
                self._gate.take_back(dependent)
        for pool in sorted(pools):
            self._gate.sweep(pool)

    def _block_after(self, job: JobRecord) -> None:
        """Block what lies downstream, level by level, up to jobs that are blocked already."""
        culprit = job.blocked_by or job.job_name
        cause = f"upstream {culprit} did not succeed"

        def block(name: str) -> Iterable[str]:
            key = job.key._replace(job_name=name)
            written = self._jobs.block(key, culprit, cause, self._clock())
            blocked = written.record
            if blocked.state is Outcome.BLOCKED and blocked.task_token:
                self._turns.refuse(blocked.task_token, BLOCKED_ERROR, blocked.cause)
            return blocked.dependents if written.done else ()

        seen: set[str] = set()
        level = list(job.dependents)
        while level:
            seen.update(level)
            found = [name for names in self._fan_out(block, level) for name in names]
            level = [name for name in dict.fromkeys(found) if name not in seen]
