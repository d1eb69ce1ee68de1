"""The table of judged records: its name, its columns, and what a record's status can be.

Of most records it says that nothing is wrong with them, so it says that in two small numbers: the
status, and the failed checks as the bits of a mask.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from penstock_job.check import BITS, Check
from penstock_job.column_type import ColumnType
from penstock_job.reject_sql import RETRY

READ, JUDGED, WRITTEN = "penstock_read", "penstock_judged", "penstock_written"
"""The records with their typed columns; once judged; those accepted, once they are written."""
STATED = "penstock_stated"
"""The judged records before it is put into words what is wrong with them."""
STATUS = "penstock_status"
LINE, FAULT = "penstock_line", "penstock_fault"
"""Columns of an input of lines, some of which are no records: the line, and why it is none."""
ACCEPTED, REJECTED, FILTERED, MALFORMED = range(4)
IS_ASIDE = (
    f"({STATUS} IN ({REJECTED}, {MALFORMED}) OR ({STATUS} = {ACCEPTED} AND {RETRY} IS NOT NULL))"
)
"""Whether more is asked of a record once the accepted ones are written."""


def records_of(schema: Mapping[str, ColumnType]) -> dict[str, ColumnType]:
    """The columns of the records themselves among those of an input."""
    return {name: kind for name, kind in schema.items() if name not in (LINE, FAULT, RETRY)}


def masks(checks: Sequence[Check]) -> list[str]:
    """The columns of the failed checks."""
    return list(dict.fromkeys(check.mask for check in checks))


def masks_of_flags(checks: Sequence[Check]) -> list[str]:
    """What makes these columns of the checks' flags; few records take more than one look."""
    selected = []
    for first in range(0, len(checks), BITS):
        group = checks[first : first + BITS]
        fails = " OR ".join(check.flag for check in group)
        bits = " + ".join(f"CASE WHEN {check.flag} THEN {check.bit} ELSE 0 END" for check in group)
        value = f"CASE WHEN {fails} THEN {bits} ELSE 0 END"
        selected.append(f"CAST({value} AS BIGINT) AS {group[0].mask}")
    return selected


def flags_of_masks(checks: Sequence[Check]) -> list[str]:
    """What makes flags of these columns again."""
    return [f"{check.is_failed} AS {check.flag}" for check in checks]
