"""What a specification needs of the engine that runs it: DuckDB in one process, or Spark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from penstock_job.column_type import ColumnType
from penstock_job.dataset import Manifest
from penstock_job.dialect import Dialect
from penstock_job.errors import SpecificationError
from penstock_job.object_store import ObjectStore, StoredObject

if TYPE_CHECKING:
    from penstock_job.compiler import Program
    from penstock_job.refine import Judgement
    from penstock_job.rejects import Malformed, Retries
    from penstock_job.specification import Specification


@dataclass(frozen=True)
class Written:
    """Files that were written, the number of rows in them, and what else was counted there."""

    files: Sequence[StoredObject]
    rows: int
    counts: Sequence[int] = ()

    @property
    def bytes(self) -> int:
        """The size of all files."""
        return sum(file.size for file in self.files)


NOTHING = Written([], 0)


@dataclass(frozen=True)
class JudgedRecords:
    """The counts of judged records; those accepted, where they have been written on the way."""

    counts: Sequence[int]
    accepted: Written | None = None


class CsvSource(Protocol):
    """A CSV file that can be read as a table; what is no record of it is kept with its reason.

    The figures are there once it has been judged. Lines of nothing but delimiters, and such as
    repeat the header, are no records and are passed over.
    """

    records: int
    malformed_rows: int

    def judge(
        self, specification: Specification, table: str, retries: Retries, folder: str
    ) -> Judgement:
        """Judge its records, as the table of that name, with the rejects to be tried again.

        The accepted ones may be written to the folder, as `penstock_job.refine.judge` has it.

        Raises SourceError where it is no CSV file with the columns of the specification.
        """

    def malformed(self) -> Malformed:
        """The lines that are no records."""


class Engine(Protocol):
    """Runs compiled SQL. Errors in the row's own SQL come as SpecificationError, on one line."""

    store: ObjectStore

    @property
    def dialect(self) -> Dialect:
        """The SQL that this engine speaks."""

    def read_dataset(self, table: str, manifest: Manifest) -> None:
        """Make a published dataset a table."""

    def open_csv(self, path: str, delimiter: str) -> CsvSource:
        """A CSV file on S3."""

    def schema(self, sql: str) -> Mapping[str, ColumnType]:
        """The columns that a select gives."""

    def keep(self, table: str, sql: str) -> None:
        """Run a select once and keep its rows as a table."""

    def view(self, table: str, sql: str) -> None:
        """Make a select a table, without running it."""

    def row(self, sql: str) -> Sequence[int]:
        """The one row of a select."""

    def few_rows(self, sql: str) -> Sequence[Sequence[Any]]:
        """The rows of a select that has not many."""

    def make_numbered(self, table: str, texts: Sequence[tuple[int, str]]) -> None:
        """Make a table of `number` and `text`."""

    def judge_records(self, program: Program, folder: str) -> JudgedRecords:
        """Judge the records by a program, and count them.

        Those accepted may be written to `folder`, unless it is empty; they are the table
        `penstock_written` then. The table `penstock_judged` has the others, and what is tried
        again; all where the accepted ones were not written.
        """

    def write_parquet(self, sql: str, folder: str, counts: Sequence[str] = ()) -> Written:
        """Write the rows of a select to an S3 folder as Parquet; count them in the files.

        `counts` are further aggregates over the written rows.
        """


def of_known_types(sql: str, schema: Mapping[str, ColumnType], dialect: Dialect) -> str:
    """A select with each column cast to its type, so that only the seven types are published."""
    columns = ", ".join(
        f"CAST({dialect.identifier(name)} AS {dialect.type_name(column_type)}) "
        f"AS {dialect.identifier(name)}"
        for name, column_type in schema.items()
    )
    return f"SELECT {columns} FROM ({sql}) AS selected"


def known_type(name: str, engine_type: str, kinds: Mapping[str, str]) -> ColumnType:
    """The type for an engine's type name, by a table of the engine's names in lower case.

    Raises SpecificationError for lists, structs and whatever else is none of the seven.
    """
    text = engine_type.lower()
    if text.startswith("decimal("):
        precision, scale = text[len("decimal(") : -1].split(",")
        return ColumnType("decimal", int(precision), int(scale))
    if text not in kinds:
        raise SpecificationError(f"column {name} is {engine_type}, which cannot be published")
    return ColumnType(kinds[text])
