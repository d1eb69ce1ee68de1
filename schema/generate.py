"""Writes what is made from the code: etl.sql, and JSON Schemas for editors.

Run as `python -m schema.generate` (`make generate` does).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
sys.path.append(str(FOLDER.parent / "glue"))  # where a Glue job has its library beside it

from penstock_job.redshift_table import audit_definition  # noqa: E402
from schema import editor_schemas  # noqa: E402

from penstock.domain import run_log  # noqa: E402


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
