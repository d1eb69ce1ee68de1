"""The verdict on a run."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from penstock.domain.ending import in_short, message_of
from penstock.domain.outcome import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock.domain.job_record import JobRecord
    from penstock.domain.messages import Failure


def verdict_of(jobs: Sequence[JobRecord], failure: Failure | None) -> Verdict:
    """Return SUCCEEDED only if every job that was to run has succeeded.

    A job that was left out for a good reason does not count; one with a bad row does. A run that
    itself failed, or in which nothing succeeded that should have, is FAILED.
    """
    counts = Counter(job.outcome for job in jobs if job.outcome is not Outcome.SKIPPED)
    if failure:
        return Verdict.FAILED
    if counts.total() == counts[Outcome.SUCCEEDED]:
        return Verdict.SUCCEEDED
    return Verdict.PARTIAL if counts[Outcome.SUCCEEDED] else Verdict.FAILED


def stop_of(failure: Failure) -> str:
    """Return in a line what stopped a run."""
    error, cause = failure.get("error") or "Unknown", failure.get("cause") or ""
    return in_short(f"{failure['state']}: {error}: {message_of(cause)}".removesuffix(": "))
