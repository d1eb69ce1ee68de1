"""What an extract job reports of each of its tables, in the `tables` of its result file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_ERROR: Final = 1_000
MOST_NOTES: Final = 20
MOST_SHOWN: Final = 3
SUCCEEDED: Final = "SUCCEEDED"
FAILED: Final = "FAILED"


@dataclass(frozen=True, slots=True)
class TableReport:
    """How the extract of one table went; watermarks are texts, equal if they mean the same.

    `notes` say what else is worth knowing: that nothing has changed, new columns, rejects. Of
    those there are `rejected`, kept under `rejects` (`s3://…`).
    """

    source: str
    table: str
    outcome: str
    rows: int | None = None
    bytes: int | None = None
    seconds: float | None = None
    watermark_before: str | None = None
    watermark: str | None = None
    error: str = ""
    notes: tuple[str, ...] = ()
    rejected: int = 0
    rejects: str = ""

    @property
    def moves_watermark(self) -> bool:
        """Tell whether there is a new watermark to commit: only a success has one."""
        is_new = self.watermark is not None and self.watermark != self.watermark_before
        return self.outcome == SUCCEEDED and is_new


@dataclass(frozen=True, slots=True)
class TableRejects:
    """What an extract has rejected of a table (`source/table`), and where it is kept, if it is."""

    table: str
    job_name: str
    rows: int
    path: str


def failures_among(reports: list[TableReport]) -> str:
    """Return what is to be said of the tables that failed; empty if none has."""
    failed = [report for report in reports if report.outcome == FAILED]
    if not failed:
        return ""
    shown = "; ".join(f"{report.table}: {report.error}" for report in failed[:MOST_SHOWN])
    more = f"; … and {len(failed) - MOST_SHOWN} more" if len(failed) > MOST_SHOWN else ""
    return f"{len(failed)} of {len(reports)} tables failed: {shown}{more}"


def table_reports(content: bytes | None) -> list[TableReport]:
    """Return the reports of a result file; none if it has no tables or cannot be read.

    What the counts of the file say is judged elsewhere (`result_file.py`), and so is a bad file.
    """
    try:
        document = json.loads(content or b"null")
    except ValueError:
        return []
    entries = document.get("tables") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        return []
    return [_report(entry) for entry in entries if isinstance(entry, dict) and entry.get("table")]


def watermark_text(value: Any) -> str | None:
    """Return a watermark as one text, whatever JSON it is; None for none."""
    return None if value is None else json.dumps(value, sort_keys=True, separators=(",", ":"))


def _report(entry: dict[str, Any]) -> TableReport:
    stated = str(entry.get("outcome", ""))
    return TableReport(
        source=str(entry.get("source", "")),
        table=str(entry["table"]),
        outcome=stated if stated == SUCCEEDED else FAILED,
        rows=_count(entry.get("rows")),
        bytes=_count(entry.get("bytes")),
        seconds=_number(entry.get("duration_seconds")),
        watermark_before=watermark_text(entry.get("watermark_before")),
        watermark=watermark_text(entry.get("watermark")),
        error=str(entry.get("error") or "")[:LONGEST_ERROR],
        notes=tuple(_notes(entry)),
        rejected=_count(entry.get("rows_rejected")) or 0,
        rejects=str(entry.get("rejects") or ""),
    )


def _notes(entry: dict[str, Any]) -> Iterable[str]:
    if entry.get("unchanged") is True:
        yield "unchanged since the last extract"
    drift = entry.get("drift")
    if isinstance(drift, list):
        yield from (str(line) for line in drift[:MOST_NOTES])
    if rejected := _count(entry.get("rows_rejected")):
        yield f"{rejected} records rejected: {entry.get('rejects') or 'kept nowhere'}"


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and value >= 0 else None


def _count(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else int(number)
