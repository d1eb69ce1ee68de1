"""What COPY could not load, as SYS_LOAD_ERROR_DETAIL and STL_LOAD_ERRORS show it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from penstock_local.redshift.errors import SqlError
from penstock_local.redshift.relations import Column
from penstock_local.redshift.session import Session

# More than this many rows of one COPY are counted, but not described.
DESCRIBED = 100


@dataclass(frozen=True, slots=True)
class LoadError:
    """One row that could not be loaded."""

    file: str
    line: int
    code: int
    reason: str
    column: Column | None = None
    raw_field: str = ""
    raw_line: str = ""


@dataclass
class LoadErrors:
    """All errors of one COPY, held against MAXERROR."""

    session: Session
    table: str
    max_errors: int
    count: int = 0
    described: list[LoadError] = field(default_factory=list)

    def add(self, count: int, examples: list[LoadError]) -> None:
        """Count errors. Raises SqlError, and records them, once they are too many."""
        self.count += count
        self.described += examples[: DESCRIBED - len(self.described)]
        if count and self.count >= max(1, self.max_errors):
            self.record()
            raise self.failure()

    def record(self) -> None:
        """Write them where they can be queried, whatever becomes of the transaction."""
        if self.described:
            self.session.record_load_errors([self._row(error) for error in self.described])

    def failure(self) -> SqlError:
        """Redshift's error, which only says where to look."""
        if self.session.place.kind == "workgroup":
            view, gap = "sys_load_error_detail", " "
        else:
            view, gap = "stl_load_errors", "  "
        return SqlError(
            f"Load into table '{self.table}' failed.{gap}Check '{view}' system table for details."
        )

    def _row(self, error: LoadError) -> tuple[Any, ...]:
        kind = error.column.type if error.column else None
        length = str(kind.max_bytes) if kind and kind.max_bytes else ""
        return (
            self.session.query_id,
            datetime.now(UTC).replace(tzinfo=None),
            self.table,
            error.file,
            error.line,
            error.column.name if error.column else "",
            kind.declared.partition("(")[0] if kind else "",
            length,
            error.raw_line[:1024],
            error.raw_field[:1024],
            error.code,
            error.reason,
        )
