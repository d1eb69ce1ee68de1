"""How the extract of one table went, as the result file says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

SUCCEEDED, FAILED = "SUCCEEDED", "FAILED"


@dataclass(frozen=True)
class TableOutcome:
    """How the extract of one table went."""

    source: str
    table: str
    outcome: str
    rows: int = 0
    bytes: int = 0
    duplicates: int = 0
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
            "unchanged": self.unchanged,
            "drift": list(self.drift),
            **self.details,
        }
