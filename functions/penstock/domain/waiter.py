"""A job that waits on a job of another category; noted in the control row of that other job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from penstock.domain.job_record import JobKey

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Waiter:
    """Which attempt at which job waits, and for which day its upstream has to succeed."""

    logical_date: str
    key: JobKey

    def to_text(self) -> str:
        """Return `<logical date>|<job id>|<job name>|<attempt>`."""
        job_id, job_name, attempt = self.key
        return f"{self.logical_date}|{job_id}|{job_name}|{attempt}"

    @classmethod
    def from_text(cls, text: str) -> Waiter | None:
        """Read what was noted; None for a text that is no waiter."""
        parts = text.split("|")
        if len(parts) != len(("date", "id", "name", "attempt")) or not parts[3].isdecimal():
            return None
        return cls(parts[0], JobKey(parts[1], parts[2], int(parts[3])))


def waiting_for(texts: Iterable[str], logical_date: str) -> list[Waiter]:
    """Return those who wait for the day, sorted."""
    waiters = [Waiter.from_text(text) for text in sorted(texts)]
    return [waiter for waiter in waiters if waiter and waiter.logical_date == logical_date]
