"""A CSV file on this machine as a table of DuckDB, with the lines set aside that are no records."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from penstock_job.csv_records import LONGEST_EXCERPT, LONGEST_RECORD, part_records
from penstock_job.csv_scan import CsvScan, count_passed_over
from penstock_job.csv_table import wanted_columns
from penstock_job.dialect import DUCKDB
from penstock_job.errors import AccountingError, JobError
from penstock_job.lines_again import read_lines_again
from penstock_job.refine import Judgement, judge
from penstock_job.rejects import Malformed, Retries
from penstock_job.specification import Specification

if TYPE_CHECKING:
    from penstock_job.duckdb_engine import DuckDbEngine

logger = logging.getLogger(__name__)

MISCOUNTED = ("MISSING COLUMNS", "TOO MANY COLUMNS")


class CsvFile:
    """A CSV file, read by DuckDB as it is where the account of its lines comes out even.

    Otherwise its records are parted line by line first, which is slower and misses nothing.
    """

    def __init__(self, engine: DuckDbEngine, file: Path, delimiter: str) -> None:
        self.engine = engine
        self.file = file
        self.delimiter = delimiter
        self.scan = CsvScan(file, delimiter)
        self.records = self.malformed_rows = self.blank = 0
        self._malformed = ""

    def judge(
        self,
        specification: Specification,
        table: str,
        retries: Retries,
        folder: str = "",  # noqa: ARG002 - DuckDB writes nothing while it judges
    ) -> Judgement:
        """Judge the records by the specification, as the table of that name.

        Lines of earlier files that were malformed are read again among the rejects.

        Raises SourceError where the header lacks a column that it needs.
        """
        sources = [column.source for column in specification.columns]
        wanted = wanted_columns(sources, self.scan.header)
        if retries.rows:
            read_lines_again(self.engine, self.delimiter)
        if self.scan.looks_plain:
            judgement = self._judge_as_it_is(specification, table, wanted, retries)
            if judgement is not None:
                return judgement
        logger.info("the records are parted line by line: %s", self.file.name)
        return self._judge_parted(specification, table, wanted, retries)

    def malformed(self) -> Malformed:
        """The lines that are no records."""
        return Malformed(self._malformed, self.malformed_rows, self.scan.header)

    def _judge_as_it_is(
        self, specification: Specification, table: str, wanted: Sequence[str], retries: Retries
    ) -> Judgement | None:
        names = [f"column_{number}" for number in range(len(self.scan.header))]
        self.engine.view(table, self._select(self.file, wanted, self._kept_rejects(), names))
        try:
            judgement = judge(self.engine, specification, table, retries)
        except JobError:
            if self.scan.is_plain:
                raise
            return None
        listed = ", ".join(DUCKDB.literal(kind) for kind in MISCOUNTED)
        odd, lines = self.engine.row(
            f"SELECT count(*) FILTER (WHERE CAST(error_type AS VARCHAR) NOT IN ({listed})), "
            "count(DISTINCT line) FROM penstock_faults"
        )
        if not self.scan.is_plain or odd or not self._adds_up(judgement.records + lines):
            return None
        self.records, self.malformed_rows = judgement.records, lines
        self._malformed = self._miscounted()
        return judgement

    def _adds_up(self, records: int) -> bool:
        if records < self.scan.lines:
            self.blank = count_passed_over(self.file, self.scan, self.delimiter)
        return records + self.blank == self.scan.lines

    def _judge_parted(
        self, specification: Specification, table: str, wanted: Sequence[str], retries: Retries
    ) -> Judgement:
        folder = self.engine.folder
        good, bad = folder / "records.csv", folder / "malformed-00000.jsonl"
        with self.file.open("rb") as source, good.open("wb") as whole, bad.open("wb") as faults:
            parted = part_records(source, whole, faults, self.delimiter)
        options = "header = false, new_line = '\\n'"
        self.engine.view(table, self._select(good, wanted, options))
        judgement = judge(self.engine, specification, table, retries)
        if judgement.records != parted.well_formed:
            raise AccountingError(
                f"the file has {parted.well_formed} well-formed records, but DuckDB read "
                f"{judgement.records}"
            )
        self.records, self.malformed_rows = parted.well_formed, parted.malformed
        self.blank = parted.blank
        self._malformed = (
            f"SELECT line, reason, text, whole FROM read_json({DUCKDB.literal(str(bad))}, "
            "format = 'newline_delimited', columns = "
            "{line: 'BIGINT', reason: 'VARCHAR', text: 'VARCHAR', whole: 'BOOLEAN'})"
        )
        return judgement

    def _select(
        self, file: Path, wanted: Sequence[str], options: str, names: Sequence[str] = ()
    ) -> str:
        header = self.scan.header
        positions = ", ".join(f"'column_{number}': 'VARCHAR'" for number in range(len(header)))
        rows = (
            f"SELECT * FROM read_csv({DUCKDB.literal(str(file))}, columns = {{{positions}}}, "
            f"auto_detect = false, delim = {DUCKDB.literal(self.delimiter)}, "
            "quote = '\"', escape = '\"', nullstr = '', allow_quoted_nulls = false, "
            f"strict_mode = true, {options})"
        )
        named = ", ".join(
            f"column_{header.index(name)} AS {DUCKDB.identifier(name)}" for name in wanted
        )
        where = f" WHERE NOT ({_passed_over(names, header)})" if names else ""
        return f"SELECT {named} FROM ({rows}) AS lines{where}"

    def _kept_rejects(self) -> str:
        return (
            # Told what the line breaks are, DuckDB 1.4 and 2.0 find no records where it is \r\n.
            "header = true, store_rejects = true, "
            "rejects_table = 'penstock_faults', rejects_scan = 'penstock_scans', "
            f"rejects_limit = 0, max_line_size = {LONGEST_RECORD}"
        )

    def _miscounted(self) -> str:
        bare = "regexp_replace(text, '\"([^\"]|\"\")*\"', '', 'g')"
        delimiter = DUCKDB.literal(self.delimiter)
        values = f"1 + length({bare}) - length(replace({bare}, {delimiter}, ''))"
        wanted = len(self.scan.header)
        return (
            f"SELECT line, CAST(found AS VARCHAR) || CASE found WHEN 1 THEN ' value' "
            f"ELSE ' values' END || ', but the header names {wanted}' AS reason, "
            f"left(text, {LONGEST_EXCERPT}) AS text, "
            f"length(text) <= {LONGEST_EXCERPT} AS whole FROM "
            f"(SELECT line, text, {values} AS found FROM "
            "(SELECT line, trim(any_value(csv_line), chr(10) || chr(13)) AS text "
            "FROM penstock_faults GROUP BY line) AS faults) AS counted ORDER BY line"
        )


def _passed_over(names: Sequence[str], header: Sequence[str]) -> str:
    """Whether a record is a line of nothing but delimiters, or the header again."""
    blank = " AND ".join(f"{name} IS NULL" for name in names)
    first, *others = names
    again = " AND ".join(
        f"coalesce({name}, '') = {DUCKDB.literal(text)}" for name, text in zip(others, header[1:])
    )
    return (
        f"CASE WHEN {first} IS NULL THEN {blank} "
        f"WHEN {first} = {DUCKDB.literal(header[0])} THEN {again or 'TRUE'} ELSE FALSE END"
    )
