"""What follows from the end of an extract job for each of its tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from penstock.domain.ending import TABLES_ERROR, in_short
from penstock.domain.lane import Lane
from penstock.domain.outcome import Outcome
from penstock.domain.table_report import SUCCEEDED, table_reports

if TYPE_CHECKING:
    from penstock.domain.ending import Ending
    from penstock.domain.job_record import JobKey, JobRecord
    from penstock.domain.table_report import TableReport


class TableStore(Protocol):
    """Where extracts by table are kept."""

    def record(self, job: JobKey, report: TableReport, now: str) -> None:
        """Write how the extract of a table went."""

    def unreported(self, job: JobKey) -> list[TableReport]:
        """Return the tables that the job was to extract and that still are planned, as failed."""

    def remember_failure(self, job_id: str, report: TableReport, now: str) -> None:
        """Have a table extracted by the next run, too."""

    def forget_failure(self, job_id: str, report: TableReport) -> None:
        """Have no table extracted again for what failed before this run."""

    def commit_watermark(self, job_id: str, report: TableReport, now: str) -> bool:
        """Move a watermark on from where the extract began; false if it stands elsewhere."""


def judged(tables: TableStore, key: JobKey, ending: Ending, result_file: bytes | None) -> Ending:
    """Return the ending as it has to be recorded: an extract that left a table out has failed."""
    reported = {(report.source, report.table) for report in table_reports(result_file)}
    if ending.outcome is not Outcome.SUCCEEDED or not reported:
        return ending
    left_out = [
        report.table
        for report in tables.unreported(key)
        if (report.source, report.table) not in reported
    ]
    if not left_out:
        return ending
    cause = in_short(f"the job does not report what became of {', '.join(left_out)}")
    return replace(ending, outcome=Outcome.FAILED, error=TABLES_ERROR, cause=cause)


def settle_tables(
    tables: TableStore, job: JobRecord, result_file: bytes | None, now: str
) -> list[TableReport]:
    """Commit the watermarks of the tables that succeeded and record all; return the reports.

    To be called after the outcome of the job is written, and as often as one likes. A table of a
    pack succeeds or fails by itself, so its watermark moves even if a neighbour has failed. One
    that failed, or that a job which failed says nothing of, is remembered for the next run. A
    backfill moves no watermark, and is remembered by none.
    """
    reports = table_reports(result_file)
    for number, report in enumerate(reports):
        moves = job.lane != Lane.BACKFILL and report.moves_watermark
        if moves and not tables.commit_watermark(job.job_id, report, now):
            conflict = "another extract has moved the watermark meanwhile; it stays there"
            reports[number] = replace(report, error=conflict)
    if reports or job.outcome is not Outcome.SUCCEEDED:
        reports += _never_reached(tables, job, {(each.source, each.table) for each in reports})
    for report in reports:
        tables.record(job.key, report, now)
        if job.lane != Lane.BACKFILL:
            _remember(tables, job, report, now)
    return reports


def _never_reached(
    tables: TableStore, job: JobRecord, reported: set[tuple[str, str]]
) -> list[TableReport]:
    """Return the tables that the job says nothing of: it was never started, or ended before."""
    error = f"the job ended as {job.state} and did not report this table; {job.cause or job.error}"
    return [
        replace(report, error=error)
        for report in tables.unreported(job.key)
        if (report.source, report.table) not in reported
    ]


def _remember(tables: TableStore, job: JobRecord, report: TableReport, now: str) -> None:
    if report.outcome == SUCCEEDED:
        tables.forget_failure(job.job_id, report)
    else:
        tables.remember_failure(job.job_id, report, now)
