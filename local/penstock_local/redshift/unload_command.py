"""UNLOAD: writes the rows of a query to files in S3."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlglot import exp

from penstock_local.redshift.column_types import result_type
from penstock_local.redshift.cursor import Cursor
from penstock_local.redshift.errors import NotSupportedLocallyError, SqlError
from penstock_local.redshift.outcome import Outcome
from penstock_local.redshift.queries import settled
from penstock_local.redshift.results import ResultColumn
from penstock_local.redshift.s3_objects import Bucket, Location
from penstock_local.redshift.session import Session
from penstock_local.redshift.translation import tree_of, written
from penstock_local.redshift.unload_options import UnloadOptions, read_unload_options
from penstock_local.redshift.words import Sql, literal, quote

_ROWS = '"temp"."penstock_unload_rows"'
_NUMBER = '"penstock row"'

NOT_EMPTY = (
    "Specified unload destination on S3 is not empty. Consider using a different bucket / prefix, "
    "manually removing the target files in S3, or using the ALLOWOVERWRITE option."
)


@dataclass(frozen=True, slots=True)
class Unload:
    """UNLOAD ('query') TO 's3://…' options; `query` is DuckDB's SQL."""

    query: str
    target: Location
    options: UnloadOptions

    def run(self, session: Session) -> Outcome:
        """Write the files, then upload them under Redshift's names."""
        bucket = Bucket(session, self.options.role, self.options.region)
        self._prepare(bucket)
        query = settled(session, self.query, {})
        columns = [
            ResultColumn(str(row[0]), str(row[1])) for row in session.rows(f"DESCRIBE {query}")
        ]
        self._check_partitions(columns)
        with session.staging() as folder:
            out = folder / "out"
            rows = self._write(session, query, columns, out)
            entries = [
                self._upload(session, bucket, file, location)
                for file, location in self._placed(out)
            ]
        if self.options.manifest:
            self._put_manifest(bucket, entries, columns, rows)
        session.set_variable("redshift_unload_count", rows)
        return Outcome(rows)

    def _prepare(self, bucket: Bucket) -> None:
        if self.options.allow_overwrite:
            return
        existing = bucket.list(self.target)
        if existing and not self.options.clean_path:
            raise SqlError(NOT_EMPTY)
        for item in existing:
            bucket.delete(item.location)

    def _check_partitions(self, columns: list[ResultColumn]) -> None:
        names = {column.name for column in columns}
        for name in self.options.partition_by:
            if name not in names:
                raise SqlError(f'column "{name}" of PARTITION BY is not in the query')
        if self.options.partition_by and len(names) == len(self.options.partition_by):
            raise SqlError("PARTITION BY must leave at least one column for the files")

    # -- writing -----------------------------------------------------------------------------

    def _write(self, session: Session, query: str, columns: list[ResultColumn], out: Path) -> int:
        """Write one file, a folder per partition, or several files in order."""
        most = self.options.max_file_size
        if most is None or self.options.partition_by:
            return session.affected(self._copy(query, columns, out))
        # DuckDB splits files by size, but then loses the order of rows: count rows instead.
        numbered = f"SELECT row_number() OVER () AS {_NUMBER}, * FROM ({query}) AS numbered"  # noqa: S608
        session.execute(f"CREATE OR REPLACE TEMPORARY TABLE {_ROWS} AS {numbered}")
        whole = f"SELECT * FROM {_ROWS}"  # noqa: S608
        rows = session.affected(self._copy(whole, columns, out))
        parts = -(-out.stat().st_size // most)
        if parts > 1:
            out.unlink()
            out.mkdir()
            step = -(-rows // parts)
            for number in range(parts):
                first = number * step + 1
                some = f"{whole} WHERE {_NUMBER} BETWEEN {first} AND {first + step - 1}"
                session.affected(self._copy(some, columns, out / f"{number:06d}"))
        session.execute(f"DROP TABLE {_ROWS}")
        return rows

    def _copy(self, query: str, columns: list[ResultColumn], out: Path) -> str:
        selected = ", ".join(self._written(column) for column in columns)
        settings = ["overwrite_or_ignore true"] if self.options.partition_by else []
        if self.options.partition_by:
            names = ", ".join(map(quote, self.options.partition_by))
            settings.append(f"partition_by ({names})")
            if self.options.include_partitions:
                settings.append("write_partition_columns true")
        settings += self._format()
        return (
            f"COPY (SELECT {selected} FROM ({query}) AS q) "  # noqa: S608
            f"TO {literal(str(out))} ({', '.join(settings)})"
        )

    def _written(self, column: ResultColumn) -> str:
        """A column as the file is to hold it."""
        name = quote(column.name)
        if column.type == "VARIANT":
            is_json = self.options.format == "JSON"
            return (
                f"CAST({name} AS JSON) AS {name}"
                if is_json
                else (f"CAST(CAST({name} AS JSON) AS VARCHAR) AS {name}")
            )
        if self.options.format != "PARQUET" and column.type == "BOOLEAN":
            return f"CASE WHEN {name} THEN 't' WHEN NOT {name} THEN 'f' END AS {name}"
        if self.options.format != "PARQUET" and column.type == "BLOB":
            return f"lower(hex({name})) AS {name}"
        return name

    def _format(self) -> list[str]:
        if self.options.format == "PARQUET":
            return ["format parquet", "compression snappy"]
        packed = f"compression {self.options.compression or 'uncompressed'}"
        if self.options.format == "JSON":
            return ["format json", packed]
        is_csv = self.options.format == "CSV"
        quoting = '"' if is_csv or self.options.add_quotes else ""
        delimiter = self.options.delimiter or ("," if is_csv else "|")
        parts = [
            "format csv",
            packed,
            f"header {str(self.options.header).lower()}",
            f"delimiter {literal(delimiter)}",
            f"nullstr {literal(self.options.null_as or '')}",
            f"quote {literal(quoting)}",
            f"escape {literal(quoting)}",
        ]
        return [*parts, "force_quote *"] if self.options.add_quotes else parts

    # -- uploading ---------------------------------------------------------------------------

    def _placed(self, out: Path) -> list[tuple[Path, Location]]:
        """Every file and where it goes, numbered within its partition."""
        if out.is_file():
            return [(out, self._location("", 0))]
        files = sorted((file for file in out.rglob("*") if file.is_file()), key=_natural)
        placed = []
        numbers: Counter[str] = Counter()
        for file in files:
            folder = file.parent.relative_to(out).as_posix() if self.options.partition_by else ""
            placed.append((file, self._location(folder, numbers[folder])))
            numbers[folder] += 1
        return placed

    def _location(self, partition: str, number: int) -> Location:
        prefix = self.target.key
        if partition:
            prefix = f"{prefix.removesuffix('/')}/{partition}/"
        name = f"{number:04d}_part_00" if self.options.parallel else f"{number:03d}"
        return Location(self.target.bucket, f"{prefix}{name}{self.options.suffix}")

    def _upload(
        self, session: Session, bucket: Bucket, file: Path, location: Location
    ) -> dict[str, Any]:
        entry: dict[str, Any] = {"content_length": file.stat().st_size}
        if self.options.verbose and self.options.format == "PARQUET":
            counted = session.rows(f"SELECT count(*) FROM read_parquet({literal(str(file))})")  # noqa: S608
            entry["record_count"] = counted[0][0]
        bucket.upload(file, location)
        return {"url": location.url, "meta": entry}

    def _put_manifest(
        self, bucket: Bucket, entries: list[Any], columns: list[ResultColumn], rows: int
    ) -> None:
        manifest: dict[str, Any] = {"entries": entries}
        if self.options.verbose:
            manifest |= {
                "schema": {
                    "elements": [
                        {"name": column.name, "type": {"base": result_type(column.type)[0]}}
                        for column in columns
                    ]
                },
                "meta": {
                    "content_length": sum(item["meta"]["content_length"] for item in entries),
                    "record_count": rows,
                },
                "author": {"name": "Amazon Redshift", "version": "1.0.0"},
            }
        location = Location(self.target.bucket, f"{self.target.key}manifest")
        bucket.put(json.dumps(manifest, indent=2).encode(), location)


def parse_unload(session: Session, sql: Sql) -> Unload:
    """UNLOAD ('query') TO 's3://…' …"""
    cursor = Cursor(sql)
    cursor.expect("UNLOAD", "(")
    word = cursor.string_word()
    cursor.expect(")", "TO")
    target = Location.parse(cursor.string())
    cursor.take("WITH")
    options = read_unload_options(cursor)
    tree = tree_of(session, word.text)
    if not isinstance(tree, exp.Query):
        raise NotSupportedLocallyError("UNLOAD of anything but a SELECT")
    if tree.args.get("limit"):
        raise SqlError("Limit clause is not supported in the outermost SELECT of UNLOAD")
    return Unload(written(tree, {}).sql, target, options)


def _natural(file: Path) -> tuple[str, int, str]:
    number = "".join(char for char in file.stem if char.isdigit())
    return file.parent.as_posix(), int(number or 0), file.name
