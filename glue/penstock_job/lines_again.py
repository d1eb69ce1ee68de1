"""Lines of CSV files that were malformed once, read again by the header of their own file.

What makes them records now is a delimiter that has been corrected.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from penstock_job.csv_records import CsvForm, part_records
from penstock_job.reject_sql import RETRY
from penstock_job.rejects import COLUMNS, EXCERPT, RETRIED

if TYPE_CHECKING:
    from penstock_job.engine import Engine

READ_AGAIN = "penstock_lines_again"


def read_lines_again(engine: Engine, delimiter: str) -> None:
    """Make records of those lines among the rejects that fit their header now."""
    lines = engine.few_rows(
        f"SELECT {RETRY}, header, record FROM {RETRIED} WHERE header <> '{EXCERPT}'"
    )
    records = [
        (number, record)
        for number, header, text in lines
        if (record := record_of(json.loads(header), text, delimiter)) is not None
    ]
    if not records:
        return
    engine.make_numbered(READ_AGAIN, records)
    values = {
        "record": "coalesce(again.text, before.record)",
        "header": "CASE WHEN again.text IS NULL THEN before.header END",
    }
    columns = [f"{values.get(name, f'before.{name}')} AS {name}" for name in COLUMNS]
    engine.keep(
        f"{RETRIED}_again",
        f"SELECT before.{RETRY}, {', '.join(columns)} FROM {RETRIED} AS before "
        f"LEFT JOIN {READ_AGAIN} AS again ON again.number = before.{RETRY}",
    )
    engine.view(RETRIED, f"SELECT * FROM {RETRIED}_again")


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
    values = CsvForm(delimiter, len(header), b"").values_of(good.getvalue()[:-1])
    return json.dumps(dict(zip(header, map(_value, values))), ensure_ascii=False)


def _value(written: bytes) -> str | None:
    """A value as it is meant: nothing at all is a missing one, an empty text has its quotes."""
    text = written.decode()
    return text[1:-1].replace('""', '"') if text.startswith('"') else text or None
