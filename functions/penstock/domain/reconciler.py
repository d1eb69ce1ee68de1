"""Reconcile Runs: ends what has died, finishes what was left half done, and tells who is stuck.

A pass may die anywhere, for the next one finds again what is left: an outcome is written before
what follows from it, a row after the error queue, and a lease is given back last of all.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol

from penstock.domain import closing, reconciling
from penstock.domain.child_execution import ending_of_child, never_came
from penstock.domain.outcome import Progress
from penstock.domain.stuck import stuck_jobs, stuck_message, stuck_subject
from penstock.domain.waiter import Waiter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from penstock.domain.aftermath import Aftermath
    from penstock.domain.child_execution import Children, ExecutionState
    from penstock.domain.ending import Ending
    from penstock.domain.gate import FanOut, Gate
    from penstock.domain.job_record import JobKey, JobRecord
    from penstock.domain.open_run import OpenRun
    from penstock.domain.run_closer import RunCloser
    from penstock.domain.turn import TurnTaking
    from penstock.domain.turn_store import Turns


class Executions(Protocol):
    """Step Functions, as far as it tells what is alive."""

    def state(self, arn: str) -> ExecutionState:
        """Return how an execution stands."""

    def children(self, arn: str) -> Children:
        """Return the children of a run; the list may be behind."""


class Runs(Protocol):
    """The run table."""

    def jobs_of(self, job_id: str) -> list[JobRecord]:
        """Return all jobs of a run."""

    def latest_jobs(
        self, category: str, logical_date: str, names: Iterable[str]
    ) -> dict[str, JobRecord]:
        """Return for each of the jobs its newest record for the day, if it was not left out."""

    def mark_stuck(self, key: JobKey, now: str) -> None:
        """Note that people know how long the job takes."""


class Rows(Protocol):
    """The control table."""

    def rows_named(self, names: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return those of the rows that exist, by job name."""

    def remove_waiters(self, job_name: str, waiters: Iterable[Waiter]) -> None:
        """Forget who has been told."""


class Messages(Protocol):
    """The error queue."""

    def send_unlogged(self, job_id: str, reason: str) -> None:
        """Have the next run write the log of this one."""


class Topic(Protocol):
    """Where people hear of it."""

    def publish(self, subject: str, text: str, verdict: str) -> None:
        """Send one message."""


