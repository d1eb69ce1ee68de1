"""The count of a job's records: what the rules found, and whether the rows add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from penstock_job.check import Check
from penstock_job.errors import AccountingError, RuleViolatedError
from penstock_job.judged_table import ACCEPTED, FILTERED, JUDGED, MALFORMED, REJECTED, STATUS, masks
from penstock_job.reject_sql import RETRY
from penstock_job.rule import FAIL_JOB, REJECT, WARN

SPOKEN_REASONS = 3
REJECTED_COUNT, MALFORMED_COUNT = 2, 4
"""The places of the rejected records and of the lines that are none among the counts."""
_FIRST_CHECK_COUNT = 7


@dataclass(frozen=True)
class Tally:
    """How many records were judged how. `malformed` were no records of the table at all (CSV).

    Of the records that were not filtered, `again` are tried again, and `rejected_again` of them
    are rejected once more. No limit is for these: a reject of yesterday stops no load of today.
    """

    records: int
    accepted: int
    rejected: int
    filtered: int
    failed: Sequence[tuple[Check, int]]
    malformed: int = 0
    again: int = 0
    rejected_again: int = 0

    @property
    def concerned(self) -> int:
        """The new records that are this job's business: all that were not filtered."""
        return self.records + self.malformed - self.filtered - self.again

    @property
    def refused(self) -> int:
        """All new records set aside."""
        return self.rejected + self.malformed - self.rejected_again

    def warnings(self) -> list[str]:
        """A line for each rule that only warns and that was broken."""
        return [
            f"{check.text}: {count} records"
            for check, count in self.failed
            if check.severity == WARN and count
        ]


def counts_of(checks: Sequence[Check]) -> tuple[str, ...]:
    """The aggregates over judged records that make a tally.

    They are the records, those accepted, rejected, filtered; the lines that are no records; those
    tried again and not filtered, and those again rejected; then for each check the records that
    fail it, without those tried again. None has a FILTER: Spark observes no such aggregate.
    """
    conditions = _counted([check.flag for check in checks])
    return tuple(f"count(CASE WHEN {condition} THEN 1 END)" for condition in conditions)


def tally_of(checks: Sequence[Check]) -> str:
    """The select of these counts of kept records: those alike are put together first."""
    alike = ", ".join([STATUS, *masks(checks)])
    grouped = (
        f"SELECT {alike}, CASE WHEN {RETRY} IS NOT NULL THEN 0 END AS {RETRY}, "
        f"count(*) AS penstock_alike FROM {JUDGED} GROUP BY {alike}, {RETRY} IS NOT NULL"
    )
    counts = [
        f"coalesce(sum(CASE WHEN {condition} THEN penstock_alike END), 0)"
        for condition in _counted([check.is_failed for check in checks])
    ]
    return f"SELECT {', '.join(counts)} FROM ({grouped}) AS alike"


def _counted(failed: Sequence[str]) -> list[str]:
    is_new = f"{STATUS} IN ({ACCEPTED}, {REJECTED}) AND {RETRY} IS NULL"
    conditions = [f"{STATUS} <> {MALFORMED}"]
    conditions += [f"{STATUS} = {status}" for status in (ACCEPTED, REJECTED, FILTERED, MALFORMED)]
    conditions.append(f"{STATUS} <> {FILTERED} AND {RETRY} IS NOT NULL")
    conditions.append(f"{STATUS} = {REJECTED} AND {RETRY} IS NOT NULL")
    return conditions + [f"{condition} AND {is_new}" for condition in failed]


def counted_in_rejects(checks: Sequence[Check]) -> list[int]:
    """The places of the counts to which rejected records alone can add."""
    return [
        _FIRST_CHECK_COUNT + place for place, check in enumerate(checks) if check.severity == REJECT
    ]


def read_tally(row: Sequence[int], checks: Sequence[Check], malformed: int) -> Tally:
    """The tally in the row of a program's counts; a source may know of further malformed lines."""
    records, accepted, rejected, filtered, _, again, rejected_again, *counts = row
    failed = list(zip(checks, counts))
    return Tally(records, accepted, rejected, filtered, failed, malformed, again, rejected_again)


def require_limits(tally: Tally, max_reject_ratio: float | None) -> None:
    """Raises RuleViolatedError where a rule fails the job or too many records break one."""
    for check, count in tally.failed:
        if check.severity == FAIL_JOB and count:
            raise RuleViolatedError(f"{check.text}: {count} of {tally.concerned} records")
        limit = check.rule.max_reject_ratio if check.rule else None
        require_share(limit, count, tally.concerned, check.text)
    require_share(max_reject_ratio, tally.refused, tally.concerned, _reasons(tally))


def require_share(limit: float | None, count: int, of: int, what: str) -> None:
    """Raises RuleViolatedError where more than this share of the records is rejected."""
    if limit is not None and count > limit * of:
        raise RuleViolatedError(
            f"{count} of {of} records were rejected ({count / of:.1%}, at most {limit:.1%} "
            f"may be): {what}"
        )


def _reasons(tally: Tally) -> str:
    counted = [(count, check.text) for check, count in tally.failed if count]
    if tally.malformed:
        counted.append((tally.malformed, "malformed"))
    counted.sort(key=lambda item: -item[0])
    return ", ".join(f"{text} ({count})" for count, text in counted[:SPOKEN_REASONS])


def require_balance(*, read: int, written: int, rejected: int, filtered: int) -> None:
    """Raises AccountingError unless rows read = written + rejected + filtered.

    Each figure is counted apart: `read` by what was read, `written` and `rejected` in the files
    that were written, `filtered` by the engine.
    """
    if min(written, rejected, filtered) < 0 or read != written + rejected + filtered:
        raise AccountingError(
            f"rows do not add up: {read} read, but {written} written + {rejected} rejected + "
            f"{filtered} filtered = {written + rejected + filtered}; nothing was published"
        )
