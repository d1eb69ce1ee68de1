"""What a job usually takes: figures of its last successes, kept in its control row."""

from __future__ import annotations

from dataclasses import dataclass
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

    def to_attribute(self) -> list[list[float | int | None]]:
        """Return what the control row and the run table store, see Sample.to_list."""
        return [sample.to_list() for sample in self.samples]

    @classmethod
    def from_attribute(cls, value: Any) -> History:
        """Read what was stored; what cannot be read is no history, never an error."""
        stored = value if isinstance(value, (list, tuple)) else ()
        samples = [_sample(entry) for entry in stored]
        return cls(tuple(sample for sample in samples if sample is not None)[:LONGEST])


def _sample(entry: Any) -> Sample | None:
    match entry:
        case [int() | float() as seconds, rows, dollars, *further]:
            size = further[0] if further else None
            return Sample(
                float(seconds),
                int(rows) if isinstance(rows, (int, float)) else None,
                float(dollars) if isinstance(dollars, (int, float)) else None,
                int(size) if isinstance(size, (int, float)) else None,
            )
    return None


def _median(values: list[Any]) -> float | None:
    known = [value for value in values if value is not None]
    return float(median(known)) if known else None
