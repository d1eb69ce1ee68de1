"""The table of judged records: its name, its columns, and what a record's status can be."""

from __future__ import annotations

from collections.abc import Mapping

from penstock_job.column_type import ColumnType
from penstock_job.reject_sql import RETRY

JUDGED = "penstock_judged"
LINE, FAULT = "penstock_line", "penstock_fault"
"""Columns of an input of lines, some of which are no records: the line, and why it is none."""
ACCEPTED, REJECTED, FILTERED = "accepted", "rejected", "filtered"
MALFORMED = "malformed"


def records_of(schema: Mapping[str, ColumnType]) -> dict[str, ColumnType]:
    """The columns of the records themselves among those of an input."""
    return {name: kind for name, kind in schema.items() if name not in (LINE, FAULT, RETRY)}
