"""The table of judged records: its name, its columns, and what a record's status can be."""

from __future__ import annotations

from collections.abc import Mapping

from penstock_job.column_type import ColumnType
from penstock_job.reject_sql import RETRY

READ, JUDGED, WRITTEN = "penstock_read", "penstock_judged", "penstock_written"
"""The records with their typed columns; once judged; those accepted, once they are written."""
STATED = "penstock_stated"
"""The judged records before it is put into words what is wrong with them."""
LINE, FAULT = "penstock_line", "penstock_fault"
"""Columns of an input of lines, some of which are no records: the line, and why it is none."""
ACCEPTED, REJECTED, FILTERED = "accepted", "rejected", "filtered"
MALFORMED = "malformed"
IS_ASIDE = (
    f"(penstock_status IN ('{REJECTED}', '{MALFORMED}') "
    f"OR (penstock_status = '{ACCEPTED}' AND {RETRY} IS NOT NULL))"
)
"""Whether more is asked of a record once the accepted ones are written."""


def records_of(schema: Mapping[str, ColumnType]) -> dict[str, ColumnType]:
    """The columns of the records themselves among those of an input."""
    return {name: kind for name, kind in schema.items() if name not in (LINE, FAULT, RETRY)}
