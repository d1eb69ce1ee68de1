"""Reads a table of PostgreSQL through Spark's JDBC reader and writes it, for the largest tables.

The executors read the same ranges as the Python shell extract would, in the same snapshot, which a
connection of the driver's holds. Every value crosses JDBC in a form that neither the driver nor
Spark interprets: days and microseconds as numbers, what is no plain type as text. So both extracts
give the same rows.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from penstock_job.cast import is_unreadable, read_as
from penstock_job.column import Column
from penstock_job.column_type import (
    BINARY,
    BOOLEAN,
    DATE,
    DECIMAL,
    DOUBLE,
    INTEGER,
    TEXT,
    TIMESTAMP,
    ColumnType,
)
from penstock_job.database_access import VERIFY_FULL, DatabaseAccess
from penstock_job.dialect import SPARK
from penstock_job.errors import ArgumentsError
from penstock_job.object_store import ObjectStore
from penstock_job.postgresql_columns import TableColumn, copied, quoted
from penstock_job.postgresql_source import SETTINGS, PostgresqlReading, explained
from penstock_job.spark_engine import FAILURES, SparkEngine, explained_failure
from penstock_job.table_source import SourceColumn
from penstock_job.table_writer import LAID_OUT_BY, WrittenTable
from penstock_job.work_order import TableOrder

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, DataFrameWriter

FETCH_ROWS = 10_000
DRIVER = "org.postgresql.Driver"


class SparkWriter:
    """A TableWriter for tables of PostgreSQL, on a Spark session."""

    def __init__(self, engine: SparkEngine, access: DatabaseAccess, store: ObjectStore) -> None:
        if access.tls == VERIFY_FULL:
            raise ArgumentsError(
                "tls_ca: Spark's readers run on other machines, which do not have the "
                "certificates; leave tls_ca out (tls: true encrypts all the same)"
            )
        # Spark's own choice, INT96, is no moment to other readers.
        engine.session.conf.set("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
        self._engine = engine
        self._access = access
        self._store = store

    def write(self, order: TableOrder, reading: PostgresqlReading, target: str) -> WrittenTable:
        """Read all ranges side by side and write one file for each, or more for large ones."""
        folder = f"{target}/try={uuid.uuid4().hex[:8]}"
        try:
            rows = self._rows(order, reading)
            deduplicates = order.is_incremental and not reading.keys_are_unique
            kept = _newest_of_each_key(rows, order) if deduplicates else rows
            _laid_out(kept, order).option("compression", "zstd").parquet(folder)
            files = [file for file in self._store.list_below(folder) if "/part-" in file.path]
            count = self._engine.session.read.parquet(folder).count()
            read = rows.count() if deduplicates else count
        except FAILURES as error:
            raise explained_failure(error) from error
        return WrittenTable(files, count, read - count)

    def compact(self, *_: object) -> int:
        """Compact nothing: increments that take a Spark job to read are few and large."""
        return 0

    def _rows(self, order: TableOrder, reading: PostgresqlReading) -> DataFrame:
        with explained(reading.table):
            found = reading.connection.execute("SELECT pg_export_snapshot()").fetchone()
        assert found is not None
        session = [
            *SETTINGS,
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
            f"SET TRANSACTION SNAPSHOT '{found[0]}'",
        ]
        access = self._access
        frame = self._engine.session.read.jdbc(
            f"jdbc:postgresql://{access.host}:{access.port}/{access.database}",
            f"({_crossing_select(order, reading)}) AS extracted",
            predicates=[condition or "true" for condition in reading.conditions],
            properties={
                "user": access.user,
                "password": access.password,
                "driver": DRIVER,
                "fetchsize": str(FETCH_ROWS),
                "sessionInitStatement": "; ".join(session),
                "sslmode": access.tls,
                "ApplicationName": "penstock",
            },
        )
        return frame.selectExpr(
            *(
                f"{_value(number, published, reading)} AS {SPARK.identifier(published.name)}"
                for number, (_, published) in enumerate(reading.pairs)
            )
        )


def _crossing_select(order: TableOrder, reading: PostgresqlReading) -> str:
    """What the database is asked for: the values, and the columns of the ranges' conditions.

    Spark reads the values alone and puts each range's condition behind this.
    """
    values = [
        f"{_crossing(column, published, reading)} AS penstock_{number}"
        for number, (column, published) in enumerate(reading.pairs)
    ]
    of_conditions = {name for name in (order.cursor, order.partition_column) if name}
    names = [quoted(name) for name in sorted(of_conditions)]
    return f"SELECT {', '.join([*values, *names])} FROM {reading.relation}"


def _crossing(column: TableColumn, published: SourceColumn, reading: PostgresqlReading) -> str:
    """A column's value in PostgreSQL, in a form that is the same in JDBC and in Spark."""
    name, kind = quoted(column.name), published.type
    if kind.kind == TEXT or published.name in reading.strict:
        # As COPY writes it; a cast to text would take the spaces of a char(n) away.
        return f"CASE WHEN {name} IS NOT NULL THEN format('%s', {copied(column)}) END"
    if kind.kind == INTEGER:
        return f"{name}::bigint"
    if kind.kind == DOUBLE:  # 0.1 of a real is 0.1, and not 0.10000000149011612
        return f"{name}::text::float8" if column.family == "real" else name
    if kind.kind == DECIMAL:
        return f"{name}::numeric({kind.precision},{kind.scale})"
    if kind.kind == DATE:
        return f"{name} - DATE '1970-01-01'"
    if kind.kind == TIMESTAMP:
        return (
            f"extract(epoch FROM date_trunc('second', {name}))::bigint * 1000000"
            f" + extract(microseconds FROM {name})::bigint % 1000000"
        )
    assert kind.kind in (BOOLEAN, BINARY)
    return name


