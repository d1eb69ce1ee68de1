"""Spark as the engine, set up so that its SQL means what DuckDB's means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.errors import PySparkException
from pyspark.sql.functions import count, lit

from penstock_job.column_type import (
    BINARY,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    TEXT,
    TIMESTAMP,
    ColumnType,
    read_type,
)
from penstock_job.dataset import Manifest
from penstock_job.dialect import SPARK, Dialect
from penstock_job.engine import JudgedRecords, Written, known_type, of_known_types
from penstock_job.errors import EngineError, InputError, JobError, SourceError, SpecificationError
from penstock_job.judged_table import JUDGED, READ
from penstock_job.object_store import ObjectStore
from penstock_job.observed_write import write_accepted
from penstock_job.spark_csv import SparkCsv

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from penstock_job.compiler import Program

# An overflow or a text that is no number fails, as it does in DuckDB, rather than becoming NULL or
# a wrong number. Times are without a zone. Dates before 1582 are written as they are.
SETTINGS = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    # The JVM never compiles a method of more than 8000 bytes, and a record judged by one such
    # method takes four times as long as by many small ones, which are Spark's other way.
    "spark.sql.codegen.hugeMethodLimit": "8000",
}
FAILURES = (PySparkException, Py4JJavaError)
_FILES = "penstock_written_files"
_KINDS = {
    **dict.fromkeys(("tinyint", "smallint", "int", "bigint"), INTEGER),
    **dict.fromkeys(("float", "double"), DOUBLE),
    **dict.fromkeys(("timestamp", "timestamp_ntz"), TIMESTAMP),
    "string": TEXT,
    "binary": BINARY,
    "boolean": BOOLEAN,
    "date": DATE,
}


class SparkEngine:
    """An Engine on a Spark session. Spark reads and writes `s3://` itself; `store` lists."""

    def __init__(self, session: SparkSession, store: ObjectStore) -> None:
        self.session = session
        self.store = store
        self.kept: list[DataFrame] = []
        for name, value in SETTINGS.items():
            session.conf.set(name, value)

    @property
    def dialect(self) -> Dialect:
        """Spark's SQL."""
        return SPARK

    def release(self) -> None:
        """Let go of kept rows. The session is not ended: it may be another's."""
        for frame in self.kept:
            frame.unpersist()
        self.kept.clear()

    def read_dataset(self, table: str, manifest: Manifest) -> None:
        """Make a published dataset's files a table."""
        if manifest.files:
            frame = self.session.read.parquet(*manifest.files)
        else:
            fields = ", ".join(
                f"{SPARK.identifier(column.name)} {SPARK.type_name(read_type(column.type))}"
                for column in manifest.columns
            )
            frame = self.session.createDataFrame([], fields)
        source = f"penstock_files_of_{table}"
        frame.createOrReplaceTempView(SPARK.identifier(source))
        rows = f"SELECT * FROM {SPARK.identifier(source)}"
        self.view(table, of_known_types(rows, self.schema(rows), SPARK))

    def open_csv(self, path: str, delimiter: str) -> SparkCsv:
        """A CSV file that Spark reads itself."""
        return SparkCsv(self, path, delimiter)

    def view_lines(self, table: str, path: str) -> str:
        """Make the lines of a file a view of one column, `value`; give the first of them.

        Raises InputError where there is no such file, and SourceError where it is empty.
        """
        lines = self._text(path)
        try:
            first = lines.where("_metadata.file_block_start = 0").head()
        except FAILURES as error:
            raise explained_failure(error) from error
        if first is None:
            raise SourceError(f"{path} is empty: it has not even a header")
        lines.createOrReplaceTempView(SPARK.identifier(table))
        return str(first["value"])

    def _text(self, path: str) -> DataFrame:
        try:
            return self.session.read.option("lineSep", "\n").text(path)
        except FAILURES as error:
            if "PATH_NOT_FOUND" in str(error):
                raise InputError(f"{path} does not exist") from error
            raise explained_failure(error) from error

    def schema(self, sql: str) -> Mapping[str, ColumnType]:
        """The columns that a select gives."""
        return {name: known_type(name, kind, _KINDS) for name, kind in self.run(sql).dtypes}

    def keep(self, table: str, sql: str) -> None:
        """Keep the rows of a select, in memory or on disk, once they are computed."""
        frame = self.run(sql).persist()
        self.kept.append(frame)
        frame.createOrReplaceTempView(SPARK.identifier(table))

    def view(self, table: str, sql: str) -> None:
        """Make a select a temporary view."""
        self.run(sql).createOrReplaceTempView(SPARK.identifier(table))

    def stage(self, table: str, sql: str) -> None:
        """Make a select a temporary view whose code is apart from that of what reads it.

        The JVM never compiles code that is too long, and one more copy of a record is cheaper.
        """
        frame = self.run(sql).observe(table, count(lit(1)))
        frame.createOrReplaceTempView(SPARK.identifier(table))

    @property
    def written_rows(self) -> str:
        """The select of what was written last."""
        return f"SELECT * FROM {_FILES}"

    def execute(self, sql: str) -> None:
        """Run a statement that changes a table."""
        self.run(sql).collect()

    def row(self, sql: str) -> Sequence[int]:
        """The one row of a select."""
        return [int(value) for value in self.few_rows(sql)[0]]

    def few_rows(self, sql: str) -> Sequence[Sequence[Any]]:
        """The rows of a select that has not many."""
        try:
            return [tuple(row) for row in self.run(sql).collect()]
        except FAILURES as error:
            raise explained_failure(error) from error

    def make_numbered(self, table: str, texts: Sequence[tuple[int, str]]) -> None:
        """Make a table of `number` and `text`."""
        frame = self.session.createDataFrame(list(texts), "number BIGINT, text STRING")
        frame.createOrReplaceTempView(SPARK.identifier(table))

    def judge_records(self, program: Program, folder: str) -> JudgedRecords:
        """Count the records while those accepted are written; else keep them all."""
        self.stage(READ, program.read)
        if folder and not program.compares:
            return write_accepted(self, program, folder)
        self.keep(JUDGED, program.judged)
        return JudgedRecords(self.row(program.tally))

    def write_parquet(self, sql: str, folder: str, counts: Sequence[str] = ()) -> Written:
        """Parquet files, one per partition."""
        frame = self.run(sql)
        try:
            frame.write.mode("overwrite").parquet(folder)
        except FAILURES as error:
            raise explained_failure(error) from error
        files = [file for file in self.store.list(folder) if "/part-" in file.path]
        paths = [file.path for file in files]
        # Told the columns, Spark reads no file in order to find them out.
        self.session.read.schema(frame.schema).parquet(*paths).createOrReplaceTempView(_FILES)
        rows, *counted = self.row(f"SELECT {', '.join(['count(*)', *counts])} FROM {_FILES}")
        return Written(files, rows, counted)

    def run(self, sql: str) -> DataFrame:
        """The rows of a select, not yet computed."""
        try:
            return self.session.sql(sql)
        except FAILURES as error:
            raise explained_failure(error) from error


def explained_failure(error: Any) -> JobError:
    """The innermost cause, on one line: what is around it says only that a task failed.

    Faults that Spark itself finds (a name, a division by zero) are faults of the row's SQL.
    """
    cause = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    while cause is not None and cause.getCause() is not None:
        cause = cause.getCause()
    if cause is None:
        return SpecificationError(f"Spark: {str(error).strip().splitlines()[0]}")
    kind, _, text = cause.toString().partition(": ")
    message = (text or kind).strip().splitlines()[0]
    if kind.startswith("org.apache.spark."):
        return SpecificationError(f"Spark: {message}")
    return EngineError(f"Spark: {kind.rpartition('.')[2]}: {message}")
