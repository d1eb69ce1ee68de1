"""Reruns of extracts: the tables of a run that were not extracted, once more, and only those."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from penstock.domain.errors import InvalidRequestError
from penstock.domain.rerun import STANDING, Rerun, require_ended
from penstock.domain.table_report import SUCCEEDED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from penstock.domain.extract_jobs import ExtractJob
    from penstock.domain.job_record import JobRecord
    from penstock.domain.run_record import RunRecord


class PlannedTable(NamedTuple):
    """A table of a run: which job was to extract it, and the status of its extract."""

    job_name: str
    status: str


@dataclass(frozen=True, slots=True)
class TableStanding:
    """How a table stands after a run and its reruns, by the job that had it last."""

    key: str
    status: str
    job: JobRecord

    @property
    def is_done(self) -> bool:
        """Tell whether the table stands; a job that reports no tables speaks for all of them."""
        return self.status == SUCCEEDED or self.job.outcome in STANDING

    def is_named(self, name: str) -> bool:
        """Tell whether a name is that of the table or of the job that had it."""
        return name in (self.key, self.key.partition("/")[2], self.job.job_name)


@dataclass(frozen=True, slots=True)
class ExtractRerun:
    """An extract run as it stands now, and the tables of it that are to be extracted again."""

    run: RunRecord
    chain: frozenset[str]
    tables: Mapping[str, TableStanding]
    chosen: frozenset[str]

    def of_jobs(self, jobs: Sequence[ExtractJob]) -> Rerun:
        """Return the rerun of these jobs, each in the place of one that its tables had before."""
        before = {job.name: self.tables[job.tables[0].key].job for job in jobs}
        return Rerun(self.run, before, frozenset(), self.chain)


def extract_rerun(
    chain: Sequence[RunRecord],
    jobs: Iterable[Iterable[JobRecord]],
    tables: Iterable[Mapping[str, PlannedTable]],
    only: Sequence[str],
) -> ExtractRerun:
    """Return what a rerun is about; `jobs` and `tables` are those of each run of the chain.

    `only` names tables, or jobs with all the tables that they were to extract; empty: all that did
    not succeed. Raises InvalidRequestError if a run of the chain is open, or what is named cannot
    be extracted again.
    """
    require_ended(chain)
    standings: dict[str, TableStanding] = {}
    for jobs_of_run, tables_of_run in zip(jobs, tables, strict=True):
        by_name = {job.job_name: job for job in jobs_of_run}
        for key, table in tables_of_run.items():
            if table.job_name in by_name:
                standings[key] = TableStanding(key, table.status, by_name[table.job_name])
    run = chain[0]
    for name in only:
        _require(name, standings.values(), run)
    chosen = frozenset(
        key
        for key, table in standings.items()
        if not table.is_done and (not only or any(map(table.is_named, only)))
    )
    return ExtractRerun(run, frozenset(each.job_id for each in chain), standings, chosen)


def _require(name: str, tables: Iterable[TableStanding], run: RunRecord) -> None:
    named = [table for table in tables if table.is_named(name)]
    if not named:
        why = f"is neither a table nor a job of run {run.job_id}"
    elif all(table.is_done for table in named):
        why = f"has succeeded in run {named[0].job.job_id}"
    else:
        return
    raise InvalidRequestError(f"jobs: {name} cannot be run again: it {why}")
