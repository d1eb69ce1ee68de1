"""What follows from the end of an extract job for each of its tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from penstock.domain.lane import Lane
from penstock.domain.table_report import table_reports

if TYPE_CHECKING:
    from penstock.domain.job_record import JobKey, JobRecord
    from penstock.domain.table_report import TableReport


class TableStore(Protocol):
    """Where extracts by table are kept."""

    def record(self, job: JobKey, report: TableReport, now: str) -> None:
        """Write how the extract of a table went."""

    def commit_watermark(self, job_id: str, report: TableReport, now: str) -> bool:
        """Move a watermark on from where the extract began; false if it stands elsewhere."""


def settle_tables(
    tables: TableStore, job: JobRecord, result_file: bytes | None, now: str
) -> list[TableReport]:
    """Commit the watermarks of the tables that succeeded and record all; return the reports.

    To be called after the outcome of the job is written, and as often as one likes. A table of a
    pack succeeds or fails by itself, so its watermark moves even if a neighbour has failed. A
    backfill moves none.
    """
    reports = table_reports(result_file)
    for number, report in enumerate(reports):
        moves = job.lane != Lane.BACKFILL and report.moves_watermark
        if moves and not tables.commit_watermark(job.job_id, report, now):
            conflict = "another extract has moved the watermark meanwhile; it stays there"
            reports[number] = replace(report, error=conflict)
        tables.record(job.key, reports[number], now)
    return reports
