"""What a job usually takes: figures of its last successes, kept in its control row.

They are stored as one text of JSON. As a list of lists they would be 37 values of DynamoDB in every
row, and reading and writing those was most of what planning a large category took.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import isfinite
from statistics import median
from typing import Any, Final

LONGEST: Final = 9
"""Successes that are remembered; a median of nine forgets four odd days."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One success: its run time, and rows written, dollars and bytes where known."""

    seconds: float
    rows: int | None = None
    dollars: float | None = None
    bytes: int | None = None

    def to_list(self) -> list[float | int | None]:
        """Return what is stored: `[seconds, rows, dollars]`, and the bytes if they are known."""
        figures = [self.seconds, self.rows, self.dollars]
        return figures if self.bytes is None else [*figures, self.bytes]


@dataclass(frozen=True, slots=True)
class History:
    """The last successes of a job, the newest first."""

    samples: tuple[Sample, ...] = ()

    @property
    def seconds(self) -> float | None:
        """Return the median run time, or None if the job has never succeeded."""
        return _median([sample.seconds for sample in self.samples])

    @property
    def rows(self) -> float | None:
        """Return the median of the rows written, where they are known."""
        return _median([sample.rows for sample in self.samples])

    @property
    def dollars(self) -> float | None:
        """Return the median cost, where it is known."""
        return _median([sample.dollars for sample in self.samples])

    @property
    def bytes(self) -> float | None:
        """Return the median of the bytes written, where they are known."""
        return _median([sample.bytes for sample in self.samples])

    def grown(self, sample: Sample) -> History:
        """Return the history with one more success; the oldest is forgotten."""
        return History((sample, *self.samples)[:LONGEST])

    def to_text(self) -> str:
        """Return what rows, items and plans store, see Sample.to_list; nothing if there is none."""
        if not self.samples:
            return ""
        return json.dumps([sample.to_list() for sample in self.samples], separators=(",", ":"))

    @classmethod
    def from_text(cls, text: Any) -> History:
        """Read what was stored; what cannot be read is no history, never an error."""
        if not isinstance(text, str) or not text:
            return cls()
        try:
            stored = json.loads(text)
        except (ValueError, RecursionError):
            return cls()
        samples = [_sample(entry) for entry in stored] if isinstance(stored, list) else []
        return cls(tuple(sample for sample in samples if sample is not None)[:LONGEST])


def _sample(entry: Any) -> Sample | None:
    if not isinstance(entry, list) or len(entry) < 3:
        return None
    seconds, rows, dollars, size = [*entry, None][:4]
    if not _is_figure(seconds):
        return None
    return Sample(
        float(seconds),
        int(rows) if _is_figure(rows) else None,
        float(dollars) if _is_figure(dollars) else None,
        int(size) if _is_figure(size) else None,
    )


def _is_figure(value: Any) -> bool:
    return isinstance(value, (int, float)) and isfinite(value)


def _median(values: list[Any]) -> float | None:
    known = [value for value in values if value is not None]
    return float(median(known)) if known else None
