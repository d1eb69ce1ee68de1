"""The gate in front of the pools: who gets a slot, who queues, and who is woken.

The order of the writes makes a repeat complete whatever a dead Lambda has left undone:

- A job goes into the queue before the pool is told (`enqueue`, then `announce`), and whoever frees
  a slot looks afterwards whether somebody fits in (`drain`). Both write to the pool's item, so of
  an announcement and a release the later one sees the earlier one.
- A turn is given in the order: slot, RUNNING, word to the child, out of the queue. So a job that
  holds a slot and is still queued is one whose turn somebody has begun; he, or the repeat of his
  call (`recover`), finishes it. Everybody else passes it over.
- Only Settle Job, which is repeated until it has come to its end, gives turns to others. A job
  that arrives looks after itself alone (`enter`): once it has its turn, nobody repeats its arrival.
- Whoever gives a slot to a job that has ended meanwhile finds out at the very next write and takes
  the slot back. Should he die in between, the repeat of his call finds the slot (`sweep`).
"""

from __future__ import annotations

import random
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from penstock.domain.job_record import JobKey
from penstock.domain.outcome import Progress
from penstock.domain.pool import PoolView, QueueEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from penstock.domain.job_record import JobRecord
    from penstock.domain.turn_store import JobStore, PoolStore, Turns

    FanOut = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
    """Calls a function with each of some values, perhaps in parallel, like `map`."""

SMALLEST_PAGE: Final = 10
LARGEST_PAGE: Final = 200


class Gate:
    """Gives slots of pools to jobs that are ready, the highest priority first."""

    def __init__(
        self,
        jobs: JobStore,
        pools: PoolStore,
        turns: Turns,
        clock: Callable[[], str],
        fan_out: FanOut = map,
        shuffle: Callable[[list[QueueEntry]], None] = random.shuffle,
    ) -> None:
        self._jobs = jobs
        self._pools = pools
        self._turns = turns
        self._clock = clock
        self._fan_out = fan_out
        self._shuffle = shuffle

    def enter(self, job: JobRecord) -> bool:
        """Give a job that has just arrived a slot, or else a place in the queue; tell which.

        A slot may become free between the two. Who freed it may have looked into the queue too
        early to see the job there, so the job then takes the slot itself.
        """
        holder = job.key.holder
        if self._pools.join(job.pool, holder).done:
            return self._was_woken(self._wake(job.pool, job.key))
        entry = _entry(job)
        self._pools.enqueue([entry])
        pool = self._pools.announce(job.pool)
        if pool.free > 0 and self._pools.join_from_queue(job.pool, holder).done:
            return self._was_woken(self._wake_queued(entry))
        return False

    def admit(self, ready: Iterable[JobRecord]) -> None:
        """Give each job a slot, or a place in the queue of its pool."""
        ordered = sorted(ready, key=lambda job: (job.pool, -job.priority, job.job_name))
        for pool, jobs in groupby(ordered, key=lambda job: job.pool):
            self._admit_to(pool, list(jobs))

    def release(self, job: JobRecord) -> PoolView:
        """Give back the slot of a job that has ended, and its place in the queue if it had one."""
        if job.arrived_at and not job.started_at and not job.waiting_on:
            self._pools.dequeue(_entry(job))
        return self._pools.leave(job.pool, job.key.holder)

    def take_back(self, job: JobRecord) -> None:
        """Give back a slot that an ended job was given too late."""
        self._pools.leave(job.pool, job.key.holder)

    def drain(self, pool: PoolView) -> None:
        """Let in whoever is queued while slots are free.

        All of the first `free` jobs of the queue are let in anyway, so they are tried in random
        order: those who drain at the same moment then seldom want to let in the same one.
        """
        while pool.is_crowded and pool.free > 0:
            first = self._first_in_queue(pool)
            if not first:
                return
            self._shuffle(first)
            for entry in first:
                if pool.free > 0 and entry.key.holder not in pool.holders:
                    joined = self._pools.join_from_queue(pool.name, entry.key.holder)
                    pool = joined.pool
                    if joined.done:
                        pool = self._wake_queued(entry) or pool

    def recover(self, name: str) -> None:
        """Finish the turns that an earlier call may have begun, then drain."""
        pool = self._pools.pool(name)
        for entry in self._pools.queue(name, LARGEST_PAGE):
            if entry.key.holder in pool.holders:
                self._wake_queued(entry)
        self.drain(self._pools.pool(name))

    def sweep(self, name: str) -> int:
        """Free the slots of jobs that have ended or are no more, then recover; count them."""
        pool = self._pools.pool(name)
        keys = [JobKey.of_holder(holder) for holder in sorted(pool.holders)]
        open_jobs = {job.key.holder for job in self._jobs.jobs(keys) if job.outcome is None}
        stale = pool.holders - open_jobs
        for holder in stale:
            self._pools.leave(name, holder)
        self.recover(name)
        return len(stale)

    def _admit_to(self, pool: str, jobs: Sequence[JobRecord]) -> None:
        admitted = 0
        for job in jobs:
            if not self._pools.join(pool, job.key.holder).done:
                break
            admitted += 1
        for released in list(self._fan_out(lambda job: self._wake(pool, job.key), jobs[:admitted])):
            self._was_woken(released)
        if jobs[admitted:]:
            self._pools.enqueue([_entry(job) for job in jobs[admitted:]])
            self.drain(self._pools.announce(pool))

    def _was_woken(self, released: PoolView | None) -> bool:
        """Tell whether a job has kept its slot; if not, the slot is somebody else's now."""
        if released is not None:
            self.drain(released)
        return released is None

    def _first_in_queue(self, pool: PoolView) -> list[QueueEntry]:
        """Return as many queued jobs as there are free slots; note an empty queue as drained."""
        queue = self._pools.queue(pool.name, min(max(pool.free, SMALLEST_PAGE), LARGEST_PAGE))
        nobody = True
        first: list[QueueEntry] = []
        for entry in queue:
            nobody = False
            if entry.key.holder not in pool.holders:
                first.append(entry)
            if len(first) == pool.free:
                break
        if nobody:
            self._pools.mark_drained(pool.name, pool.enqueued)
        return first

    def _wake_queued(self, entry: QueueEntry) -> PoolView | None:
        released = self._wake(entry.pool, entry.key)
        self._pools.dequeue(entry)
        return released

    def _wake(self, pool: str, key: JobKey) -> PoolView | None:
        """Start a job that holds a slot; return the pool if the slot was given back instead."""
        job = self._jobs.start(key, self._clock()).record
        if job.key == key and job.state is Progress.RUNNING:
            self._turns.grant(job.task_token or "")
            return None
        return self._pools.leave(pool, key.holder)


def _entry(job: JobRecord) -> QueueEntry:
    return QueueEntry(job.pool, job.priority, job.key)
