"""Writes what is made from the code: etl.sql, and JSON Schemas for editors.

`make generate` runs it, with the library of the Glue jobs on Python's path.
"""

from __future__ import annotations

import json
from pathlib import Path

from penstock_job.redshift_table import audit_definition
from schema import editor_schemas

from penstock.domain import run_log

FOLDER = Path(__file__).parent


def files() -> dict[Path, str]:
    """What each file is to hold."""
    schemas = {
        "jobs.schema.json": editor_schemas.jobs_schema(),
        "specification.schema.json": editor_schemas.specification_schema(),
    }
    texts = {FOLDER / name: json.dumps(body, indent=2) + "\n" for name, body in schemas.items()}
    return {FOLDER / "etl.sql": tables(), **texts}


def tables() -> str:
    """The statements that create the tables of the run log and of the loads."""
    audit = audit_definition().replace("(", "(\n    ", 1).replace(", ", ",\n    ")
    return (
        f"{run_log.definition()}"
        "-- Of penstock_job.redshift_table; loads create it themselves.\n"
        f"{audit};\n"
    )


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text)
