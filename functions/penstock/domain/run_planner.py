"""Plans runs: takes the lease, stores the plan and the items of its jobs before anything starts.

Each step may be repeated. In this order nothing is lost if it ends anywhere in between:

- the lease first, so that two runs for one day never both plan;
- rejects of earlier runs are taken before the plan that names them is stored; if it never is, they
  are free again as soon as the run is over;
- the plan, of which the first that is stored counts, before the items that are made from it;
- waiters after the items: whoever is told that an upstream job has ended finds the job;
- messages of the error queue are deleted when all else is done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from penstock.domain import planning, reject_batch
from penstock.domain.control_row import read_row
from penstock.domain.errors import InvalidRequestError
from penstock.domain.job_record import JobKey
from penstock.domain.lane import Lane
from penstock.domain.plan import job_records
from penstock.domain.rerun import Rerun, chain_of, rerun_of
from penstock.domain.retrying import free_batches, retried_paths, retry_files
from penstock.domain.upstream import by_category, outside_job, outside_readings
from penstock.domain.waiter import Waiter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from penstock.domain.control_row import RowReading
    from penstock.domain.job_record import JobRecord
    from penstock.domain.messages import PlanRunResponse
    from penstock.domain.open_run import OpenRun
    from penstock.domain.plan_line import PlanDocument
    from penstock.domain.planning_stores import (
        Failures,
        LeaseBook,
        Plans,
        ReconcileRule,
        RejectBook,
        Rows,
        Runs,
    )  # fmt: skip
    from penstock.domain.reject_batch import RejectBatch
    from penstock.domain.requested_run import RequestedRun
    from penstock.domain.run_record import RunRecord
    from penstock.domain.site import Site
    from penstock.domain.turn import TurnTaking
    from penstock.domain.upstream import OutsideJob


class Stores(NamedTuple):
    """Where everything about planning is kept."""

    rows: Rows
    runs: Runs
    plans: Plans
    queue: Failures
    leases: LeaseBook
    rule: ReconcileRule
    rejects: RejectBook


class RunPlanner:
    """Makes the plan of a run, or finds that another run is at it."""

    def __init__(self, stores: Stores, turns: TurnTaking, site: Site) -> None:
        self._rows, self._runs, self._plans, self._queue = stores[:4]
        self._leases, self._rule, self._rejects = stores[4:]
        self._turns = turns
        self._site = site

    def plan(self, run: RequestedRun) -> PlanRunResponse:
        """Store the plan of a run and return what the state machine goes on with.

        Raises InvalidRequestError and UnknownCategoryError.
        """
        rerun = self.rerun(run) if run.rerun_of else None
        if rerun is not None:
            run = run.as_rerun(rerun.run)
        readings = planning.read_rows(self._rows.rows_of_category(run.category), run.category)
        return self.plan_rows(run, readings, rerun)

    def plan_rows(
        self,
        run: RequestedRun,
        readings: Sequence[RowReading],
        rerun: Rerun | None = None,
        prepare: Callable[[], None] = lambda: None,
        makes_up_for: tuple[str, ...] = (),
    ) -> PlanRunResponse:
        """Store the plan of a run of these rows; `prepare` is called before, once or repeatedly.

        `makes_up_for` are beginnings of the names of jobs whose failures this run makes up for
        without running them again: extracts, whose tables keep their failures themselves.
        """
        logical_date = self._logical_date(run, rerun, readings)
        self._rule.enable()  # before the lease: a rule without a lease switches itself off
        other = self._leases.take(run.open_run(logical_date), run.scheduled_time)
        if other is not None:
            record = self._runs.save(planning.duplicate_record(run, logical_date, other))
            return planning.duplicate_response(record, self._site.data_bucket)
        self._rule.enable()  # and after it, should the last run have ended in between
        return self._store(run, rerun, readings, prepare, makes_up_for)

    def rerun(self, run: RequestedRun) -> Rerun:
        """Return what a rerun is about; raise InvalidRequestError if it cannot be run again."""
        chain = self.chain(run)
        return rerun_of(chain, self.jobs_of(chain), run.only)

    def jobs_of(self, chain: Iterable[RunRecord]) -> list[list[JobRecord]]:
        """Return the jobs of each run."""
        return [self._runs.jobs_of(other.job_id) for other in chain]

    def chain(self, run: RequestedRun) -> list[RunRecord]:
        """Return the run to be run again and its reruns; raise InvalidRequestError for none."""
        before = self._runs.run(run.rerun_of)
        if before is None:
            raise InvalidRequestError(f"rerun_of: there is no run {run.rerun_of}")
        if before.duplicate_of:
            raise InvalidRequestError(f"rerun_of: it did nothing; try {before.duplicate_of}")
        of_day = self._runs.runs_for(before.category, before.logical_date)
        return chain_of(before, [other for other in of_day if other.job_id < run.job_id])

    def draft(
        self,
        run: RequestedRun,
        readings: Sequence[RowReading],
        messages: Iterable[Mapping[str, Any]] = (),
        rerun: Rerun | None = None,
        rejects: Sequence[RejectBatch] = (),
    ) -> PlanDocument:
        """Make a plan without storing anything."""
        calendars = self._rows.calendars(planning.calendars_of(readings))
        logical_date = self._logical_date(run, rerun, readings)
        outside = self._outside(readings, logical_date, calendars)
        return planning.plan_of(
            run, readings, calendars, messages, self._site, outside, rerun, rejects
        )

    def free_rejects(self, run: RequestedRun, open_runs: Iterable[OpenRun]) -> list[RejectBatch]:
        """Return the rejects that a run may try again; a backfill tries none."""
        if run.lane == Lane.BACKFILL:
            return []
        others = {other.job_id for other in open_runs}
        return free_batches(self._rejects.of_category(run.category), run.job_id, others)

    def _logical_date(
        self, run: RequestedRun, rerun: Rerun | None, readings: Sequence[RowReading]
    ) -> str:
        if rerun is not None:
            return rerun.run.logical_date
        return planning.day_of(run, readings, self._site.time_zone).run.isoformat()

    def _store(
        self,
        run: RequestedRun,
        rerun: Rerun | None,
        readings: Sequence[RowReading],
        prepare: Callable[[], None],
        makes_up_for: tuple[str, ...],
    ) -> PlanRunResponse:
        is_live = run.lane != Lane.BACKFILL
        concerning = _concerning(run, readings, makes_up_for)
        messages = self._queue.receive(concerning) if is_live else []
        bodies = [message.body for message in messages]
        plan = self._plans.plan(run.job_id)
        if plan is None:
            prepare()
            plan = self._plans.store(self._with_rejects(run, readings, bodies, rerun))
        self._plans.store_lines(plan)  # of a stored plan too: who stored it may have died here
        for key, content in retry_files(plan):
            self._plans.store_file(key, content)
        self._runs.create_jobs(job_records(plan))
        self._wait_outside(plan)
        unlogged = self._runs.backlog(run.job_id, planning.unlogged_runs(bodies))
        self._runs.save(planning.run_record(plan, run, unlogged))
        if is_live and rerun is None:
            self._queue.send_all(planning.newly_failed(plan))
        chain, left = rerun.chain if rerun else None, self._open_rejects(run, bodies)
        done = [m for m in messages if planning.is_done(m.body, plan, chain, makes_up_for, left)]
        self._queue.delete(done)
        self._queue.release([message for message in messages if message not in done])
        return planning.response(plan, self._site.data_bucket)

    def _with_rejects(
        self,
        run: RequestedRun,
        readings: Sequence[RowReading],
        bodies: Sequence[Mapping[str, Any]],
        rerun: Rerun | None,
    ) -> PlanDocument:
        """Make the plan, and take the rejects that it tries; what others took first is left out."""
        open_runs = self._leases.open_runs() if run.lane != Lane.BACKFILL else []
        free = self.free_rejects(run, open_runs)
        plan = self.draft(run, readings, bodies, rerun, free)
        wanted = retried_paths(plan)
        lost = {
            batch.path
            for batch in free
            if batch.path in wanted and not self._rejects.take(batch, run.job_id)
        }
        if not lost:
            return plan
        kept = [batch for batch in free if batch.path not in lost]
        return self.draft(run, readings, bodies, rerun, kept)

    def _open_rejects(self, run: RequestedRun, bodies: Sequence[Mapping[str, Any]]) -> set[str]:
        """Return the paths of the rejects that are open, if any message is about such."""
        if not any(body["kind"] == reject_batch.KIND for body in bodies):
            return set()
        return {batch.path for batch in self._rejects.of_category(run.category) if batch.open}

    def _outside(
        self,
        readings: Sequence[RowReading],
        logical_date: str,
        calendars: Mapping[str, Any],
    ) -> list[OutsideJob]:
        """Return how the jobs of other categories stand that these depend on."""

        def rows_named(names: Iterable[str]) -> list[RowReading]:
            return [read_row(row) for row in self._rows.rows_named(names).values()]

        found = outside_readings(readings, rows_named)
        records: dict[str, JobRecord] = {}
        for category, names in by_category(found).items():
            records |= self._runs.latest_jobs(category, logical_date, names)
        calendars = {**calendars, **self._rows.calendars(planning.calendars_of(found))}
        left_out = planning.left_out(found, logical_date, self._site.environment, calendars)
        return [
            outside_job(each, records.get(each.row.job_name), left_out.get(each.row.job_name, ""))
            for each in found
        ]

    def _wait_outside(self, plan: PlanDocument) -> None:
        """Note who waits on jobs of other categories, and look whether these have ended since."""
        waiting: dict[str, list[JobKey]] = {}
        for entry in plan["jobs"]:
            key = JobKey(plan["job_id"], entry["JobName"], entry["Attempt"])
            for upstream in entry["Outside"]:
                self._rows.add_waiter(upstream, Waiter(plan["logical_date"], key))
                waiting.setdefault(upstream, []).append(key)
        if not waiting:
            return
        rows = self._rows.rows_named(waiting).values()
        for category, names in by_category(read_row(row) for row in rows).items():
            latest = self._runs.latest_jobs(category, plan["logical_date"], names)
            for upstream, job in latest.items():
                self._turns.release_outside(waiting[upstream], job)


def _concerning(
    run: RequestedRun, readings: Sequence[RowReading], makes_up_for: tuple[str, ...]
) -> Callable[[dict[str, Any]], bool]:
    """Return what tells the messages for this run; an extract takes up only tables it extracts."""
    names = {reading.row.job_name for reading in readings}

    def concerns(body: dict[str, Any]) -> bool:
        is_ours = planning.concerns(run.category, body)
        if not is_ours or not run.is_extract:
            return is_ours
        job_name = str(body.get("job_name", ""))
        return job_name in (*names, "") or job_name.startswith(makes_up_for)

    return concerns
