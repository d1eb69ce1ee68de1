"""What a statement does and what it leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from penstock_local.redshift.results import ResultSet
from penstock_local.redshift.session import Session


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many rows were changed or returned (-1: neither), and the rows that were returned."""

    rows: int = -1
    result: ResultSet | None = None


class Command(Protocol):
    """A statement that has been understood and can be run."""

    def run(self, session: Session) -> Outcome:
        """Run it in the session's transaction. Raises SqlError, StatementCancelledError."""
        ...
