"""Lines of CSV files that were malformed once, read again by the header of their own file.

What makes them records now is a delimiter that has been corrected.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from penstock_job.csv_records import part_records
from penstock_job.reject_sql import RETRY
from penstock_job.rejects import EXCERPT, RETRIED

if TYPE_CHECKING:
    from penstock_job.duckdb_engine import DuckDbEngine

READ_AGAIN = "penstock_lines_again"


def read_lines_again(engine: DuckDbEngine, delimiter: str) -> None:
    """Make records of those lines among the rejects that fit their header now."""
    lines = engine.connection.execute(
        f"SELECT {RETRY}, header, record FROM {RETRIED} WHERE header <> '{EXCERPT}'"
    ).fetchall()
    records = [
        (number, record)
        for number, header, text in lines
        if (record := record_of(json.loads(header), text, delimiter)) is not None
    ]
    if not records:
        return
    engine.connection.execute(f"CREATE TABLE {READ_AGAIN} (number BIGINT, text VARCHAR)")
    engine.connection.executemany(f"INSERT INTO {READ_AGAIN} VALUES (?, ?)", records)
    engine.keep(
        f"{RETRIED}_again",
        f"SELECT * EXCLUDE (number, text) REPLACE (coalesce(text, record) AS record, "
        f"CASE WHEN text IS NULL THEN header END AS header) "
        f"FROM {RETRIED} LEFT JOIN {READ_AGAIN} ON number = {RETRY}",
    )
    engine.connection.execute(f"CREATE OR REPLACE VIEW {RETRIED} AS SELECT * FROM {RETRIED}_again")


def record_of(header: Sequence[str], text: str, delimiter: str) -> str | None:
    """One line as the JSON of a record, or None where it still does not fit its header.

    Each line is parted by itself: an unclosed quote must not make one record of two lines.
    """
    source = io.StringIO(newline="")
    csv.writer(source, delimiter=delimiter, lineterminator="\n").writerow(header)
    source.write(text + "\n")
    good, bad = io.BytesIO(), io.BytesIO()
    parted = part_records(io.BytesIO(source.getvalue().encode()), good, bad, delimiter)
    if (parted.well_formed, parted.malformed, parted.blank) != (1, 0, 0):
        return None
    (values,) = csv.reader(io.StringIO(good.getvalue().decode(), newline=""), delimiter=delimiter)
    missing_for_empty = (value or None for value in values)
    return json.dumps(dict(zip(header, missing_for_empty)), ensure_ascii=False)