class Reconciler:
    """Looks after open runs."""

    def __init__(
        self,
        executions: Executions,
        runs: Runs,
        rows: Rows,
        turns: TurnTaking,
        tokens: Turns,
        gate: Gate,
        aftermath: Aftermath,
        closer: RunCloser,
        messages: Messages,
        topic: Topic,
        result_file: Callable[[JobKey], bytes | None],
        clock: Callable[[], str],
        fan_out: FanOut = map,
    ) -> None:
        self._executions = executions
        self._runs = runs
        self._rows = rows
        self._turns = turns
        self._tokens = tokens
        self._gate = gate
        self._aftermath = aftermath
        self._closer = closer
        self._messages = messages
        self._topic = topic
        self._result_file = result_file
        self._clock = clock
        self._fan_out = fan_out

    def check(self, runs: Sequence[OpenRun]) -> Counter[str]:
        """Look after all open runs; return what was done, how often.

        What goes wrong with one run does not keep the others waiting: it is raised at the end, all
        in one ExceptionGroup.
        """
        done = Counter({"runs": len(runs)})
        stuck: list[JobRecord] = []
        failed: list[Exception] = []
        for run in runs:
            try:
                done += self._check_run(run, stuck)
            except Exception as error:  # noqa: BLE001 - raised below, after the other runs
                error.add_note(f"while looking after run {run.job_id} of {run.category}")
                failed.append(error)
        try:
            done["stuck"] += self._tell_stuck(stuck)
        except Exception as error:  # noqa: BLE001 - raised below
            failed.append(error)
        if failed:
            raise ExceptionGroup(f"{len(failed)} of {len(runs)} open runs, see each", failed)
        return +done

    def _check_run(self, run: OpenRun, stuck: list[JobRecord]) -> Counter[str]:
        parent = self._executions.state(run.execution_arn)
        children = self._executions.children(run.execution_arn)
        if not parent.is_alive:
            return self._bury(run, parent, children)
        jobs = self._runs.jobs_of(run.job_id)
        lost = self._lost(run, jobs, children)
        for job, ending in lost:
            self._aftermath.settle(job.key, ending, self._result_file(job.key))
        jobs = self._runs.jobs_of(run.job_id) if lost else jobs
        done = Counter({"lost": len(lost)})
        done["finished"] = self._finish(jobs, children)
        done["released"] = self._look_outside(run, jobs)
        self._give_turns(jobs)
        for pool in closing.pools_of(jobs):
            done["slots"] += self._gate.sweep(pool)
        stuck += stuck_jobs(jobs, self._clock())
        return done

    def _bury(self, run: OpenRun, parent: ExecutionState, children: Children) -> Counter[str]:
        """Close a run whose execution has ended without, as soon as none of its children lives."""
        at_work = reconciling.suspects(self._runs.jobs_of(run.job_id), children.live)
        if children.live or any(state.is_alive for state in self._states(at_work)):
            return Counter({"dying": 1})
        ended, report = self._closer.close(reconciling.close_request(run, parent))
        if report["log_statement"]:
            self._messages.send_unlogged(run.job_id, f"the execution is {parent.status}")
        self._topic.publish(report["subject"], report["digest"], report["verdict"])
        self._closer.release(ended)
        return Counter({"closed": 1})

    def _lost(
        self, run: OpenRun, jobs: Sequence[JobRecord], children: Children
    ) -> list[tuple[JobRecord, Ending]]:
        """Return the jobs whose execution has ended without an outcome, and how it may be called.

        A job settles before its execution ends. So what is read after the executions were looked
        at is the truth about those that had ended.
        """
        doubtful = reconciling.suspects(jobs, children.live)
        states = zip(doubtful, self._states(doubtful), strict=True)
        ended = {job.key: state for job, state in states if not state.is_alive}
        known = reconciling.known_executions(jobs)
        all_came = children.have_all_come(reconciling.planned(jobs), known)
        missing = all_came and not reconciling.is_young(run, self._clock())
        absent = {job.key for job in reconciling.never_arrived(jobs)} if missing else set()
        if not (ended or absent):
            return []
        arns = {job.key: job.execution_arn for job in jobs}
        still = [
            job
            for job in self._runs.jobs_of(run.job_id)
            if job.outcome is None and arns.get(job.key) == job.execution_arn
        ]
        return [
            (job, ending_of_child(job, ended[job.key]) if job.key in ended else never_came())
            for job in still
            if job.key in ended or job.key in absent
        ]

    def _finish(self, jobs: Sequence[JobRecord], children: Children) -> int:
        """Do again what follows from outcomes, where it has not been done; return how often.

        The row is written last, so a row that knows of the outcome says that all is done.
        """
        rows = self._rows.rows_named(job.job_name for job in jobs if job.ended_at)
        untold = reconciling.untold(jobs, children.live, rows)
        unfinished = {job.key for job in reconciling.unfinished(jobs, children.live)}
        for key in sorted(unfinished | {job.key for job in untold}):
            self._turns.finish(key)
        for job in untold:
            self._aftermath.follow(job, self._result_file(job.key))
        return len(unfinished | {job.key for job in untold})

    def _give_turns(self, jobs: Sequence[JobRecord]) -> None:
        """Give again the turns that somebody may have been about to give when he died.

        A job that is queued already, or that has heard of its turn, does not mind.
        """
        self._gate.admit(job for job in jobs if job.is_ready)
        running = [job.task_token or "" for job in jobs if job.state is Progress.RUNNING]
        for _ in self._fan_out(self._tokens.grant, running):
            pass

    def _look_outside(self, run: OpenRun, jobs: Sequence[JobRecord]) -> int:
        """Look again at the jobs of other categories that jobs wait on; return how many ended."""
        waits = reconciling.outside_waits(jobs)
        rows = self._rows.rows_named(waits) if waits else {}
        ended = 0
        for category, names in reconciling.by_category(rows).items():
            latest = self._runs.latest_jobs(category, run.logical_date, names)
            for upstream in latest.values():
                if upstream.outcome is not None:
                    keys = waits[upstream.job_name]
                    self._turns.release_outside(keys, upstream)
                    waiters = [Waiter(run.logical_date, key) for key in keys]
                    self._rows.remove_waiters(upstream.job_name, waiters)
                    ended += 1
        return ended

    def _tell_stuck(self, stuck: Sequence[JobRecord]) -> int:
        """Tell people once; a message that comes twice is better than none, so it comes first."""
        if stuck:
            now = self._clock()
            self._topic.publish(stuck_subject(stuck), stuck_message(stuck, now), "STUCK")
            for job in stuck:
                self._runs.mark_stuck(job.key, now)
        return len(stuck)

    def _states(self, jobs: Sequence[JobRecord]) -> list[ExecutionState]:
        return list(self._fan_out(lambda job: self._executions.state(job.execution_arn), jobs))
