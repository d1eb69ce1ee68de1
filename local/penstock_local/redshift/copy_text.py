"""COPY of text files: CSV, delimited text and JSON."""

from __future__ import annotations

import bz2
import json
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from penstock_local.redshift.copy_conversion import Conversion, conversion
from penstock_local.redshift.copy_options import CopyOptions
from penstock_local.redshift.errors import SqlError
from penstock_local.redshift.load_errors import DESCRIBED, LoadError, LoadErrors
from penstock_local.redshift.relations import Column, Relation
from penstock_local.redshift.session import Session
from penstock_local.redshift.words import literal, quote

_FIELDS = "temp.penstock_copy_fields"
_REJECTS = "penstock_copy_rejects"
_SCANS = "penstock_copy_scans"
# No field holds this, and no delimiter is in it: every field arrives as text, empty ones too.
_NEVER = "\ue000\ue001\ue002"

# Why DuckDB could not split a line -> err_code and err_reason of Redshift.
_SPLITTING = {
    "TOO MANY COLUMNS": (1202, "Extra column(s) found"),
    "MISSING COLUMNS": (1203, "Delimiter not found"),
    "UNQUOTED VALUE": (1212, "Invalid quote formatting for CSV"),
    "INVALID ENCODING": (1220, "String contains invalid or unsupported UTF8 codepoints"),
}


