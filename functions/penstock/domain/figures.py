"""What a job did in numbers; None where nobody said."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Figures:
    """Rows and bytes as the job reported them, time and DPU-seconds as the service
    did, dollars by the prices of the day."""

    rows_read: int | None = None
    rows_written: int | None = None
    rows_rejected: int | None = None
    rows_filtered: int | None = None
    bytes: int | None = None
    seconds: float | None = None
    dpu_seconds: float | None = None
    dollars: float | None = None

    @property
    def imbalance(self) -> str:
        """Return what is wrong if rows read are not written + rejected + filtered, else nothing.

        Nothing is said of figures of which one is unknown.
        """
        read, written = self.rows_read, self.rows_written
        rejected, filtered = self.rows_rejected, self.rows_filtered
        if read is None or written is None or rejected is None or filtered is None:
            return ""
        found = written + rejected + filtered
        if read == found:
            return ""
        return (
            f"rows do not add up: {read:,} were read, but {written:,} written + {rejected:,} "
            f"rejected + {filtered:,} filtered are {found:,}"
        )

    def or_else(self, other: Figures) -> Figures:
        """Return these figures, with those of the other where these are unknown."""
        return Figures(
            **{
                field.name: mine if mine is not None else getattr(other, field.name)
                for field in fields(self)
                for mine in [getattr(self, field.name)]
            }
        )
