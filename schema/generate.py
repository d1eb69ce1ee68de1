"""Writes etl.sql, the tables of the run log and of the loads, from the code that fills them."""

from __future__ import annotations

import sys
from pathlib import Path

from penstock.domain import run_log

FILE = Path(__file__).parent / "etl.sql"
GLUE = Path(__file__).parents[1] / "glue"


def definition() -> str:
    """The statements that create all tables."""
    sys.path.append(str(GLUE))  # where a Glue job has its library beside it
    from penstock_job.redshift_table import audit_definition

    audit = audit_definition().replace("(", "(\n    ", 1).replace(", ", ",\n    ")
    return (
        f"{run_log.definition()}"
        "-- Of penstock_job.redshift_table; loads create it themselves.\n"
        f"{audit};\n"
    )


if __name__ == "__main__":
    FILE.write_text(definition())