@dataclass
class TextLoad:
    """Loads one file after the other into the columns of a table."""

    session: Session
    relation: Relation
    columns: tuple[Column, ...]
    options: CopyOptions
    errors: LoadErrors
    json_paths: list[str] | None = None

    def load(self, file: Path, url: str) -> int:
        """Load a file and say how many rows. Raises SqlError beyond MAXERROR."""
        conversions = [
            conversion(column, position, self.options)
            for position, column in enumerate(self.columns)
        ]
        source = self._source(self._unpacked(file))
        try:
            self._stage(source, conversions)
        except SqlError as error:
            self.errors.add(
                self.errors.max_errors + 1, [LoadError(url, 0, 1216, f"Invalid input: {error}")]
            )
        unsplit, first = self._unsplit(url)
        unconverted, second = self._unconverted(url, conversions)
        rejected = [error.line for error in first]
        examples = first + [replace(error, line=_shifted(error.line, rejected)) for error in second]
        self.errors.add(unsplit + unconverted, sorted(examples, key=lambda error: error.line))
        return 0 if self.options.has("NOLOAD") else self._insert()

    def _unpacked(self, file: Path) -> Path:
        if self.options.compression != "bzip2":
            return file
        plain = file.with_suffix(".plain")
        with bz2.open(file) as packed, plain.open("wb") as out:
            shutil.copyfileobj(packed, out)
        return plain

    # -- reading -----------------------------------------------------------------------------

    def _source(self, file: Path) -> str:
        """A query with the columns `line` and c0, c1, …, all of them text."""
        if self.options.format == "JSON":
            return self._json_source(file)
        names = [f"c{position}" for position in range(len(self.columns))]
        columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
        is_csv = self.options.format == "CSV"
        quoting = self.options.quote if is_csv or self.options.has("REMOVEQUOTES") else ""
        delimiter = self.options.delimiter or ("," if is_csv else "|")
        arguments = [
            literal(str(file)),
            "header = false, auto_detect = false, store_rejects = true, rejects_limit = 0",
            f"rejects_table = {literal(_REJECTS)}, rejects_scan = {literal(_SCANS)}",
            f"columns = {{{columns}}}, nullstr = {literal(_NEVER)}",
            f"delim = {literal(delimiter)}, skip = {self.options.ignore_header}",
            f"quote = {literal(quoting)}, escape = {literal(quoting)}",
            f"compression = {literal(self._compression())}",
            f"encoding = {literal(self.options.encoding)}",
        ]
        if self.options.has("FILLRECORD"):
            arguments.append("null_padding = true, parallel = false")
        numbered = f"row_number() OVER () + {self.options.ignore_header} AS line"
        return f"SELECT {numbered}, * FROM read_csv({', '.join(arguments)})"  # noqa: S608

    def _json_source(self, file: Path) -> str:
        fields = [
            f"{self._json_field(column, position)} AS c{position}"
            for position, column in enumerate(self.columns)
        ]
        reader = (
            f"read_json_objects({literal(str(file))}, format = 'auto', "
            f"compression = {literal(self._compression())})"
        )
        return f"SELECT row_number() OVER () AS line, {', '.join(fields)} FROM {reader}"  # noqa: S608

    def _json_field(self, column: Column, position: int) -> str:
        if self.options.json == "noshred":
            return "CAST(json AS VARCHAR)"
        if self.json_paths is not None:
            path = literal(self.json_paths[position])
        elif self.options.json == "auto ignorecase":
            name = literal(column.name)
            path = f"list_filter(json_keys(json), LAMBDA k : lower(k) = {name})[1]"
        else:
            path = literal(f'$."{column.name}"')
        if column.type.duckdb == "VARIANT":
            return f"nullif(CAST(json_extract(json, {path}) AS VARCHAR), 'null')"
        return f"json_extract_string(json, {path})"

    def _compression(self) -> str:
        packed = self.options.compression
        return packed if packed in ("gzip", "zstd") else "none"

    # -- converting --------------------------------------------------------------------------

    def _stage(self, source: str, conversions: list[Conversion]) -> None:
        """Write values and the number of the first error of each row to a temporary table."""
        for table in (_FIELDS, f"temp.{_REJECTS}", f"temp.{_SCANS}"):
            self.session.execute(f"DROP TABLE IF EXISTS {table}")
        texts = ", ".join(f"{c.text} AS t{i}" for i, c in enumerate(conversions))
        values = ", ".join(f"{c.value} AS v{i}" for i, c in enumerate(conversions))
        blank = self._blank_line(len(conversions))
        cleaned = f"SELECT *, {texts} FROM ({source}) AS fields{blank}"  # noqa: S608
        converted = f"SELECT *, {values} FROM ({cleaned}) AS cleaned"  # noqa: S608
        failed = f"{self._first_error(conversions)} AS failed"
        self.session.execute(
            f"CREATE TEMPORARY TABLE {_FIELDS} AS "  # noqa: S608
            f"SELECT *, {failed} FROM ({converted}) AS converted"
        )

    def _blank_line(self, count: int) -> str:
        if not self.options.has("IGNOREBLANKLINES"):
            return ""
        fields = " AND ".join(f"coalesce(c{position}, '') = ''" for position in range(count))
        return f" WHERE NOT ({fields})"

    @staticmethod
    def _first_error(conversions: list[Conversion]) -> str:
        conditions = [condition for c in conversions for condition, _, _ in c.errors]
        if not conditions:
            return "CAST(NULL AS INTEGER)"
        whens = " ".join(f"WHEN {text} THEN {number}" for number, text in enumerate(conditions))
        return f"CASE {whens} END"

    def _insert(self) -> int:
        names = ", ".join(quote(column.name) for column in self.columns)
        values = ", ".join(f"v{position}" for position in range(len(self.columns)))
        return self.session.affected(
            f"INSERT INTO {self.relation.sql} ({names}) "  # noqa: S608
            f"SELECT {values} FROM {_FIELDS} WHERE failed IS NULL ORDER BY line"
        )

    # -- errors ------------------------------------------------------------------------------

    def _unsplit(self, url: str) -> tuple[int, list[LoadError]]:
        """How many lines could not be split into fields, and the first of them."""
        if self.options.format == "JSON":
            return 0, []
        rows = self.session.rows(
            "SELECT line, error_type, csv_line, count(*) OVER () FROM "  # noqa: S608
            f"(SELECT DISTINCT line, first(error_type) AS error_type, first(csv_line) AS csv_line "
            f"FROM {_REJECTS} GROUP BY line) ORDER BY line LIMIT {DESCRIBED}"
        )
        examples = []
        for line, kind, raw, _ in rows:
            code, reason = _SPLITTING.get(kind, (1216, kind.capitalize()))
            examples.append(LoadError(url, line, code, reason, raw_line=(raw or "").strip("\n")))
        return rows[0][3] if rows else 0, examples

    def _unconverted(self, url: str, conversions: list[Conversion]) -> tuple[int, list[LoadError]]:
        """How many rows have a field that does not fit its column, and the first of them."""
        numbered = [
            (position, code, reason)
            for position, c in enumerate(conversions)
            for _, code, reason in c.errors
        ]
        if not numbered:
            return 0, []
        raws = " ".join(
            f"WHEN {number} THEN c{position}" for number, (position, _, _) in enumerate(numbered)
        )
        fields = ", ".join(f"c{position}" for position in range(len(conversions)))
        rows = self.session.rows(
            f"SELECT line, failed, CASE failed {raws} END, concat_ws(',', {fields}), "  # noqa: S608
            f"count(*) OVER () FROM {_FIELDS} WHERE failed IS NOT NULL "
            f"ORDER BY line LIMIT {DESCRIBED}"
        )
        examples = []
        for line, number, raw, whole, _ in rows:
            position, code, reason = numbered[number]
            column = self.columns[position]
            examples.append(LoadError(url, line, code, reason, column, raw or "", whole or ""))
        return rows[0][4] if rows else 0, examples

    def finish(self) -> None:
        """Let go of the temporary tables."""
        for table in (_FIELDS, f"temp.{_REJECTS}", f"temp.{_SCANS}"):
            self.session.execute(f"DROP TABLE IF EXISTS {table}")


def _shifted(line: int, rejected: list[int]) -> int:
    """The number of a line in the file: rows are counted without the rejected lines above."""
    for number in sorted(rejected):
        if number <= line:
            line += 1
    return line


def json_paths(document: object, columns: tuple[Column, ...]) -> list[str]:
    """The paths of a JSONPaths file, one for each column, as DuckDB writes them."""
    paths = document.get("jsonpaths") if isinstance(document, dict) else None
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise SqlError('Invalid JSONPath format: the file must be {"jsonpaths": ["$...", ...]}')
    if len(paths) != len(columns):
        raise SqlError(
            "Number of jsonpaths and the number of columns should match. "
            f"JSONPath size: {len(paths)}, "
            f"Number of columns in table or column list: {len(columns)}"
        )
    return [re.sub(r"\[\s*'([^']*)'\s*\]", _as_member, path) for path in paths]


def _as_member(found: re.Match[str]) -> str:
    return "." + json.dumps(found.group(1))
