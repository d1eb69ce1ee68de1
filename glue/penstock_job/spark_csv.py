"""A CSV file as a table of Spark, a record a line; a line that is no record is kept with its fault.

The same lines are records here as in `csv_records`, and the same faults have the same names. Only
a value that holds a line break is none to Spark, which reads a file from many places at once: its
lines are rejects here. A file that has such values is for the Python shell job.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from penstock_job.csv_records import LONGEST_EXCERPT, LONGEST_RECORD, header_of
from penstock_job.csv_table import wanted_columns
from penstock_job.dialect import SPARK
from penstock_job.judged_table import FAULT, JUDGED, LINE
from penstock_job.lines_again import read_lines_again
from penstock_job.refine import Judgement, judge
from penstock_job.rejects import Malformed, Retries
from penstock_job.specification import Specification

if TYPE_CHECKING:
    from penstock_job.spark_engine import SparkEngine

BYTE_ORDER_MARK = "\ufeff"
LINES = "penstock_lines"
NOT_TEXT = "not text in UTF-8"


class SparkCsv:
    """A CSV file that Spark reads itself."""

    def __init__(self, engine: SparkEngine, path: str, delimiter: str) -> None:
        self.engine = engine
        self.delimiter = delimiter
        self.records = self.malformed_rows = 0
        first = engine.view_lines(LINES, path)
        self.header_line = first.rstrip("\r").lstrip(BYTE_ORDER_MARK)
        self.header = header_of(first.encode(), delimiter)[0]

    def judge(
        self, specification: Specification, table: str, retries: Retries, folder: str
    ) -> Judgement:
        """Judge the records by the specification, as the table of that name.

        Lines of earlier files that were malformed are read again among the rejects.
        """
        if retries.rows:
            read_lines_again(self.engine, self.delimiter)
        wanted = wanted_columns([column.source for column in specification.columns], self.header)
        self.engine.stage(table, self._select(wanted))
        judgement = judge(self.engine, specification, table, retries, folder)
        self.records, self.malformed_rows = judgement.records, judgement.malformed
        return judgement

    def malformed(self) -> Malformed:
        """The lines that are no records; Spark knows their text, but not their numbers."""
        lines = (
            f"SELECT CAST(NULL AS BIGINT) AS line, {FAULT} AS reason, "
            # A text holds text only, so that the bytes of what is none are kept as digits.
            f"left(CASE WHEN {FAULT} = '{NOT_TEXT}' THEN concat('hex ', hex({LINE})) "
            f"ELSE {LINE} END, {LONGEST_EXCERPT}) AS text, "
            f"length({LINE}) <= {LONGEST_EXCERPT} AND {FAULT} <> '{NOT_TEXT}' AS whole "
            f"FROM {JUDGED} WHERE {FAULT} IS NOT NULL"
        )
        return Malformed(lines, self.malformed_rows, self.header)

    def _select(self, wanted: list[str]) -> str:
        columns = []
        for name in wanted:
            value = f"get(penstock_values, {self.header.index(name)})"
            # Nothing at all is a missing value; an empty text has its quotes.
            value = f"CASE WHEN penstock_is_quoted THEN {value} ELSE nullif({value}, '') END"
            columns.append(
                f"CASE WHEN {FAULT} IS NULL THEN {value} END AS {SPARK.identifier(name)}"
            )
        line = f"CASE WHEN {FAULT} IS NOT NULL THEN line END AS {LINE}"
        return f"SELECT {', '.join(columns)}, {FAULT}, {line} FROM ({self._parted()}) AS parted"

    def _parted(self) -> str:
        """Each line with its values and its fault."""
        count = len(self.header)
        found = "size(penstock_values)"
        noun = f"CASE {found} WHEN 1 THEN ' value' ELSE ' values' END"
        wrong = f"concat({found}, {noun}, ', but the header names {count}')"
        long = SPARK.literal(f"longer than {LONGEST_RECORD} bytes")
        fault = (
            f"CASE WHEN penstock_broken IS NOT NULL THEN penstock_broken "
            f"WHEN {found} <> {count} THEN {wrong} "
            f"WHEN octet_length(line) > {LONGEST_RECORD} THEN {long} "
            "WHEN contains(line, '\\0') THEN 'a zero byte' "
            f"WHEN encode(line, 'UTF-8') <> CAST(line AS BINARY) THEN '{NOT_TEXT}' END"
        )
        return f"SELECT *, {fault} AS {FAULT} FROM ({self._values()}) AS valued"

    def _values(self) -> str:
        form = _Form(self.delimiter)
        delimiter = SPARK.literal(re.escape(self.delimiter))
        quoted = (
            f"transform(regexp_extract_all(concat(line, {SPARK.literal(self.delimiter)}), "
            f"{SPARK.literal(form.one)}, 1), value -> CASE WHEN value = '' THEN NULL "
            "WHEN value LIKE '\"%' THEN "
            "replace(substring(value, 2, length(value) - 2), '\"\"', '\"') ELSE value END)"
        )
        values = f"CASE WHEN penstock_is_quoted THEN {quoted} ELSE split(line, {delimiter}, -1) END"
        return (
            f"SELECT *, CASE WHEN penstock_broken IS NULL THEN {values} END AS penstock_values "
            f"FROM (SELECT *, {form.broken()} AS penstock_broken FROM ({self._lines()}) AS known) "
            "AS whole"
        )

    def _lines(self) -> str:
        delimiter = SPARK.literal(self.delimiter)
        names = ", ".join(SPARK.literal(mark + self.header_line) for mark in ("", BYTE_ORDER_MARK))
        blank = (
            f"(line = '' OR (startswith(line, {delimiter}) "
            f"AND trim(BOTH {delimiter} FROM line) = ''))"
        )
        line = "CASE WHEN endswith(value, '\\r') THEN left(value, length(value) - 1) ELSE value END"
        return (
            "SELECT line, contains(line, '\"') AS penstock_is_quoted FROM "
            f"(SELECT {line} AS line FROM {LINES}) AS ended WHERE line NOT IN ({names}) "
            f"AND NOT {blank}"
        )


class _Form:
    """The grammar of `csv_records.CsvForm`, as Java's regular expressions have it."""

    def __init__(self, delimiter: str) -> None:
        end = re.escape(delimiter)
        opened = '"[^"]*+(?:""[^"]*+)*+'
        value = f'(?:{opened}"|[^"{end}\\r][^{end}\\r]*+|)'
        self.one = f"({value}){end}"
        self.whole = f"^{value}(?:{end}{value})*+\\z"
        self.unclosed = f"^(?:{value}{end})*+{opened}\\z"

    def broken(self) -> str:
        """What is wrong with a line's quotes or carriage returns, if anything."""
        return (
            "CASE WHEN NOT penstock_is_quoted AND contains(line, '\\r') "
            "THEN 'a carriage return outside quotes' "
            f"WHEN penstock_is_quoted AND NOT line RLIKE {SPARK.literal(self.whole)} THEN "
            f"CASE WHEN line RLIKE {SPARK.literal(self.unclosed)} "
            "THEN 'a quote that is never closed' "
            "ELSE 'a quote or a carriage return out of place' END END"
        )
