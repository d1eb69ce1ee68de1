"""Run time and rows of a job, judged against what it usually takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from penstock.domain.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock.domain.job_record import JobRecord

FEWEST_SAMPLES: Final = 3
SLOW: Final = 2.0
LEAST_SECONDS: Final = 60.0
"""A job is slow that takes twice its median, and a minute more than that at least."""
FEW, MANY = 0.5, 2.0


def unusual(job: JobRecord) -> Iterator[str]:
    """Yield what is out of the ordinary about a success; nothing of a job that is hardly known."""
    if job.outcome is not Outcome.SUCCEEDED:
        return
    history, seconds = job.history, job.seconds
    is_known = len(history.samples) >= FEWEST_SAMPLES
    usual = history.seconds or 0.0
    if is_known and seconds is not None and seconds > max(usual * SLOW, usual + LEAST_SECONDS):
        yield f"slow: {seconds:,.0f} s, usually {usual:,.0f}"
    written = job.figures.rows_written
    expected = history.rows if is_known else None
    if written is None:
        return
    if expected and not FEW * expected <= written <= MANY * expected:
        yield f"wrote {written:,} rows, usually {expected:,.0f}"
    elif job.expected_rows and written < FEW * job.expected_rows:
        yield f"wrote {written:,} rows, ExpectedRows is {job.expected_rows:,}"
