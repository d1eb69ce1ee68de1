"""Records of a table's files that could not be used: kept, counted, and limited."""

from __future__ import annotations

from pathlib import Path

from penstock_job.contract import JobContract
from penstock_job.errors import RuleViolatedError, SourceError
from penstock_job.object_store import ObjectStore
from penstock_job.work_order import TableOrder


def rejects_of(store: ObjectStore, contract: JobContract, order: TableOrder) -> FileRejects:
    """The rejects of one table: `<target>/_rejects/job_id=…/attempt=…`.

    The underscore hides them from Spark and Athena.
    """
    attempt = f"job_id={contract.job_id}/attempt={contract.attempt}"
    folder = f"{contract.data_path}/{order.target}/_rejects/{attempt}"
    return FileRejects(store, folder, order.max_reject_ratio)


class FileRejects:
    """The records of a table that could not be used, kept as JSON lines beside its data."""

    def __init__(self, store: ObjectStore, folder: str, most: float | None) -> None:
        self._store = store
        self._folder = folder
        self._most = most
        self._files = 0
        self.rows = 0

    @property
    def path(self) -> str:
        """Where they are; empty where there are none."""
        return self._folder if self.rows else ""

    def keep(self, file: Path) -> int:
        """Store a file of them and delete it here; return how many it held."""
        with file.open("rb") as lines:
            rows = sum(1 for _ in lines)
        if rows:
            self._store.upload(file, f"{self._folder}/rejects-{self._files:05d}.jsonl")
            self._files += 1
            self.rows += rows
        file.unlink()
        return rows

    def require_few(self, good: int) -> None:
        """Raises RuleViolatedError where too many records are rejects, or all of them are.

        A file of which nothing can be read is another file than the one that was meant; to publish
        it would empty the table.
        """
        of = good + self.rows
        if self.rows and not good:
            raise SourceError(f"none of the {of} records can be read; see {self._folder}")
        if self._most is not None and self.rows > self._most * of:
            raise RuleViolatedError(
                f"{self.rows} of {of} records were rejected ({self.rows / of:.1%}, at most "
                f"{self._most:.1%} may be); see {self._folder}"
            )
