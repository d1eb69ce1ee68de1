"""What the digest says of rejected records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from penstock.domain.lane import Lane
from penstock.domain.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from penstock.domain.job_record import JobRecord
    from penstock.domain.rejects_report import RejectsReport

MOST_RULES: Final = 5


def rejected_records(jobs: Iterable[JobRecord]) -> list[str]:
    """Return some lines for each job that has rejected records or tried such again."""
    return [
        _lines(job, job.rejects) for job in jobs if job.rejects and job.outcome is Outcome.SUCCEEDED
    ]


def _lines(job: JobRecord, report: RejectsReport) -> str:
    read = job.figures.rows_read
    of = f" of {read:,}" if read is not None else ""
    rules = f": {spoken_rules(report.by_rule)}" if report.by_rule else ""
    lines = [f"{job.job_name}: {report.rows:,}{of} rejected{rules}"]
    if report.retried:
        newer = f", {report.superseded:,} of them replaced by newer records"
        more = newer if report.superseded else ""
        lines.append(f"{report.rows_retried:,} of earlier runs were tried again{more}")
    resting = report.rows if job.lane == Lane.BACKFILL else report.resting
    if resting:
        why = "as those of a backfill" if job.lane == Lane.BACKFILL else "after 3 attempts"
        verb = "rests" if resting == 1 else "rest"
        lines.append(f"{resting:,} {verb} now, {why}: penstock rejects list {job.category}")
    if report.rows > resting:
        lines.append(f"to see them: penstock rejects show {job.job_id} --job {job.job_name}")
    return "\n    ".join(lines)


def spoken_rules(by_rule: Mapping[str, int]) -> str:
    """Return how many records which rules have rejected, the strictest rules first."""
    ranked = sorted(by_rule.items(), key=lambda rule: (-rule[1], rule[0]))
    shown = [f"{count:,} {rule}" for rule, count in ranked[:MOST_RULES]]
    left = len(ranked) - MOST_RULES
    return ", ".join(shown) + (f" and by {left} more rules" if left > 0 else "")
