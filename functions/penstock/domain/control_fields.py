"""The names of a control row's fields, and what looks like a misspelt one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DECLARED: Final = (
    "JobName", "JobCategory", "Environment", "JobType", "Target", "Arguments", "WorkerType",
    "NumberOfWorkers", "MaxCapacity", "TimeoutMinutes", "MaxAttempts", "RunCondition", "TimeZone",
    "SkipFlag", "SkipReason", "SkipUntil", "DependsOn", "Pool", "Priority", "Owner", "ExpectedRows",
    "ExpectedBytes", "TargetSpark",
)  # fmt: skip
"""The fields a person writes."""
RECORDED: Final = (
    "StatusFlag", "LastRunTimestamp", "LastJobId", "LastSeconds", "FailuresInARow", "Recent",
    "Waiters",
)  # fmt: skip
"""The fields that Penstock writes; in a row to be applied they are passed over."""

_FIELDS: Final = frozenset((*DECLARED, *RECORDED))
_PLAIN: Final = {field.lower().replace("_", ""): field for field in (*DECLARED, *RECORDED)}
_SIMILAR: Final = 0.8


def misspelt(fields: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield fields that look like misspelt ones, and which; columns of the user's own do not."""
    for field in sorted(set(fields) - _FIELDS):
        plain = field.lower().replace("_", "")
        meant = _PLAIN.get(plain) or _closest(plain)
        if meant:
            yield field, meant


def _closest(plain: str) -> str | None:
    from difflib import get_close_matches  # rarely needed by a cold start

    matches = get_close_matches(plain, _PLAIN, n=1, cutoff=_SIMILAR)
    return _PLAIN[matches[0]] if matches else None
