"""What a job reports of rejects in its result file: those it kept, and those it tried again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.domain.figures import Figures
from penstock.domain.result_file import MalformedResultError, is_count


@dataclass(frozen=True, slots=True)
class RejectsReport:
    """The rejects that an attempt kept under `path`, counted by rule; `resting` of them have been
    tried so often that no run tries them by itself. `retried` are the paths of earlier rejects
    that it tried again, with `rows_retried` records, of which newer ones replaced `superseded`.
    """

    rows: int = 0
    path: str = ""
    by_rule: Mapping[str, int] = field(default_factory=dict)
    resting: int = 0
    retried: tuple[str, ...] = ()
    rows_retried: int = 0
    superseded: int = 0

    def to_attribute(self) -> dict[str, Any]:
        """Return the report as an attribute of the run table."""
        return {
            "rows": self.rows,
            "path": self.path,
            "by_rule": dict(self.by_rule),
            "resting": self.resting,
            "retried": list(self.retried),
            "rows_retried": self.rows_retried,
            "superseded": self.superseded,
        }

    @classmethod
    def from_attribute(cls, value: Any) -> RejectsReport | None:
        """Return the report in an attribute of the run table, or None."""
        return _report(value) if value else None


def rejects_of_file(content: bytes | None) -> RejectsReport | None:
    """Return what a result file says of rejects; None if it says nothing or is no JSON object.

    Raises MalformedResultError for what cannot be read, because nobody would try those rejects.
    """
    try:
        document = json.loads(content or b"null")
    except ValueError:
        return None
    stated = document.get("rejects") if isinstance(document, dict) else None
    if stated is None:
        return None
    try:
        return _report(stated)
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedResultError(
            f"result.json: its rejects cannot be read: {error!r}", Figures()
        ) from None


def _report(stated: Mapping[str, Any]) -> RejectsReport:
    rows, path = _count(stated["rows"]), str(stated.get("path") or "")
    if rows and not path.startswith("s3://"):
        raise ValueError(f"path is {path!r}, not where they are kept")
    return RejectsReport(
        rows=rows,
        path=path,
        by_rule={str(rule): _count(number) for rule, number in stated.get("by_rule", {}).items()},
        resting=_count(stated.get("resting", 0)),
        retried=tuple(str(each) for each in stated.get("retried", ())),
        rows_retried=_count(stated.get("rows_retried", 0)),
        superseded=_count(stated.get("superseded", 0)),
    )


def _count(value: Any) -> int:
    if not is_count(value):
        raise ValueError(f"{value!r} is no count")
    return int(value)