def _value(number: int, published: SourceColumn, reading: PostgresqlReading) -> str:
    """The value of the published type in Spark, out of what has crossed."""
    crossed, kind = f"penstock_{number}", published.type
    if published.name in reading.strict and kind.kind != TEXT:
        stated = Column(published.name, published.name, kind)
        typed = read_as(stated, ColumnType(TEXT), crossed, None, SPARK)
        unfit = is_unreadable(stated, ColumnType(TEXT), crossed, typed, SPARK)
        shown = SPARK.literal(f"column {published.name} ({published.source_type}) holds ")
        kept = SPARK.literal(f", which cannot be kept as {kind}")
        return (
            f"CASE WHEN {unfit} THEN raise_error(concat({shown}, {crossed}, {kept})) "
            f"ELSE {typed} END"
        )
    if kind.kind == DATE:
        return f"date_from_unix_date({crossed})"
    if kind.kind == TIMESTAMP:
        moment = f"timestamp_micros({crossed})"
        return moment if published.is_instant else f"CAST({moment} AS TIMESTAMP_NTZ)"
    return f"CAST({crossed} AS {SPARK.type_name(kind)})"


def _laid_out(rows: DataFrame, order: TableOrder) -> DataFrameWriter:
    """A writer that lays files out by the partition columns, which stay in the files, too.

    Spark takes a column out of the files if it lays them out by it, so it is given copies.
    """
    from pyspark.sql.functions import col

    if not order.partition_by:
        return rows.write
    for name in order.partition_by:
        rows = rows.withColumn(LAID_OUT_BY + name, col(SPARK.identifier(name)))
    copies = [LAID_OUT_BY + name for name in order.partition_by]
    by = [col(SPARK.identifier(name)) for name in copies]
    return rows.repartition(*by).write.partitionBy(*copies)


def _newest_of_each_key(rows: DataFrame, order: TableOrder) -> DataFrame:
    """Of each primary key the row with the highest cursor, as the other extract keeps it."""
    from pyspark.sql import Window
    from pyspark.sql.functions import col, row_number

    keys = [SPARK.identifier(name) for name in order.primary_key]
    newest = col(SPARK.identifier(order.cursor)).desc_nulls_last()
    ranked = rows.withColumn(
        "penstock_rank", row_number().over(Window.partitionBy(*map(col, keys)).orderBy(newest))
    )
    return ranked.where("penstock_rank = 1").drop("penstock_rank")
