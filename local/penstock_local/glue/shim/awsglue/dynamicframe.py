"""Glue's DynamicFrame as a thin cover of a DataFrame: every column has one type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as f


class DynamicFrame:
    """Rows on their way through a job; `toDF()` gives the DataFrame beneath."""

    def __init__(self, frame: DataFrame, glue_ctx: Any, name: str = "") -> None:
        self._frame = frame
        self.glue_ctx = glue_ctx
        self.name = name

    @classmethod
    def fromDF(cls, dataframe: DataFrame, glue_ctx: Any, name: str = "") -> DynamicFrame:  # noqa: N802
        """A DynamicFrame with the rows of a DataFrame."""
        return cls(dataframe, glue_ctx, name)

    def toDF(self, *_: Any) -> DataFrame:  # noqa: N802
        """The rows as a DataFrame."""
        return self._frame

    def count(self) -> int:
        """The number of rows."""
        return int(self._frame.count())

    def schema(self) -> Any:
        """The columns and their types."""
        return self._frame.schema

    def printSchema(self) -> None:  # noqa: N802
        """Print the columns and their types."""
        self._frame.printSchema()

    def show(self, num_rows: int = 20) -> None:
        """Print some rows."""
        self._frame.show(num_rows, truncate=False)

    def select_fields(self, paths: Sequence[str], **_: Any) -> DynamicFrame:
        """Only the named columns."""
        return self._with(self._frame.select(*paths))

    def drop_fields(self, paths: Sequence[str], **_: Any) -> DynamicFrame:
        """All but the named columns."""
        return self._with(self._frame.drop(*paths))

    def rename_field(self, oldName: str, newName: str, **_: Any) -> DynamicFrame:  # noqa: N803
        """One column under another name."""
        return self._with(self._frame.withColumnRenamed(oldName, newName))

    def filter(self, f: Callable[[Row], bool], **_: Any) -> DynamicFrame:
        """Only the rows of which the function says yes."""
        rows = self._frame.rdd.filter(f)
        return self._with(self._frame.sparkSession.createDataFrame(rows, self._frame.schema))

    def apply_mapping(self, mappings: Sequence[tuple[str, ...]], **_: Any) -> DynamicFrame:
        """Columns chosen, renamed and cast: (source, source type, target, target type)."""
        columns: list[Any] = []
        for mapping in mappings:
            source, target = mapping[0], mapping[-2] if len(mapping) > 2 else mapping[1]
            kind = mapping[-1] if len(mapping) > 2 else None
            column = f.col(source)
            columns.append((column.cast(_spark_type(kind)) if kind else column).alias(target))
        return self._with(self._frame.select(*columns))

    def join(
        self, paths1: Sequence[str], paths2: Sequence[str], frame2: DynamicFrame, **_: Any
    ) -> DynamicFrame:
        """The rows of both frames whose named columns are equal."""
        left, right = self._frame, frame2.toDF()
        on = [left[one] == right[other] for one, other in zip(paths1, paths2, strict=True)]
        return self._with(left.join(right, on))

    def repartition(self, num_partitions: int, **_: Any) -> DynamicFrame:
        """The same rows in so many partitions."""
        return self._with(self._frame.repartition(num_partitions))

    def coalesce(self, num_partitions: int, **_: Any) -> DynamicFrame:
        """The same rows in at most so many partitions."""
        return self._with(self._frame.coalesce(num_partitions))

    def _with(self, frame: DataFrame) -> DynamicFrame:
        return DynamicFrame(frame, self.glue_ctx, self.name)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"Penstock Local's DynamicFrame has no {name}; toDF() gives a DataFrame, which has all"
        )


def _spark_type(glue_type: str) -> str:
    return {"long": "bigint", "short": "smallint", "byte": "tinyint"}.get(glue_type, glue_type)
