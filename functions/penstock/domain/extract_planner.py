"""Plans extracts: the tables of an event become jobs, each with its work order."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, cast

from penstock.domain.control_row import read_row
from penstock.domain.extract_jobs import extract_jobs, work_order_key
from penstock.domain.extract_rerun import extract_rerun
from penstock.domain.extract_selection import selected_again
from penstock.domain.lane import Lane

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from penstock.domain.extract_config import ExtractConfig, ExtractTable
    from penstock.domain.extract_jobs import ExtractJob
    from penstock.domain.extract_rerun import ExtractRerun, PlannedTable
    from penstock.domain.messages import PlanRunResponse, RunRequest
    from penstock.domain.plan_line import PlanDocument
    from penstock.domain.requested_run import RequestedRun
    from penstock.domain.run_planner import RunPlanner

FOLDER: Final = "extract/"
"""Where under the data path the tables lie: extract/<source>/<table>."""
_OF_THE_REQUEST: Final = ("extract_config", "tables_to_extract", "overrides")


class Tables(Protocol):
    """The tables of extract runs and their watermarks."""

    def plan(self, job_id: str, tables: Iterable[tuple[str, str]]) -> None:
        """Note which job of the run extracts which table."""

    def of_run(self, job_id: str) -> Mapping[str, PlannedTable]:
        """Return the tables of a run, by table key."""

    def failed(self, tables: Sequence[tuple[str, str]]) -> set[str]:
        """Return which of some tables failed last time, by table key."""

    def watermarks(self, tables: Sequence[tuple[str, str]]) -> dict[str, Any]:
        """Return the committed watermarks, by table key."""


class Files(Protocol):
    """The files of a run."""

    def store_file(self, key: str, content: bytes) -> None:
        """Store a file."""

    def file(self, key: str) -> bytes | None:
        """Return a file, if there is one."""


class ExtractAgain(NamedTuple):
    """An extract run that is to be run again: what was asked for then, and what is left of it."""

    run: RequestedRun
    rerun: ExtractRerun

    @property
    def config_uri(self) -> str:
        """Return where the extract config is."""
        return self.run.request["extract_config"]


class ExtractPlanner:
    """Makes the plan of an extract; everything after that is as for any run."""

    def __init__(self, planner: RunPlanner, tables: Tables, files: Files) -> None:
        self._planner = planner
        self._tables = tables
        self._files = files

    def with_failed(
        self, tables: Sequence[ExtractTable], config: ExtractConfig, run: RequestedRun
    ) -> list[ExtractTable]:
        """Return the tables asked for and those of the config that failed last time.

        A backfill makes up for nothing.
        """
        asked = {table.key for table in tables}
        others = [table for table in config.tables if table.key not in asked]
        if run.lane == Lane.BACKFILL or not others:
            return list(tables)
        failed = self._tables.failed([(table.source.name, table.table) for table in others])
        return [*tables, *(table for table in others if table.key in failed)]

    def plan(
        self,
        run: RequestedRun,
        tables: Sequence[ExtractTable],
        target_seconds: float,
        again: ExtractRerun | None = None,
    ) -> PlanRunResponse:
        """Store work orders and plan; raise InvalidRequestError for a bad request."""
        jobs = extract_jobs(tables, target_seconds)
        readings = [read_row(job.row(run.category, run.job_id)) for job in jobs]
        sources = tuple(f"{table.source.name}." for table in tables)
        return self._planner.plan_rows(
            run,
            readings,
            again.of_jobs(jobs) if again else None,
            prepare=lambda: self._order(run, jobs),
            makes_up_for=sources,
        )

    def again(self, run: RequestedRun) -> ExtractAgain | None:
        """Return what the rerun of an extract is about; None if it is of no extract.

        Raises InvalidRequestError if nothing can be run again.
        """
        stated = self._files.file(_request_key(run.rerun_of)) if run.rerun_of else None
        if stated is None:
            return None
        chain = self._planner.chain(run)
        tables = [self._tables.of_run(each.job_id) for each in chain]
        rerun = extract_rerun(chain, self._planner.jobs_of(chain), tables, run.only)
        request = cast("RunRequest", {**run.request, **json.loads(stated)})
        return ExtractAgain(replace(run.as_rerun(chain[0]), request=request), rerun)

    def plan_again(self, again: ExtractAgain, config: ExtractConfig) -> PlanRunResponse:
        """Plan the tables of an extract that did not succeed, and no others."""
        tables = selected_again(config, again.run.request, again.rerun.chosen)
        return self.plan(again.run, tables, config.target_seconds, again.rerun)

    def draft_again(self, again: ExtractAgain, config: ExtractConfig) -> PlanDocument:
        """Make that plan without storing anything."""
        run = again.run
        tables = selected_again(config, run.request, again.rerun.chosen)
        jobs = extract_jobs(tables, config.target_seconds)
        readings = [read_row(job.row(run.category, run.job_id)) for job in jobs]
        return self._planner.draft(run, readings, rerun=again.rerun.of_jobs(jobs))

    def _order(self, run: RequestedRun, jobs: Sequence[ExtractJob]) -> None:
        """Write what was asked for, and what each job is to do, with the watermarks of now."""
        stated = {name: each for name, each in run.request.items() if name in _OF_THE_REQUEST}
        self._files.store_file(_request_key(run.job_id), json.dumps(stated).encode())
        tables = [table for job in jobs for table in job.tables]
        watermarks = self._tables.watermarks([(table.source.name, table.table) for table in tables])
        for job in jobs:
            order = job.work_order(watermarks, FOLDER)
            self._files.store_file(work_order_key(run.job_id, job.name), json.dumps(order).encode())
        self._tables.plan(
            run.job_id, [(table.key, job.name) for job in jobs for table in job.tables]
        )


def _request_key(job_id: str) -> str:
    """Return the key of what an extract run was asked for, from which it can be run again."""
    return f"runs/{job_id}/extract.json"
