"""The small JSON file in which a job may report what it did."""

from __future__ import annotations

import json
from typing import Any, Final

from penstock.domain.figures import Figures

COUNTS: Final = ("rows_read", "rows_written", "rows_rejected", "rows_filtered", "bytes")

LARGEST_COUNT: Final = 2**63 - 1
"""What a BIGINT of the run log can hold."""


class MalformedResultError(ValueError):
    """The result file is not what a job has to write; what could be read is in `figures`."""

    def __init__(self, message: str, figures: Figures) -> None:
        super().__init__(message)
        self.figures = figures


def figures_of_file(content: bytes | None) -> Figures:
    """Return the counts of a result file; a job need not write one.

    Raises MalformedResultError, with what could be read all the same.
    """
    if content is None:
        return Figures()
    try:
        report = json.loads(content)
    except ValueError as error:
        raise MalformedResultError(f"result.json is no JSON: {error}", Figures()) from None
    return figures_of_report(report)


def warnings_of_file(content: bytes | None) -> list[str]:
    """Return the warnings that a job has left for people; a file that says none gives none."""
    try:
        report = json.loads(content or b"{}")
    except ValueError:
        return []
    stated = report.get("warnings") if isinstance(report, dict) else None
    return [str(text) for text in stated] if isinstance(stated, list) else []


def figures_of_report(report: Any) -> Figures:
    """Return the counts among a report's members, whatever else it holds."""
    if not isinstance(report, dict):
        raise MalformedResultError("result.json is no JSON object", Figures())
    stated = {name: report[name] for name in COUNTS if report.get(name) is not None}
    good = {name: int(value) for name, value in stated.items() if is_count(value)}
    bad = [f"{name} is {stated[name]!r}" for name in stated if name not in good]
    if bad:
        raise MalformedResultError(f"result.json: {', '.join(bad)}, no count", Figures(**good))
    return Figures(**good)


def is_count(value: Any) -> bool:
    """Tell whether a member of a result file is a count."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return bool(0 <= value <= LARGEST_COUNT and value == int(value))
