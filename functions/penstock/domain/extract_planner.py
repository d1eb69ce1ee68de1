"""Plans extracts: the tables of an event become jobs, each with its work order."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Protocol

from penstock.domain.control_row import read_row
from penstock.domain.extract_jobs import extract_jobs, work_order_key
from penstock.domain.lane import Lane

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from penstock.domain.extract_config import ExtractConfig, ExtractTable
    from penstock.domain.extract_jobs import ExtractJob
    from penstock.domain.messages import PlanRunResponse
    from penstock.domain.requested_run import RequestedRun
    from penstock.domain.run_planner import RunPlanner

FOLDER: Final = "extract/"
"""Where under the data path the tables lie: extract/<source>/<table>."""


class Tables(Protocol):
    """The tables of extract runs and their watermarks."""

    def plan(self, job_id: str, tables: Iterable[tuple[str, str]]) -> None:
        """Note which job of the run extracts which table."""

    def failed(self, tables: Sequence[tuple[str, str]]) -> set[str]:
        """Return which of some tables failed last time, by table key."""

    def watermarks(self, tables: Sequence[tuple[str, str]]) -> dict[str, Any]:
        """Return the committed watermarks, by table key."""


class Files(Protocol):
    """The files of a run."""

    def store_file(self, key: str, content: bytes) -> None:
        """Store a file."""


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
        self, run: RequestedRun, tables: Sequence[ExtractTable], target_seconds: float
    ) -> PlanRunResponse:
        """Store work orders and plan; raise InvalidRequestError for a bad request."""
        jobs = extract_jobs(tables, target_seconds)
        readings = [read_row(job.row(run.category, run.job_id)) for job in jobs]
        sources = tuple(f"{table.source.name}." for table in tables)
        return self._planner.plan_rows(
            run, readings, prepare=lambda: self._order(run, jobs), makes_up_for=sources
        )

    def _order(self, run: RequestedRun, jobs: Sequence[ExtractJob]) -> None:
        """Write what each job is to do, with the watermarks as they are now."""
        tables = [table for job in jobs for table in job.tables]
        watermarks = self._tables.watermarks([(table.source.name, table.table) for table in tables])
        for job in jobs:
            order = job.work_order(watermarks, FOLDER)
            self._files.store_file(work_order_key(run.job_id, job.name), json.dumps(order).encode())
        self._tables.plan(
            run.job_id, [(table.key, job.name) for job in jobs for table in job.tables]
        )
