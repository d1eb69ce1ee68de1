"""COPY of Parquet files: by position, without conversion and without tolerance, as on Redshift."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from penstock_local.redshift.column_types import parquet_fits
from penstock_local.redshift.copy_options import CopyOptions
from penstock_local.redshift.errors import SqlError
from penstock_local.redshift.relations import Column, Relation
from penstock_local.redshift.session import Session
from penstock_local.redshift.words import literal, quote


@dataclass
class ParquetLoad:
    """Loads one file after the other into the columns of a table."""

    session: Session
    relation: Relation
    columns: tuple[Column, ...]
    options: CopyOptions

    def load(self, file: Path, url: str) -> int:
        """Load a file and say how many rows."""
        file_name = literal(str(file))
        reader = f"read_parquet({file_name}, binary_as_string = true, hive_partitioning = false)"
        names = [f"c{position}" for position in range(len(self.columns))]
        described = self.session.rows(f"DESCRIBE SELECT * FROM {reader}")  # noqa: S608
        self._check_types([str(row[1]) for row in described], url)
        source = f"{reader} AS q({', '.join(names)})"
        self._check_lengths(source, url)
        if self.options.has("NOLOAD"):
            return 0
        values = [
            self._value(column, name, str(row[1]))
            for column, name, row in zip(self.columns, names, described, strict=True)
        ]
        targets = ", ".join(quote(column.name) for column in self.columns)
        return self.session.affected(
            f"INSERT INTO {self.relation.sql} ({targets}) SELECT {', '.join(values)} FROM {source}"  # noqa: S608
        )

    def finish(self) -> None:
        """Nothing is left behind."""

    def _value(self, column: Column, name: str, source: str) -> str:
        if column.type.duckdb == "VARIANT" and self._is_nested(source):
            return f"CAST(to_json({name}) AS VARIANT)"
        return f"CAST({name} AS {column.type.duckdb})"

    def _check_types(self, found: list[str], url: str) -> None:
        if len(found) != len(self.columns):
            raise SqlError(
                "Spectrum Scan Error. Unmatched number of columns between table and file. "
                f"Table columns: {len(self.columns)}, Data columns: {len(found)}, File name: {url}"
            )
        for column, source in zip(self.columns, found, strict=True):
            nested = self._is_nested(source) and self.options.has("SERIALIZETOJSON")
            if nested and column.type.duckdb == "VARIANT":
                continue
            if not parquet_fits(source, column.type):
                raise SqlError(
                    f"Spectrum Scan Error. File '{url}' has an incompatible Parquet schema for "
                    f"column '{column.name}'. Column type: {column.type.declared.upper()}, "
                    f"Parquet type: {source}"
                )

    def _check_lengths(self, source: str, url: str) -> None:
        limited = [
            (f"c{position}", column)
            for position, column in enumerate(self.columns)
            if column.type.max_bytes is not None
        ]
        if not limited:
            return
        longest = ", ".join(f"coalesce(max(strlen({name})), 0)" for name, _ in limited)
        (lengths,) = self.session.rows(f"SELECT {longest} FROM {source}")  # noqa: S608
        for length, (_, column) in zip(lengths, limited, strict=True):
            if length > (column.type.max_bytes or 0):
                raise SqlError(
                    f"Spectrum Scan Error. The length of the data column {column.name} is longer "
                    f"than the length defined in the table. Table: {column.type.max_bytes}, "
                    f"Data: {length}, File name: {url}"
                )

    @staticmethod
    def _is_nested(source: str) -> bool:
        return source.endswith("]") or source.startswith(("STRUCT", "MAP"))
