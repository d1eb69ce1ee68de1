"""How the extracts of a job's tables went: for the result file, the log and the people."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from penstock_job.contract import Output, Result
from penstock_job.table_dataset import Layer

logger = logging.getLogger(__name__)

SUCCEEDED, FAILED = "SUCCEEDED", "FAILED"
MOST_SPOKEN, MOST_WARNINGS = 3, 20


@dataclass(frozen=True)
class TableOutcome:
    """How the extract of one table went."""

    source: str
    table: str
    outcome: str
    rows: int = 0
    bytes: int = 0
    duplicates: int = 0
    rejected: int = 0
    watermark_before: Any = None
    watermark: Any = None
    path: str = ""
    seconds: float = 0.0
    error: str = ""
    unchanged: bool = False
    drift: Sequence[str] = ()
    details: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The entry of the result file, which Settle Job reads."""
        return {
            "source": self.source,
            "table": self.table,
            "outcome": self.outcome,
            "rows": self.rows,
            "bytes": self.bytes,
            "watermark_before": self.watermark_before,
            "watermark": self.watermark,
            "duration_seconds": round(self.seconds, 3),
            "error": self.error,
            "duplicates": self.duplicates,
            "rows_rejected": self.rejected,
            "unchanged": self.unchanged,
            "drift": list(self.drift),
            **self.details,
        }


def outcome_of(base: TableOutcome, layer: Layer) -> TableOutcome:
    """What a layer says of the extract that made it; the outcome is left as it is."""
    details = dict(layer.details)
    details.pop("source_types", None)
    return replace(
        base,
        rows=layer.rows,
        bytes=layer.bytes,
        duplicates=details.pop("duplicates", 0),
        rejected=details.pop("rows_rejected", 0),
        drift=details.pop("drift", ()),
        watermark=layer.watermark,
        path=layer.files[0].rpartition("/")[0] if layer.files else "",
        details=details,
    )


def result_of(outcomes: Sequence[TableOutcome]) -> Result:
    """The result of the job so far; rows that a source gave twice count as filtered."""
    rows = sum(outcome.rows for outcome in outcomes)
    duplicates = sum(outcome.duplicates for outcome in outcomes)
    rejected = sum(outcome.rejected for outcome in outcomes)
    return Result(
        rows_read=rows + duplicates + rejected,
        rows_written=rows,
        rows_rejected=rejected,
        rows_filtered=duplicates,
        bytes=sum(outcome.bytes for outcome in outcomes),
        outputs=[
            Output(outcome.table, outcome.path, outcome.rows)
            for outcome in outcomes
            if outcome.path
        ],
        tables=[outcome.as_json() for outcome in outcomes],
        warnings=_warnings(outcomes),
    )


def _warnings(outcomes: Sequence[TableOutcome]) -> list[str]:
    """What people should know of tables that went well: new columns, and records set aside."""
    found = []
    for outcome in outcomes:
        if outcome.outcome == FAILED or outcome.unchanged:
            continue
        found += [f"{outcome.table}: {line}" for line in outcome.drift]
        if outcome.rejected:
            kept = outcome.details.get("rejects") or "nowhere"
            records = "1 record" if outcome.rejected == 1 else f"{outcome.rejected} records"
            found.append(f"{outcome.table}: {records} rejected, kept in {kept}")
    left = len(found) - MOST_WARNINGS
    return [*found[:MOST_WARNINGS], *([f"and {left} more warnings"] if left > 0 else [])]


def spoken(failed: Sequence[TableOutcome], of: int) -> str:
    """Which tables failed, and why, in one line; of very many the first."""
    shown = "; ".join(f"{outcome.table}: {outcome.error}" for outcome in failed[:MOST_SPOKEN])
    more = f"; … and {len(failed) - MOST_SPOKEN} more" if len(failed) > MOST_SPOKEN else ""
    return f"{len(failed)} of {of} tables failed: {shown}{more}"


def log_outcome(outcome: TableOutcome) -> None:
    """Tell the job's log of a table."""
    name = f"{outcome.source}/{outcome.table}"
    if outcome.outcome == FAILED:
        logger.error("%s failed: %s", name, outcome.error)
        return
    for line in outcome.drift:
        logger.warning("%s: %s", name, line)
    logger.info(
        "%s: %d rows, %d rejected, %d bytes in %.1f s%s",
        name,
        outcome.rows,
        outcome.rejected,
        outcome.bytes,
        outcome.seconds,
        ", unchanged" if outcome.unchanged else "",
    )
